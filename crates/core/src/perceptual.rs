use crate::RgbImage;
use serde::{Deserialize, Serialize};

/// A 64-bit difference hash: images that look alike have hashes that differ in few bits.
///
/// The image is averaged down to 9 x 8 grey cells; each bit says whether a cell is brighter than
/// its right neighbour. It survives other sizes, compression and brightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerceptualHash(pub u64);

const COLUMNS: u64 = 9;
const ROWS: u64 = 8;

impl PerceptualHash {
    /// The hash of an image.
    pub fn of(image: &RgbImage) -> Self {
        let cells = grey_cells(image);
        let mut bits = 0_u64;
        for row in cells.chunks_exact(COLUMNS as usize) {
            for pair in row.windows(2) {
                bits = bits << 1 | u64::from(pair[0] > pair[1]);
            }
        }
        Self(bits)
    }

    /// In how many of 64 bits two hashes differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// Mean luma of 9 x 8 cells; small images repeat their pixels.
fn grey_cells(image: &RgbImage) -> Vec<u64> {
    let (width, height) = (u64::from(image.width()), u64::from(image.height()));
    let mut cells = Vec::with_capacity((COLUMNS * ROWS) as usize);
    let span = |index: u64, count: u64, side: u64| {
        let start = index * side / count;
        start..((index + 1) * side / count).max(start + 1)
    };
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let (mut sum, mut count) = (0, 0);
            for y in span(row, ROWS, height) {
                for x in span(column, COLUMNS, width) {
                    let [r, g, b] = image.pixel(x as u32, y as u32).unwrap_or_default();
                    sum += 299 * u64::from(r) + 587 * u64::from(g) + 114 * u64::from(b);
                    count += 1;
                }
            }
            cells.push(sum / count.max(1));
        }
    }
    cells
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
}
