use straylight_core::{ImageFormat, RgbImage};
use webpx::{Decoder, DecoderConfig, ImageInfo, Limits};

use super::{Header, PixelReader, convert};
use crate::ImageErrorKind;
use crate::exif::CameraNotes;

/// WebP, lossy, lossless, or the first frame of an animation.
///
/// libwebp decodes, as it does in OpenCV: with its vector code more than twice as fast as
/// the decoders in Rust, and equal to them in every sample.
pub(super) struct WebpReader<'a> {
    bytes: &'a [u8],
    header: Header,
}

impl<'a> WebpReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ImageErrorKind> {
        let info = ImageInfo::from_webp(bytes).map_err(error)?;
        let exif = webpx::get_exif_with_limits(bytes, &Limits::none()).map_err(error)?;
        let header = Header {
            width: info.width,
            height: info.height,
            notes: exif.map_or_else(CameraNotes::default, |exif| CameraNotes::of_block(&exif)),
        };
        Ok(Self { bytes, header })
    }
}

impl PixelReader for WebpReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    /// Our own limits were applied to the header, so that the library's are off.
    fn pixels(self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let options = DecoderConfig::new().limits(Limits::none());
        let decoder = Decoder::new(self.bytes).map_err(error)?.config(options);
        let (rgb, width, height) = decoder.decode_rgb_raw().map_err(error)?;
        convert::image(ImageFormat::WebP, (width, height), rgb)
    }
}

fn error(error: webpx::At<webpx::Error>) -> ImageErrorKind {
    ImageErrorKind::corrupt(ImageFormat::WebP, error.decompose().0)
}
