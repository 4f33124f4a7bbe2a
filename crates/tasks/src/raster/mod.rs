//! The pixel geometry that tasks share, with the results of OpenCV's functions.
//!
//! | here | there |
//! |---|---|
//! | [`contours`] | `findContours(RETR_CCOMP, CHAIN_APPROX_NONE)`, same order, same first points |
//! | [`corners_of`] | `CHAIN_APPROX_SIMPLE` |
//! | [`area`] | `contourArea` |
//! | [`Filled`] | `drawContours(thickness=-1)` |
//! | [`simplified_len`] | the length of `approxPolyDP(closed=True)` |
//! | [`smallest_rectangle`] | `minAreaRect`, `boxPoints` |
//! | [`paste`] | `resize(INTER_LINEAR)` of 32-bit floats, compared with 0.5 |
//! | [`nearest`] | the source columns of `resize(INTER_NEAREST)` |
//! | [`blur`] | `blur` of 32-bit floats with reflected borders |

mod blur;
mod contour;
mod fill;
mod hull;
mod mask;
mod rectangle;
mod resample;
mod simplify;

pub(crate) use blur::blur;
pub(crate) use contour::{Contour, contours, corners_of};
pub(crate) use fill::Filled;
pub(crate) use mask::Mask;
pub(crate) use rectangle::{Rectangle, smallest_rectangle};
pub(crate) use resample::{Part, nearest, paste};
pub(crate) use simplify::simplified_len;

/// A pixel by column and row.
pub(crate) type Pixel = [i32; 2];

/// The area of the polygon through these pixels' centres, whichever way it turns.
pub(crate) fn area(points: &[Pixel]) -> f64 {
    let followers = points.iter().cycle().skip(1);
    let twice: i64 = points
        .iter()
        .zip(followers)
        .map(|(&a, &b)| cross(a, b))
        .sum();
    twice.unsigned_abs() as f64 / 2.0
}

/// The cross product of two vectors.
fn cross([ax, ay]: Pixel, [bx, by]: Pixel) -> i64 {
    i64::from(ax) * i64::from(by) - i64::from(ay) * i64::from(bx)
}

#[cfg(test)]
mod tests;
