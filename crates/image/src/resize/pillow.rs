use super::Size;

/// Weights have 22 bits behind the point, so that a sum of 8-bit levels fits 32 bits.
const BITS: u32 = 22;
/// Half of the last place: sums are rounded, halves up.
const HALF: i32 = 1 << (BITS - 1);
const CHANNELS: usize = 3;

/// A filter of Pillow's `Image.resize`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    /// How far it reaches, in pixels of the smaller grid.
    reach: f64,
    weight: fn(f64) -> f64,
}

/// Pillow's `BILINEAR`.
pub(super) const BILINEAR: Filter = Filter {
    reach: 1.0,
    weight: |distance| (1.0 - distance).max(0.0),
};

/// Pillow's `BICUBIC`: Keys' kernel with a = -0.5.
pub(super) const BICUBIC: Filter = Filter {
    reach: 2.0,
    weight: |x| {
        const A: f64 = -0.5;
        if x < 1.0 {
            ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
        } else if x < 2.0 {
            (((x - 5.0) * x + 8.0) * x - 4.0) * A
        } else {
            0.0
        }
    },
};

/// The old pixels that a new one is made of: the first, and the weights from there on.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Each new pixel is a weighted mean of all that it covers, as in Pillow's `Image.resize`:
/// columns first, each pass rounded to 8 bits (`src/libImaging/Resample.c`).
pub(super) fn resize(data: &[u8], size: Size, target: Size, filter: Filter) -> Vec<u8> {
    let across;
    let data = if size.0 == target.0 {
        data
    } else {
        across = columns(data, size.0 as usize, &taps(size.0, target.0, filter));
        &across
    };
    if size.1 == target.1 {
        return data.to_vec();
    }
    let width = target.0 as usize * CHANNELS;
    rows(data, width, &taps(size.1, target.1, filter))
}

fn taps(source: u32, target: u32, filter: Filter) -> Vec<Taps> {
    let scale = f64::from(source) / f64::from(target);
    // When it shrinks, the filter is as wide as what a new pixel covers.
    let stretch = scale.max(1.0);
    let reach = filter.reach * stretch;
    let taps = (0..target).map(|place| {
        let centre = (f64::from(place) + 0.5) * scale;
        let first = ((centre - reach + 0.5) as i64).max(0);
        let end = ((centre + reach + 0.5) as i64).min(i64::from(source));
        let weights: Vec<f64> = (first..end)
            .map(|pixel| (filter.weight)(((pixel as f64 - centre + 0.5) / stretch).abs()))
            .collect();
        let sum: f64 = weights.iter().sum();
        Taps {
            first: first as usize,
            weights: weights.iter().map(|weight| fixed(weight / sum)).collect(),
        }
    });
    taps.collect()
}

fn fixed(weight: f64) -> i32 {
    (weight * f64::from(1 << BITS)).round() as i32
}

fn level(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

fn columns(data: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let mut scaled = Vec::with_capacity(data.len() / width.max(1) * taps.len());
    for row in data.chunks_exact(width * CHANNELS) {
        let (pixels, _) = row.as_chunks::<CHANNELS>();
        for tap in taps {
            let mut sums = [HALF; CHANNELS];
            let covered = pixels.get(tap.first..).unwrap_or_default();
            for (pixel, weight) in covered.iter().zip(&tap.weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            scaled.extend(sums.map(level));
        }
    }
    scaled
}

fn rows(data: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let mut scaled = Vec::with_capacity(width * taps.len());
    let mut sums = vec![HALF; width];
    for tap in taps {
        sums.fill(HALF);
        let covered = data.chunks_exact(width).skip(tap.first);
        for (row, weight) in covered.zip(&tap.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        scaled.extend(sums.iter().map(|&sum| level(sum)));
    }
    scaled
}
