use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};
use straylight_core::{ImageFormat, RgbImage};

use super::{Header, PixelReader, convert};
use crate::orientation::{self, Orientation};
use crate::{DecodeLimits, ImageErrorKind};

/// WebP, lossy, lossless, or the first frame of an animation.
pub(super) struct WebpReader<'a> {
    decoder: WebPDecoder<Cursor<&'a [u8]>>,
    header: Header,
}

impl<'a> WebpReader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Self, ImageErrorKind> {
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(error)?;
        decoder.set_memory_limit((limits.max_pixels as usize).saturating_mul(8));
        let (width, height) = decoder.dimensions();
        let exif = decoder.exif_metadata().map_err(error)?;
        let header = Header {
            width,
            height,
            orientation: exif.map_or(Orientation::Upright, |exif| orientation::from_exif(&exif)),
        };
        Ok(Self { decoder, header })
    }
}

impl PixelReader for WebpReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let too_large = || ImageErrorKind::corrupt(ImageFormat::WebP, "its size overflows");
        let mut samples = vec![0; self.decoder.output_buffer_size().ok_or_else(too_large)?];
        self.decoder.read_image(&mut samples).map_err(error)?;
        let rgb = if self.decoder.has_alpha() {
            convert::drop_extra(&samples, 4)
        } else {
            samples
        };
        let size = (self.header.width, self.header.height);
        convert::image(ImageFormat::WebP, size, rgb)
    }
}

fn error(error: DecodingError) -> ImageErrorKind {
    match error {
        DecodingError::UnsupportedFeature(what) => {
            ImageErrorKind::unsupported(ImageFormat::WebP, what)
        }
        other => ImageErrorKind::corrupt(ImageFormat::WebP, other),
    }
}
