use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use straylight_core::{ImageFormat, RgbImage};

use super::{Header, PixelReader, convert};
use crate::exif::CameraNotes;
use crate::{DecodeLimits, ImageErrorKind};

/// The first frame of a GIF on its canvas; what it leaves clear is black.
pub(super) struct GifReader<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
}

impl<'a> GifReader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Self, ImageErrorKind> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        options.check_frame_consistency(true);
        let limit = limits.max_pixels.saturating_mul(4).max(1);
        if let Ok(limit) = limit.try_into() {
            options.set_memory_limit(MemoryLimit::Bytes(limit));
        }
        let decoder = options.read_info(Cursor::new(bytes)).map_err(error)?;
        Ok(Self { decoder })
    }
}

impl PixelReader for GifReader<'_> {
    fn header(&self) -> Header {
        Header {
            width: u32::from(self.decoder.width()),
            height: u32::from(self.decoder.height()),
            notes: CameraNotes::default(),
        }
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let (width, height) = (self.decoder.width(), self.decoder.height());
        let none = || ImageErrorKind::corrupt(ImageFormat::Gif, "it has no frame");
        let frame = self.decoder.read_next_frame().map_err(error)?;
        let frame = frame.ok_or_else(none)?;
        let mut canvas = vec![0; usize::from(width) * usize::from(height) * 3];
        paste(&mut canvas, usize::from(width), frame);
        let size = (u32::from(width), u32::from(height));
        convert::image(ImageFormat::Gif, size, canvas)
    }
}

/// Puts the frame's opaque pixels at its place; the decoder has checked that it fits.
fn paste(canvas: &mut [u8], width: usize, frame: &gif::Frame<'_>) {
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let frame_width = usize::from(frame.width);
    let rows = frame.buffer.chunks_exact((frame_width * 4).max(1));
    for (row, target) in rows.zip(canvas.chunks_exact_mut(width * 3).skip(top)) {
        let pixels = target.chunks_exact_mut(3).skip(left);
        for (from, to) in row.chunks_exact(4).zip(pixels) {
            if from[3] != 0 {
                to.copy_from_slice(&from[..3]);
            }
        }
    }
}

fn error(error: DecodingError) -> ImageErrorKind {
    ImageErrorKind::corrupt(ImageFormat::Gif, error)
}
