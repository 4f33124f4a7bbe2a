//! Image files to upright 8-bit RGB.
//!
//! The format is found from the bytes. A reader per format tells size and orientation from the
//! header, which is checked against [`DecodeLimits`] before any pixel is decoded. A file that
//! ends early is refused: half an image with a gray rest would look like an unknown object to
//! an out-of-distribution detector.
//!
//! JPEG gives the pixels of libjpeg-turbo, with which OpenCV and Pillow read.

mod bmp;
mod convert;
mod deep;
mod gif;
mod jpeg;
mod png;
mod tiff;
mod webp;

pub use deep::{DeepImage, decode_deep};
use straylight_core::{ImageFormat, RgbImage, Timestamp};

use crate::exif::CameraNotes;
use crate::orientation::Orientation;
use crate::sniff;
use crate::unread_format::{beginning, unread_format};
use crate::{DecodeLimits, ImageError, ImageErrorKind};

/// What an image file says about itself in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// The format, found from the first bytes.
    pub format: ImageFormat,
    /// Width in pixels of the upright image, at least 1.
    pub width: u32,
    /// Height in pixels of the upright image, at least 1.
    pub height: u32,
    /// How the stored pixels must be turned to be upright.
    pub orientation: Orientation,
}

/// Size as stored, and what the camera wrote down.
#[derive(Debug, Clone, Copy)]
struct Header {
    width: u32,
    height: u32,
    notes: CameraNotes,
}

/// One format's decoder after it has read the header.
trait PixelReader {
    fn header(&self) -> Header;

    /// Decodes the pixels as stored; called only when the size is within the limits.
    fn pixels(self: Box<Self>) -> Result<RgbImage, ImageErrorKind>;
}

/// Decodes an image file within the default [`DecodeLimits`].
///
/// The result is upright (EXIF orientation applied) and 8-bit RGB: grayscale is repeated,
/// alpha dropped, 16-bit samples reduced to their upper byte, CMYK converted without a
/// profile. Of several pages or frames the first is read.
pub fn decode(bytes: &[u8]) -> Result<(RgbImage, ImageFormat), ImageError> {
    decode_with(bytes, &DecodeLimits::default())
}

/// Decodes an image file as [`decode`] does, within limits of your own.
pub fn decode_with(
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<(RgbImage, ImageFormat), ImageError> {
    let decoded = decode_with_time(bytes, limits)?;
    Ok((decoded.image, decoded.format))
}

/// A decoded image file.
pub(crate) struct Decoded {
    pub(crate) image: RgbImage,
    pub(crate) format: ImageFormat,
    /// When the camera says that the picture was taken.
    pub(crate) taken: Option<Timestamp>,
}

/// Decodes an image file, and reads when it was taken.
pub(crate) fn decode_with_time(
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<Decoded, ImageErrorKind> {
    let (format, reader) = open(bytes, limits)?;
    let CameraNotes { orientation, taken } = reader.header().notes;
    let image = orientation.apply(reader.pixels()?);
    Ok(Decoded {
        image,
        format,
        taken,
    })
}

/// Reads format and upright size from an image file's header, without decoding pixels.
pub fn probe(bytes: &[u8]) -> Result<ImageInfo, ImageError> {
    let (format, reader) = open(bytes, &DecodeLimits::default())?;
    let header = reader.header();
    let (width, height) = if header.notes.orientation.swaps_sides() {
        (header.height, header.width)
    } else {
        (header.width, header.height)
    };
    Ok(ImageInfo {
        format,
        width,
        height,
        orientation: header.notes.orientation,
    })
}

type Opened<'a> = (ImageFormat, Box<dyn PixelReader + 'a>);

fn open<'a>(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Opened<'a>, ImageErrorKind> {
    if bytes.is_empty() {
        return Err(ImageErrorKind::Empty);
    }
    limits.check_bytes(bytes.len() as u64)?;
    let unknown = || match unread_format(bytes) {
        Some(format) => ImageErrorKind::UnreadFormat(format),
        None => ImageErrorKind::UnknownFormat(beginning(bytes)),
    };
    let format = sniff(bytes).ok_or_else(unknown)?;
    let reader: Box<dyn PixelReader + 'a> = match format {
        ImageFormat::Jpeg => Box::new(jpeg::JpegReader::new(bytes)?),
        ImageFormat::Png => Box::new(png::PngReader::new(bytes, limits)?),
        ImageFormat::WebP => Box::new(webp::WebpReader::new(bytes)?),
        ImageFormat::Bmp => Box::new(bmp::BmpReader::new(bytes)?),
        ImageFormat::Tiff => Box::new(tiff::TiffReader::new(bytes, limits)?),
        ImageFormat::Gif => Box::new(gif::GifReader::new(bytes, limits)?),
        _ => return Err(unknown()),
    };
    let Header { width, height, .. } = reader.header();
    if width == 0 || height == 0 {
        return Err(ImageErrorKind::corrupt(format, "it has no pixels"));
    }
    limits.check_pixels(width, height)?;
    Ok((format, reader))
}
