use straylight_core::{ImageFormat, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Header, PixelReader, convert};
use crate::ImageErrorKind;
use crate::exif::CameraNotes;

/// Baseline and progressive JPEG; gray, YCbCr, RGB, CMYK and YCCK.
pub(super) struct JpegReader<'a> {
    decoder: JpegDecoder<ZCursor<&'a [u8]>>,
    header: Header,
}

impl<'a> JpegReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ImageErrorKind> {
        // Strict: a lenient decoder fills what is missing with gray and calls it done.
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(error)?;
        let missing = || ImageErrorKind::corrupt(ImageFormat::Jpeg, "the header has no size");
        let info = decoder.info().ok_or_else(missing)?;
        let header = Header {
            width: u32::from(info.width),
            height: u32::from(info.height),
            notes: decoder
                .exif()
                .map_or_else(CameraNotes::default, |exif| CameraNotes::of_block(exif)),
        };
        Ok(Self { decoder, header })
    }
}

impl PixelReader for JpegReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let rgb = self.decoder.decode().map_err(error)?;
        let size = (self.header.width, self.header.height);
        convert::image(ImageFormat::Jpeg, size, rgb)
    }
}

fn error(error: DecodeErrors) -> ImageErrorKind {
    match error {
        DecodeErrors::Unsupported(what) => {
            ImageErrorKind::unsupported(ImageFormat::Jpeg, format!("{what:?}"))
        }
        other => ImageErrorKind::corrupt(ImageFormat::Jpeg, other),
    }
}
