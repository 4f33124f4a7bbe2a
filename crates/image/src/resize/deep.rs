//! Scaling of 16-bit samples in `f32`, and the choice of filters of OpenVINO's `Interpolate`.

use crate::DeepImage;

/// Filters of OpenVINO's `Interpolate` (opset 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// `linear`: two neighbours along each axis.
    #[default]
    Linear,
    /// `cubic` with a = -0.75: four neighbours along each axis.
    Cubic,
    /// `nearest`, rounding halves down (`round_prefer_floor`).
    Nearest,
}

/// A target coordinate's neighbours in the source and their weights.
type Taps = Vec<(usize, f32)>;

/// Scales a 16-bit image as OpenVINO's `Interpolate` does on `f32`: nothing is rounded.
///
/// Gives `width * height * 3` samples. A side of 0 is taken for 1.
pub fn deep_openvino(
    image: &DeepImage,
    width: u32,
    height: u32,
    filter: Interpolation,
) -> Vec<f32> {
    let (width, height) = (width.max(1), height.max(1));
    let columns = taps(image.width(), width, filter);
    let source_row = image.width() as usize * 3;
    let row = width as usize * 3;
    let narrowed: Vec<f32> = image
        .data()
        .chunks_exact(source_row)
        .flat_map(|samples| across(samples, &columns))
        .collect();
    let mut result = vec![0.0; row * height as usize];
    for (tap, line) in taps(image.height(), height, filter)
        .iter()
        .zip(result.chunks_exact_mut(row))
    {
        for &(from, weight) in tap {
            let from = narrowed.get(from * row..(from + 1) * row).unwrap_or(&[]);
            for (sample, value) in line.iter_mut().zip(from) {
                *sample += value * weight;
            }
        }
    }
    result
}

fn across<'a>(samples: &'a [u16], columns: &'a [Taps]) -> impl Iterator<Item = f32> + 'a {
    let pixel = |place: usize, channel: usize| {
        let sample = samples.get(place * 3 + channel).copied();
        f32::from(sample.unwrap_or_default())
    };
    columns.iter().flat_map(move |tap| {
        [0, 1, 2].map(|channel| {
            tap.iter()
                .map(|&(place, weight)| pixel(place, channel) * weight)
                .sum()
        })
    })
}

/// A target coordinate `d` lies at `(d + 0.5) / scale - 0.5`, where scale is target / source.
fn taps(source: u32, target: u32, filter: Interpolation) -> Vec<Taps> {
    let scale = target as f32 / source as f32;
    let last = i64::from(source) - 1;
    let inside = |place: i64| place.clamp(0, last) as usize;
    let tap = |index: u32| -> Taps {
        if source == target {
            return vec![(index as usize, 1.0)];
        }
        let place = (index as f32 + 0.5) / scale - 0.5;
        match filter {
            Interpolation::Nearest => vec![(inside((place - 0.5).ceil() as i64), 1.0)],
            Interpolation::Linear => {
                let place = place.clamp(0.0, last as f32);
                let floor = place.floor();
                let part = place - floor;
                let first = floor as i64;
                vec![(inside(first), 1.0 - part), (inside(first + 1), part)]
            }
            Interpolation::Cubic => {
                let floor = place.floor();
                let weights = super::cubic::weights(place - floor);
                let first = floor as i64 - 1;
                let places = (first..first + 4).map(inside);
                places.zip(weights).collect()
            }
        }
    };
    (0..target).map(tap).collect()
}

/// Interleaved 8-bit samples at the nearest places; sizes are (width, height).
pub(super) fn nearest(source: &[u8], size: (u32, u32), target: (u32, u32)) -> Vec<u8> {
    let place = |tap: &Taps| tap.first().map_or(0, |&(place, _)| place);
    let columns = taps(size.0, target.0, Interpolation::Nearest);
    let rows = taps(size.1, target.1, Interpolation::Nearest);
    let pixels = rows.iter().flat_map(|row| {
        let first = place(row) * size.0 as usize;
        columns
            .iter()
            .map(move |column| (first + place(column)) * 3)
    });
    pixels
        .flat_map(|at| [0, 1, 2].map(|channel| source.get(at + channel).copied().unwrap_or(0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_scaled_without_rounding() {
        let levels = [0_u16, 40_001, 65_535, 300];
        let image = DeepImage::new(4, 1, levels.into_iter().flat_map(|v| [v; 3]).collect());
        let image = image.unwrap();
        let red = |width, filter| -> Vec<f32> {
            let scaled = deep_openvino(&image, width, 1, filter);
            scaled.chunks_exact(3).map(|pixel| pixel[0]).collect()
        };
        assert_eq!(red(2, Interpolation::Linear), [20_000.5, 32_917.5]);
        assert_eq!(red(4, Interpolation::Cubic), levels.map(f32::from));
        // Places 0.5 and 2.5: halves go down.
        assert_eq!(red(2, Interpolation::Nearest), [0.0, 65_535.0]);
        assert_eq!(
            red(8, Interpolation::Nearest)[..4],
            [0.0, 0.0, 40_001.0, 40_001.0]
        );
    }

    #[test]
    fn eight_bits_take_the_nearest_level() {
        let source: Vec<u8> = (0..12).collect();
        assert_eq!(nearest(&source, (4, 1), (2, 1)), [0, 1, 2, 6, 7, 8]);
    }
}
