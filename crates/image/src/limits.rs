use crate::ImageErrorKind;

/// How large an image may be before Straylight refuses to decode it.
///
/// A few hundred bytes can claim an image of gigabytes. The size is checked against these
/// limits from the file's header, before memory is taken for the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Most pixels (width times height); decoding takes at most about 8 bytes for each.
    pub max_pixels: u64,
    /// Most bytes of the encoded file.
    pub max_file_bytes: u64,
}

impl Default for DecodeLimits {
    /// 2^27 pixels (about 134 megapixels, 400 MB as RGB) and files of 512 MiB.
    fn default() -> Self {
        Self {
            max_pixels: 1 << 27,
            max_file_bytes: 512 << 20,
        }
    }
}

impl DecodeLimits {
    pub(crate) fn check_bytes(&self, bytes: u64) -> Result<(), ImageErrorKind> {
        if bytes > self.max_file_bytes {
            let limit = self.max_file_bytes;
            return Err(ImageErrorKind::TooManyBytes { limit });
        }
        Ok(())
    }

    pub(crate) fn check_pixels(&self, width: u32, height: u32) -> Result<(), ImageErrorKind> {
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(ImageErrorKind::TooManyPixels {
                width,
                height,
                limit: self.max_pixels,
            });
        }
        Ok(())
    }
}
