use super::two_tap::{Adjacent, Arithmetic, Tap, plain_rgb};
use super::vectors::Vectors;

/// One in the fixed-point weights of 11 bits.
const ONE: f32 = 2048.0;

/// The arithmetic of OpenCV's `INTER_LINEAR` on 8 bits (`modules/imgproc/src/resize.cpp`).
///
/// A target coordinate `d` lies at `s = (d + 0.5) * scale - 0.5` in the source; the place is
/// rounded to `f32`, its fraction becomes two weights of 11 bits, rounded half to even. Of the
/// 19 bits of the pass over the columns the lowest 4 are dropped; each product with a row's
/// weight loses 16 bits before the two are added; then 2 are added and 2 bits dropped.
pub(super) struct Fixed;

impl Arithmetic for Fixed {
    type Weight = i16;
    type Sample = i16;

    /// At the edges the outermost column alone counts.
    fn columns(source: u32, target: u32) -> Vec<Tap<i16>> {
        let last = i64::from(source) - 1;
        let at = |(floor, fraction)| match floor {
            ..0 => tap(0, 0, 0.0),
            _ if floor >= last => tap(last, last, 0.0),
            _ => tap(floor, floor + 1, fraction),
        };
        places(source, target).map(at).collect()
    }

    /// At the edges the outermost row is read twice with both weights: OpenCV clips the rows
    /// but not their weights, and the rounding shows it.
    fn rows(source: u32, target: u32) -> Vec<Tap<i16>> {
        let last = i64::from(source) - 1;
        places(source, target)
            .map(|(floor, fraction)| {
                tap(floor.clamp(0, last), (floor + 1).clamp(0, last), fraction)
            })
            .collect()
    }

    fn across(left: u8, right: u8, weights: [i16; 2]) -> i16 {
        let [w0, w1] = weights.map(i32::from);
        ((i32::from(left) * w0 + i32::from(right) * w1) >> 4) as i16
    }

    fn across_rgb(
        vectors: Option<Vectors>,
        row: &[u8],
        taps: &[Adjacent<i16>],
        samples: &mut [i16],
    ) {
        match vectors {
            Some(vectors) => vectors.fixed(row, taps, samples),
            None => plain_rgb::<Self>(row, taps, samples),
        }
    }

    #[inline(always)]
    fn down(above: i16, below: i16, weights: [i16; 2]) -> u8 {
        let [w0, w1] = weights.map(i32::from);
        let sum = ((i32::from(above) * w0) >> 16) + ((i32::from(below) * w1) >> 16);
        ((sum + 2) >> 2) as u8
    }
}

/// Floor and fraction of every target coordinate's place in the source.
fn places(source: u32, target: u32) -> impl Iterator<Item = (i64, f32)> {
    // OpenCV takes the reciprocal of the reciprocal, which differs in the last bit.
    let scale = 1.0 / (f64::from(target) / f64::from(source));
    (0..target).map(move |index| {
        let place = ((f64::from(index) + 0.5) * scale - 0.5) as f32;
        let floor = place.floor();
        (floor as i64, place - floor)
    })
}

fn tap(first: i64, second: i64, fraction: f32) -> Tap<i16> {
    let weight = |part: f32| (part * ONE).round_ties_even() as i16;
    Tap {
        first: first as usize,
        second: second as usize,
        weights: [weight(1.0 - fraction), weight(fraction)],
    }
}
