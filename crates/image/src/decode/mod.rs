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
mod scaling;
mod tiff;
mod webp;

pub use deep::{DeepImage, decode_deep};
pub(crate) use scaling::whole;
pub use scaling::{Fit, ScaledSize, pixels_for};
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

/// How image files are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeOptions {
    /// How large an image may be.
    pub limits: DecodeLimits,
    /// To what size images will be scaled, so that JPEG files are decoded no larger than that needs;
    /// `None` decodes every pixel.
    pub scaled: Option<ScaledSize>,
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

    /// Has the pixels decoded with a part of the width and height; no more than a wish.
    fn divide(&mut self, _divisor: u32) {}

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
    let options = DecodeOptions {
        limits: *limits,
        scaled: None,
    };
    let decoded = decode_with_time(bytes, &options)?;
    Ok((decoded.image, decoded.format))
}

/// A decoded image file.
pub(crate) struct Decoded {
    pub(crate) image: RgbImage,
    /// Width and height of the whole upright image; `image` may be smaller.
    pub(crate) size: (u32, u32),
    pub(crate) format: ImageFormat,
    /// When the camera says that the picture was taken.
    pub(crate) taken: Option<Timestamp>,
}

/// Decodes an image file, and reads when it was taken.
pub(crate) fn decode_with_time(
    bytes: &[u8],
    options: &DecodeOptions,
) -> Result<Decoded, ImageErrorKind> {
    let (format, mut reader) = open(bytes, &options.limits)?;
    let header = reader.header();
    let size = header.upright_size();
    if let Some(scaled) = options.scaled {
        reader.divide(scaled.divisor(size));
    }
    let CameraNotes { orientation, taken } = header.notes;
    Ok(Decoded {
        image: orientation.apply(reader.pixels()?),
        size,
        format,
        taken,
    })
}

/// Reads format and upright size from an image file's header, without decoding pixels.
pub fn probe(bytes: &[u8]) -> Result<ImageInfo, ImageError> {
    let (format, reader) = open(bytes, &DecodeLimits::default())?;
    let header = reader.header();
    let (width, height) = header.upright_size();
    Ok(ImageInfo {
        format,
        width,
        height,
        orientation: header.notes.orientation,
    })
}

impl Header {
    fn upright_size(&self) -> (u32, u32) {
        if self.notes.orientation.swaps_sides() {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }
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
