use crate::RgbImage;
use serde::{Deserialize, Serialize};

/// A 64-bit difference hash: images that look alike have hashes that differ in few bits.
///
/// The image is averaged to 9 x 8 grey cells; each bit says whether a cell is darker than its
/// right neighbour (dHash, N. Krawetz, "Kind of Like That", 2013). It survives other sizes,
/// compression and brightness. Queues on disk keep such hashes: its bits must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerceptualHash(pub u64);

/// Columns and rows of the picture that is hashed.
const GRID: (u64, u64) = (9, 8);

/// Most samples along each side of a cell: enough for an average, few for a large image.
const SAMPLES: u64 = 16;

impl PerceptualHash {
    /// The hash of an image.
    pub fn of(image: &RgbImage) -> Self {
        let mut bits = 0;
        for row in 0..GRID.1 {
            let mut left = grey(image, 0, row);
            for column in 1..GRID.0 {
                let right = grey(image, column, row);
                bits = bits << 1 | u64::from(left < right);
                left = right;
            }
        }
        Self(bits)
    }

    /// In how many of 64 bits two hashes differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// Average brightness of a cell, times 1000, from evenly spread samples.
fn grey(image: &RgbImage, column: u64, row: u64) -> u64 {
    let (xs, ys) = (
        samples(image.width(), column, GRID.0),
        samples(image.height(), row, GRID.1),
    );
    let (mut sum, mut count) = (0, 0);
    for y in ys {
        for x in xs.clone() {
            let [r, g, b] = image.pixel(x, y).unwrap_or_default().map(u64::from);
            sum += 299 * r + 587 * g + 114 * b;
            count += 1;
        }
    }
    sum / count.max(1)
}

/// Where the samples of a cell lie along one side of the image; at least one.
fn samples(side: u32, cell: u64, cells: u64) -> impl Iterator<Item = u32> + Clone {
    let side = u64::from(side);
    let start = cell * side / cells;
    let length = ((cell + 1) * side / cells).saturating_sub(start).max(1);
    let count = length.min(SAMPLES);
    (0..count).map(move |i| (start + i * length / count).min(side - 1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(width: u32, height: u32, phase: f64, brightness: f64) -> RgbImage {
        let mut data = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (
                    f64::from(x) / f64::from(width),
                    f64::from(y) / f64::from(height),
                );
                let value = 100.0 + 60.0 * (9.0 * u + 5.0 * v + phase).sin() + brightness;
                data.extend([value as u8; 3]);
            }
        }
        RgbImage::new(width, height, data).unwrap()
    }

    #[test]
    fn size_and_brightness_change_little_and_content_much() {
        let hash = |image: &RgbImage| PerceptualHash::of(image);
        let original = hash(&waves(200, 150, 0.0, 0.0));
        assert!(original.distance(hash(&waves(90, 70, 0.0, 20.0))) <= 4);
        assert!(original.distance(hash(&waves(200, 150, 2.5, 0.0))) > 16);
        assert_eq!(hash(&waves(1, 1, 0.0, 0.0)), PerceptualHash(0));
    }

    #[test]
    fn the_bits_are_those_that_queues_on_disk_remember() {
        let brighter_to_the_right = |x: u32| (x * 255 / 89) as u8;
        let data = (0..80).flat_map(|_| (0..90).flat_map(|x| [brighter_to_the_right(x); 3]));
        let image = RgbImage::new(90, 80, data.collect()).unwrap();
        assert_eq!(PerceptualHash::of(&image), PerceptualHash(u64::MAX));
    }
}
