//! Scaling exactly as the programs do that models were trained and deployed with.
//!
//! A bilinear filter of another kind moves a model's scores, so each function names whose
//! arithmetic it follows:
//!
//! - [`bilinear_openvino`]: what the network sees behind ModelAPI, which puts an OpenVINO
//!   `Interpolate` operation on the 8-bit image. In `f32`, columns first, rounded to the
//!   nearest level, halves to even.
//! - [`bilinear_cv`], [`bilinear_cv_gray`]: `cv2.resize` with `INTER_LINEAR` on 8 bits, the same
//!   bytes (checked against OpenCV 4.14). In fixed point; rules in `fixed.rs`.
//! - [`bicubic_cv`], [`bicubic_cv_gray`]: `cv2.resize` with `INTER_CUBIC` on 8 bits, within one
//!   level (OpenCV's own builds differ by as much).
//! - [`bilinear_pillow`], [`bicubic_pillow`]: Pillow's `Image.resize`, which `torchvision` and
//!   `timm` prepare images with, the same bytes where it scales the columns first (all versions
//!   before 13, and 13.0 when both sides shrink alike), else within one level. In fixed point;
//!   rules in `pillow.rs`.

#![allow(
    clippy::inline_always,
    reason = "a loop gets vectors only within a function that has them"
)]

mod cubic;
mod deep;
mod fixed;
mod float;
pub(crate) mod halve;
mod pillow;
mod two_tap;
#[cfg_attr(not(target_arch = "x86_64"), path = "no_vectors.rs")]
mod vectors;

pub use deep::{Interpolation, deep_openvino};
use straylight_core::RgbImage;

/// Scales an image to `width` x `height` pixels as OpenVINO's `Interpolate` does on 8 bits.
///
/// Mode `linear`, half-pixel centres, no antialiasing, result rounded half to even. A side of 0
/// is taken for 1.
pub fn bilinear_openvino(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    of_image(image, (width, height), openvino_linear::<3>)
}

/// As [`bilinear_openvino`], into one line for each target row, of at least `3 * width` levels;
/// what is behind them in a line stays as it is.
pub fn bilinear_openvino_into<'a>(
    image: &RgbImage,
    width: u32,
    height: u32,
    lines: impl Iterator<Item = &'a mut [u8]>,
) {
    let (size, target) = (sides(image), (width.max(1), height.max(1)));
    if size == target {
        return copy(image, lines);
    }
    two_tap::resize::<float::Float, 3>(image.data(), size, target, lines);
}

/// Scales an image as OpenVINO's `Interpolate` does on 8 bits, with a filter of choice.
///
/// Half-pixel centres, no antialiasing; results are rounded half to even. A side of 0 is taken
/// for 1.
pub fn openvino(image: &RgbImage, width: u32, height: u32, filter: Interpolation) -> RgbImage {
    match filter {
        Interpolation::Linear => bilinear_openvino(image, width, height),
        // The kernel and its rounding are those of OpenCV.
        Interpolation::Cubic => bicubic_cv(image, width, height),
        Interpolation::Nearest => of_image(image, (width, height), deep::nearest),
    }
}

/// Scales an image to `width` x `height` pixels exactly as `cv2.resize` with `INTER_LINEAR`.
///
/// A side of 0 is taken for 1.
pub fn bilinear_cv(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    of_image(image, (width, height), cv_linear::<3>)
}

/// As [`bilinear_cv`], into lines as those of [`bilinear_openvino_into`].
pub fn bilinear_cv_into<'a>(
    image: &RgbImage,
    width: u32,
    height: u32,
    lines: impl Iterator<Item = &'a mut [u8]>,
) {
    let (size, target) = (sides(image), (width.max(1), height.max(1)));
    if size == target {
        return copy(image, lines);
    }
    cv_linear_into::<3>(image.data(), size, target, lines);
}

/// Scales a single-channel map as [`bilinear_cv`] does an image.
///
/// Sizes are (width, height) in pixels; a target side of 0 is taken for 1. Returns `None` when
/// `levels` does not hold exactly `size.0 * size.1` grey levels or the source is empty.
pub fn bilinear_cv_gray(levels: &[u8], size: (u32, u32), target: (u32, u32)) -> Option<Vec<u8>> {
    of_gray(levels, size, target, cv_linear::<1>)
}

/// Scales an image to `width` x `height` pixels as `cv2.resize` with `INTER_CUBIC`.
///
/// Keys' kernel with a = -0.75, half-pixel centres, edges repeated; every level is within one
/// of OpenCV's. A side of 0 is taken for 1.
pub fn bicubic_cv(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    of_image(image, (width, height), cubic::resize::<3>)
}

/// Scales a single-channel map, such as a saliency map, as [`bicubic_cv`] does an image.
///
/// Sizes and the result as for [`bilinear_cv_gray`].
pub fn bicubic_cv_gray(levels: &[u8], size: (u32, u32), target: (u32, u32)) -> Option<Vec<u8>> {
    of_gray(levels, size, target, cubic::resize::<1>)
}

/// Scales an image to `width` x `height` pixels as Pillow's `Image.resize` with `BILINEAR`.
///
/// When it shrinks, the filter covers all pixels (antialiasing). A side of 0 is taken for 1.
pub fn bilinear_pillow(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    of_image(image, (width, height), |data, size, target| {
        pillow::resize(data, size, target, pillow::BILINEAR)
    })
}

/// As [`bilinear_pillow`], with `BICUBIC` (Keys' kernel with a = -0.5).
pub fn bicubic_pillow(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    of_image(image, (width, height), |data, size, target| {
        pillow::resize(data, size, target, pillow::BICUBIC)
    })
}

type Size = (u32, u32);

fn sides(image: &RgbImage) -> Size {
    (image.width(), image.height())
}

/// Hands on an image that already has its size.
fn copy<'a>(image: &RgbImage, lines: impl Iterator<Item = &'a mut [u8]>) {
    let rows = image.data().chunks_exact(image.width() as usize * 3);
    for (row, line) in rows.zip(lines) {
        line[..row.len()].copy_from_slice(row);
    }
}

fn of_image(image: &RgbImage, target: Size, scale: fn(&[u8], Size, Size) -> Vec<u8>) -> RgbImage {
    let size = sides(image);
    let target = (target.0.max(1), target.1.max(1));
    if size == target {
        return image.clone();
    }
    let data = scale(image.data(), size, target);
    // The buffer was made for this size, so the fall-back is not reached.
    RgbImage::new(target.0, target.1, data).unwrap_or_else(|_| image.clone())
}

fn of_gray(
    levels: &[u8],
    size: Size,
    target: Size,
    scale: fn(&[u8], Size, Size) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let wanted = u64::from(size.0) * u64::from(size.1);
    if wanted == 0 || wanted != levels.len() as u64 {
        return None;
    }
    let target = (target.0.max(1), target.1.max(1));
    if size == target {
        return Some(levels.to_vec());
    }
    Some(scale(levels, size, target))
}

fn cv_linear<const C: usize>(source: &[u8], size: Size, target: Size) -> Vec<u8> {
    let line = target.0 as usize * C;
    let mut result = vec![0; line * target.1 as usize];
    cv_linear_into::<C>(source, size, target, result.chunks_exact_mut(line));
    result
}

/// Halving both sides exactly is a mean of 2 x 2 pixels in OpenCV, not an interpolation.
fn cv_linear_into<'a, const C: usize>(
    source: &[u8],
    size: Size,
    target: Size,
    lines: impl Iterator<Item = &'a mut [u8]>,
) {
    if size == (target.0.saturating_mul(2), target.1.saturating_mul(2)) {
        return halve::halve_into::<C>(source, target.0 as usize, lines);
    }
    two_tap::resize::<fixed::Fixed, C>(source, size, target, lines);
}

fn openvino_linear<const C: usize>(source: &[u8], size: Size, target: Size) -> Vec<u8> {
    let line = target.0 as usize * C;
    let mut result = vec![0; line * target.1 as usize];
    let lines = result.chunks_exact_mut(line);
    two_tap::resize::<float::Float, C>(source, size, target, lines);
    result
}

#[cfg(test)]
mod tests;
