//! Images of 16 bits a sample, for models that were trained on them.

use straylight_core::ImageFormat;

use super::{png, tiff};
use crate::orientation::Orientation;
use crate::sniff;
use crate::{DecodeLimits, ImageError, ImageErrorKind};

/// An image with 16 bits a sample: red, green, blue, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepImage {
    width: u32,
    height: u32,
    data: Vec<u16>,
}

impl DeepImage {
    /// Takes samples; `None` unless there are `width * height * 3` of them and no side is 0.
    pub fn new(width: u32, height: u32, data: Vec<u16>) -> Option<Self> {
        let wanted = u64::from(width) * u64::from(height) * 3;
        (wanted > 0 && wanted == data.len() as u64).then_some(Self {
            width,
            height,
            data,
        })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The samples, red, green and blue of each pixel, row by row.
    pub fn data(&self) -> &[u16] {
        &self.data
    }
}

/// Samples as a file holds them.
pub(super) struct Stored {
    pub(super) size: (u32, u32),
    pub(super) orientation: Orientation,
    pub(super) samples: Vec<u16>,
    /// Samples of a pixel: 1 and 2 are grey, 3 and 4 red, green, blue.
    pub(super) channels: usize,
}

/// Decodes a file of 16 bits a sample without losing any; `None` when it has 8 bits or fewer.
///
/// The result is upright; grey is repeated, alpha dropped, as [`decode`](crate::decode) does.
///
/// # Errors
///
/// Those of [`decode_with`](crate::decode_with).
pub fn decode_deep(bytes: &[u8], limits: &DecodeLimits) -> Result<Option<DeepImage>, ImageError> {
    limits.check_bytes(bytes.len() as u64)?;
    let stored = match sniff(bytes) {
        Some(ImageFormat::Png) => png::deep(bytes, limits)?,
        Some(ImageFormat::Tiff) => tiff::deep(bytes, limits)?,
        _ => None,
    };
    let Some(stored) = stored else {
        return Ok(None);
    };
    let rgb = |pixel: &[u16]| match *pixel {
        [red, green, blue, ..] => [red, green, blue],
        [grey, ..] => [grey; 3],
        [] => [0; 3],
    };
    let pixels = stored.samples.chunks_exact(stored.channels.max(1));
    let data: Vec<u16> = pixels.flat_map(rgb).collect();
    let (width, height) = stored.size;
    let damaged =
        || ImageErrorKind::corrupt(ImageFormat::Png, "its size is not that of its pixels");
    let image = DeepImage::new(width, height, data).ok_or_else(damaged)?;
    Ok(Some(stored.orientation.apply_deep(image)))
}
