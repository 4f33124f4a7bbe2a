//! From the colour types of files to interleaved 8-bit RGB.
//!
//! Alpha is dropped, not blended: `cv2.imread` does so, and models are trained on what it
//! gives. Sixteen bits are reduced to their upper eight, as libpng's `strip_16` does.

use straylight_core::{ImageFormat, RgbImage};

use crate::ImageErrorKind;

/// Repeats the first channel of pixels with `channels` samples (gray, gray and alpha).
pub(super) fn gray(samples: &[u8], channels: usize) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(samples.len() / channels * 3);
    rgb.extend(samples.chunks_exact(channels).flat_map(|p| [p[0]; 3]));
    rgb
}

/// Keeps the first three channels of pixels with `channels` samples (RGBA).
pub(super) fn drop_extra(samples: &[u8], channels: usize) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(samples.len() / channels * 3);
    rgb.extend(
        samples
            .chunks_exact(channels)
            .flat_map(|p| [p[0], p[1], p[2]]),
    );
    rgb
}

/// Cyan, magenta, yellow and black (0 is no ink) to RGB, without a colour profile.
pub(super) fn cmyk(samples: &[u8], channels: usize) -> Vec<u8> {
    let light = |ink: u8, black: u8| {
        let product = u32::from(255 - ink) * u32::from(255 - black);
        (product / 255) as u8
    };
    samples
        .chunks_exact(channels)
        .flat_map(|p| [light(p[0], p[3]), light(p[1], p[3]), light(p[2], p[3])])
        .collect()
}

/// Wraps pixels whose size was computed from the header.
pub(super) fn image(
    format: ImageFormat,
    (width, height): (u32, u32),
    rgb: Vec<u8>,
) -> Result<RgbImage, ImageErrorKind> {
    RgbImage::new(width, height, rgb).map_err(|error| ImageErrorKind::corrupt(format, error))
}
