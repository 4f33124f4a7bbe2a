use std::io::Cursor;

use png::{BitDepth, ColorType, DecodingError, Limits, Transformations};
use straylight_core::{ImageFormat, RgbImage};

use super::deep::Stored;
use super::{Header, PixelReader, convert};
use crate::exif::CameraNotes;
use crate::{DecodeLimits, ImageErrorKind};

/// PNG of every colour type and bit depth.
pub(super) struct PngReader<'a> {
    reader: png::Reader<Cursor<&'a [u8]>>,
    header: Header,
}

impl<'a> PngReader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Self, ImageErrorKind> {
        Self::with(bytes, limits, Transformations::normalize_to_color8())
    }

    fn with(
        bytes: &'a [u8],
        limits: &DecodeLimits,
        transformations: Transformations,
    ) -> Result<Self, ImageErrorKind> {
        let mut decoder = png::Decoder::new_with_limits(
            Cursor::new(bytes),
            Limits {
                bytes: (limits.max_pixels as usize).saturating_mul(8),
            },
        );
        decoder.set_transformations(transformations);
        let reader = decoder.read_info().map_err(error)?;
        let info = reader.info();
        let header = Header {
            width: info.width,
            height: info.height,
            notes: info
                .exif_metadata
                .as_ref()
                .map_or_else(CameraNotes::default, |exif| CameraNotes::of_block(exif)),
        };
        Ok(Self { reader, header })
    }

    /// The samples as they are stored.
    fn samples(&mut self) -> Result<(Vec<u8>, ColorType), ImageErrorKind> {
        let too_large = || ImageErrorKind::corrupt(ImageFormat::Png, "its size overflows");
        let mut samples = vec![0; self.reader.output_buffer_size().ok_or_else(too_large)?];
        let frame = self.reader.next_frame(&mut samples).map_err(error)?;
        Ok((samples, frame.color_type))
    }
}

/// The samples of a PNG of 16 bits; `None` for fewer.
pub(super) fn deep(bytes: &[u8], limits: &DecodeLimits) -> Result<Option<Stored>, ImageErrorKind> {
    let mut reader = PngReader::with(bytes, limits, Transformations::IDENTITY)?;
    if reader.reader.info().bit_depth != BitDepth::Sixteen {
        return Ok(None);
    }
    let Header {
        width,
        height,
        notes,
    } = reader.header;
    limits.check_pixels(width, height)?;
    let (samples, color) = reader.samples()?;
    let (pairs, _) = samples.as_chunks();
    Ok(Some(Stored {
        size: (width, height),
        orientation: notes.orientation,
        samples: pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect(),
        channels: color.samples(),
    }))
}

impl PixelReader for PngReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let (samples, color) = self.samples()?;
        let rgb = match color {
            ColorType::Rgb => samples,
            ColorType::Rgba => convert::drop_extra(&samples, 4),
            ColorType::GrayscaleAlpha => convert::gray(&samples, 2),
            // Palettes are expanded by the decoder.
            ColorType::Grayscale | ColorType::Indexed => convert::gray(&samples, 1),
        };
        convert::image(
            ImageFormat::Png,
            (self.header.width, self.header.height),
            rgb,
        )
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn error(error: DecodingError) -> ImageErrorKind {
    ImageErrorKind::corrupt(ImageFormat::Png, readable(&error.to_string()))
}

/// The decoder writes `ChunkType { type: IDAT, critical: true, ... }` where people say IDAT.
fn readable(text: &str) -> String {
    let mut parts = text.split("ChunkType { type: ");
    let mut readable = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (chunk, rest) = part.split_once(" }").unwrap_or((part, ""));
        readable += chunk.split(',').next().unwrap_or_default();
        readable += rest;
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn chunks_are_called_by_their_names() {
        let chunk = "ChunkType { type: IDAT, critical: true, private: false }";
        assert_eq!(
            readable(&format!("Chunk {chunk} is invalid.")),
            "Chunk IDAT is invalid."
        );
        assert_eq!(readable(&format!("{chunk}{chunk}")), "IDATIDAT");
        assert_eq!(readable("ChunkType { type: IDAT"), "IDAT");
        assert_eq!(readable("unexpected end of file"), "unexpected end of file");
    }
}
