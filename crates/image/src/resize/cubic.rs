/// Four source indices and their weights.
struct Taps {
    indices: [usize; 4],
    weights: [f32; 4],
}

/// Scales interleaved samples of `C` channels; `size` and `target` are (width, height).
///
/// Keys' cubic convolution ("Cubic convolution interpolation for digital image processing",
/// 1981, eq. 4) with a = -0.75, in `f32`, columns first, rounded half to even.
pub(super) fn resize<const C: usize>(
    source: &[u8],
    size: (u32, u32),
    target: (u32, u32),
) -> Vec<u8> {
    let columns = taps(size.0, target.0);
    let width = target.0 as usize * C;
    let mut narrowed = vec![0.0; width * size.1 as usize];
    let rows = source.chunks_exact(size.0 as usize * C);
    for (row, samples) in rows.zip(narrowed.chunks_exact_mut(width)) {
        across::<C>(row, &columns, samples);
    }
    let mut result = vec![0; width * target.1 as usize];
    for (tap, line) in taps(size.1, target.1)
        .iter()
        .zip(result.chunks_exact_mut(width))
    {
        down(&narrowed, width, tap, line);
    }
    result
}

fn across<const C: usize>(row: &[u8], columns: &[Taps], samples: &mut [f32]) {
    for (tap, pixel) in columns.iter().zip(samples.chunks_exact_mut(C)) {
        for (c, sample) in pixel.iter_mut().enumerate() {
            let parts = tap.indices.iter().zip(tap.weights);
            *sample = parts.map(|(i, w)| f32::from(row[i * C + c]) * w).sum();
        }
    }
}

fn down(narrowed: &[f32], width: usize, tap: &Taps, line: &mut [u8]) {
    let [a, b, c, d] = tap.indices.map(|i| &narrowed[i * width..][..width]);
    let [wa, wb, wc, wd] = tap.weights;
    for (x, level) in line.iter_mut().enumerate() {
        let sum = a[x] * wa + b[x] * wb + c[x] * wc + d[x] * wd;
        // The cast saturates: a cubic overshoots at edges.
        *level = sum.round_ties_even() as u8;
    }
}

fn taps(source: u32, target: u32) -> Vec<Taps> {
    let scale = 1.0 / (f64::from(target) / f64::from(source));
    let last = i64::from(source) - 1;
    let tap = |index: u32| {
        let place = ((f64::from(index) + 0.5) * scale - 0.5) as f32;
        let floor = place.floor();
        let at = |offset: i64| (floor as i64 + offset).clamp(0, last) as usize;
        Taps {
            indices: [at(-1), at(0), at(1), at(2)],
            weights: weights(place - floor),
        }
    };
    (0..target).map(tap).collect()
}

/// Weights of the four neighbours of a place `x` in 0..1 beyond the second of them.
pub(super) fn weights(x: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let outer = |d: f32| ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A;
    let inner = |d: f32| ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0;
    let [a, b, c] = [outer(x + 1.0), inner(x), inner(1.0 - x)];
    [a, b, c, 1.0 - a - b - c]
}
