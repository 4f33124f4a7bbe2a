use straylight_core::{ImageFormat, RgbImage};
use zune_bmp::{BmpDecoder, BmpDecoderErrors};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::{Header, PixelReader, convert};
use crate::ImageErrorKind;
use crate::exif::CameraNotes;

/// Windows bitmaps: palette, 16, 24 and 32 bits, run-length encoded or plain.
pub(super) struct BmpReader<'a> {
    decoder: BmpDecoder<ZCursor<&'a [u8]>>,
    header: Header,
}

impl<'a> BmpReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ImageErrorKind> {
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(i32::MAX as usize)
            .set_max_height(i32::MAX as usize);
        let mut decoder = BmpDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(error)?;
        let missing = || ImageErrorKind::corrupt(ImageFormat::Bmp, "the header has no size");
        let (width, height) = decoder.dimensions().ok_or_else(missing)?;
        check_length(bytes)?;
        let header = Header {
            width: u32::try_from(width).map_err(|_| missing())?,
            height: u32::try_from(height).map_err(|_| missing())?,
            notes: CameraNotes::default(),
        };
        Ok(Self { decoder, header })
    }
}

/// The decoder takes missing rows for black; refuse plain bitmaps that are too short.
fn check_length(bytes: &[u8]) -> Result<(), ImageErrorKind> {
    let needed = plain_length(bytes).unwrap_or(0);
    if (bytes.len() as u64) < needed {
        let reason = format!("it has {} bytes of {needed}", bytes.len());
        return Err(ImageErrorKind::corrupt(ImageFormat::Bmp, reason));
    }
    Ok(())
}

/// How long an uncompressed bitmap must be; `None` for compressed and OS/2 ones.
fn plain_length(bytes: &[u8]) -> Option<u64> {
    const BITFIELDS: u32 = 3;
    let u32_at = |at: usize| {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(four))
    };
    let compression = u32_at(30)?;
    if u32_at(14)? < 40 || !matches!(compression, 0 | BITFIELDS) {
        return None;
    }
    let bits = u64::from(u32_at(28)? & 0xffff);
    let width = u64::from(u32_at(18)?);
    let height = u64::from(u32_at(22)?.cast_signed().unsigned_abs());
    let row = width.checked_mul(bits)?.div_ceil(32).checked_mul(4)?;
    u64::from(u32_at(10)?).checked_add(row.checked_mul(height)?)
}

impl PixelReader for BmpReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let samples = self.decoder.decode().map_err(error)?;
        let rgb = match self.decoder.colorspace() {
            Some(ColorSpace::RGB) => samples,
            Some(ColorSpace::RGBA) => convert::drop_extra(&samples, 4),
            Some(ColorSpace::Luma) => convert::gray(&samples, 1),
            other => {
                let reason = format!("colour space {other:?}");
                return Err(ImageErrorKind::unsupported(ImageFormat::Bmp, reason));
            }
        };
        convert::image(
            ImageFormat::Bmp,
            (self.header.width, self.header.height),
            rgb,
        )
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn error(error: BmpDecoderErrors) -> ImageErrorKind {
    ImageErrorKind::corrupt(ImageFormat::Bmp, format!("{error:?}"))
}
