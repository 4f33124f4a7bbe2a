//! Scaling as OpenCV does it, bit for bit.
//!
//! Models are trained on what `cv2.resize` gives, and a bilinear filter of another kind moves
//! their scores. These functions return the same bytes as `cv2.resize(..., INTER_LINEAR)` does
//! for 8-bit images (checked against OpenCV 4.14).
//!
//! The rules, from `modules/imgproc/src/resize.cpp`:
//!
//! - A target pixel `d` lies at `s = (d + 0.5) * scale - 0.5` in the source; the position is
//!   rounded to `f32`, its fraction becomes two weights of 11 bits that are rounded half to even.
//! - The horizontal pass keeps 19 bits, of which the lowest 4 are dropped; each row's product
//!   with its vertical weight loses 16 bits before the two are added; then 2 are added and 2
//!   bits dropped.
//! - Halving both sides exactly takes the mean of 2 x 2 pixels instead, rounded half up.

mod axis;
mod bilinear;
mod halve;

use straylight_core::RgbImage;

/// Scales an image to `width` x `height` pixels exactly as `cv2.resize` with `INTER_LINEAR`.
///
/// A side of 0 is taken for 1.
pub fn bilinear_cv(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let target = (width.max(1), height.max(1));
    let data = scale::<3>(image.data(), (image.width(), image.height()), target);
    // The buffer was made for this size, so the fall-back is not reached.
    RgbImage::new(target.0, target.1, data).unwrap_or_else(|_| image.clone())
}

/// Scales a single-channel map, such as a saliency map, as [`bilinear_cv`] does an image.
///
/// Sizes are (width, height) in pixels; a target side of 0 is taken for 1. Returns `None` when
/// `levels` does not hold exactly `size.0 * size.1` grey levels or the source is empty.
pub fn bilinear_cv_gray(levels: &[u8], size: (u32, u32), target: (u32, u32)) -> Option<Vec<u8>> {
    let wanted = u64::from(size.0) * u64::from(size.1);
    if wanted == 0 || wanted != levels.len() as u64 {
        return None;
    }
    let target = (target.0.max(1), target.1.max(1));
    Some(scale::<1>(levels, size, target))
}

fn scale<const C: usize>(source: &[u8], size: (u32, u32), target: (u32, u32)) -> Vec<u8> {
    if size == target {
        source.to_vec()
    } else if size == (target.0.saturating_mul(2), target.1.saturating_mul(2)) {
        halve::halve::<C>(source, target.0 as usize)
    } else {
        bilinear::resize::<C>(source, size, target)
    }
}

#[cfg(test)]
mod tests;
