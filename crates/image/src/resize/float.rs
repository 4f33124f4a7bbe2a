use super::two_tap::{Adjacent, Arithmetic, Tap, plain_rgb};
use super::vectors::Vectors;

/// The arithmetic of OpenVINO's `Interpolate` (opset 11, mode `linear`) on 8 bits.
///
/// A target coordinate `d` lies at `s = (d + 0.5) / scale - 0.5` in the source, where scale is
/// target / source in `f32`, clamped to the source. The result is rounded half to even.
pub(super) struct Float;

impl Arithmetic for Float {
    type Weight = f32;
    type Sample = f32;

    fn columns(source: u32, target: u32) -> Vec<Tap<f32>> {
        taps(source, target)
    }

    fn rows(source: u32, target: u32) -> Vec<Tap<f32>> {
        taps(source, target)
    }

    fn across(left: u8, right: u8, weights: [f32; 2]) -> f32 {
        f32::from(left) * weights[0] + f32::from(right) * weights[1]
    }

    fn across_rgb(
        vectors: Option<Vectors>,
        row: &[u8],
        taps: &[Adjacent<f32>],
        samples: &mut [f32],
    ) {
        match vectors {
            Some(vectors) => vectors.float(row, taps, samples),
            None => plain_rgb::<Self>(row, taps, samples),
        }
    }

    #[inline(always)]
    fn down(above: f32, below: f32, weights: [f32; 2]) -> u8 {
        nearest_level(above * weights[0] + below * weights[1])
    }
}

/// Rounds 0 to 255 half to even.
///
/// `round_ties_even` is a call of a library function where the processor's own instruction is
/// not sure to exist, and keeps the loop from being vectorised. At 2^23 the last bit of an `f32`
/// is worth one: adding it rounds, and leaves the level in the lowest bits.
#[inline(always)]
fn nearest_level(value: f32) -> u8 {
    const TWO_TO_THE_23: f32 = 8_388_608.0;
    (value + TWO_TO_THE_23).to_bits() as u8
}

fn taps(source: u32, target: u32) -> Vec<Tap<f32>> {
    let scale = target as f32 / source as f32;
    let last = source.saturating_sub(1);
    let tap = |index: u32| {
        let place = ((index as f32 + 0.5) / scale - 0.5).clamp(0.0, last as f32);
        let first = (place as usize).min(last as usize);
        let fraction = place - first as f32;
        Tap {
            first,
            second: (first + 1).min(last as usize),
            weights: [1.0 - fraction, fraction],
        }
    };
    (0..target).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest_level;

    #[test]
    fn levels_round_as_the_library_rounds() {
        for step in 0..=255 * 64 {
            let value = step as f32 / 64.0;
            for near in [
                value.next_down().max(0.0),
                value,
                value.next_up().min(255.0),
            ] {
                assert_eq!(nearest_level(near), near.round_ties_even() as u8, "{near}");
            }
        }
    }
}
