use super::axis::{self, Tap};

/// A source row after the horizontal pass: 15 bits a sample.
struct Row {
    index: Option<usize>,
    samples: Vec<i16>,
}

/// Two-tap interpolation in both directions; `size` and `target` are (width, height).
pub(super) fn resize<const C: usize>(
    source: &[u8],
    size: (u32, u32),
    target: (u32, u32),
) -> Vec<u8> {
    let columns = axis::columns(size.0, target.0);
    let stride = size.0 as usize * C;
    let width = target.0 as usize * C;
    let empty = || Row {
        index: None,
        samples: vec![0; width],
    };
    let (mut above, mut below) = (empty(), empty());
    let mut result = vec![0; width * target.1 as usize];
    for (tap, row) in axis::rows(size.1, target.1)
        .iter()
        .zip(result.chunks_exact_mut(width))
    {
        // Going down, the lower row often becomes the upper one.
        if below.index == Some(tap.first) {
            std::mem::swap(&mut above, &mut below);
        }
        for (wanted, cached) in [(tap.first, &mut above), (tap.second, &mut below)] {
            if cached.index != Some(wanted) {
                horizontal::<C>(
                    &source[wanted * stride..][..stride],
                    &columns,
                    &mut cached.samples,
                );
                cached.index = Some(wanted);
            }
        }
        vertical(&above.samples, &below.samples, tap.weights, row);
    }
    result
}

fn horizontal<const C: usize>(row: &[u8], columns: &[Tap], samples: &mut [i16]) {
    for (tap, pixel) in columns.iter().zip(samples.chunks_exact_mut(C)) {
        let left = &row[tap.first * C..][..C];
        let right = &row[tap.second * C..][..C];
        let [w0, w1] = tap.weights.map(i32::from);
        for c in 0..C {
            let sum = i32::from(left[c]) * w0 + i32::from(right[c]) * w1;
            pixel[c] = (sum >> 4) as i16;
        }
    }
}

fn vertical(above: &[i16], below: &[i16], weights: [i16; 2], target: &mut [u8]) {
    let [w0, w1] = weights.map(i32::from);
    for ((a, b), t) in above.iter().zip(below).zip(target) {
        let sum = ((i32::from(*a) * w0) >> 16) + ((i32::from(*b) * w1) >> 16);
        *t = ((sum + 2) >> 2) as u8;
    }
}
