use std::sync::atomic::{AtomicU64, Ordering};

use crate::ImageErrorKind;

/// 2^27 pixels: about 134 megapixels, 400 MB as RGB.
static MAX_PIXELS: AtomicU64 = AtomicU64::new(1 << 27);

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
    /// 2^27 pixels (about 134 megapixels, 400 MB as RGB), unless
    /// [`DecodeLimits::set_default_max_pixels`] said otherwise, and files of 512 MiB.
    fn default() -> Self {
        Self {
            max_pixels: MAX_PIXELS.load(Ordering::Relaxed),
            max_file_bytes: 512 << 20,
        }
    }
}

impl DecodeLimits {
    /// Sets the most pixels of an image for everything in this process that names no limits.
    ///
    /// One number for the whole process, so that an image that can be predicted can also be
    /// collected, stored and shown. Call it before images are read.
    pub fn set_default_max_pixels(max_pixels: u64) {
        MAX_PIXELS.store(max_pixels, Ordering::Relaxed);
    }

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
