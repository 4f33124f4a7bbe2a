use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use straylight_core::RgbImage;

use super::NearDuplicateOptions;

/// Columns and rows of the picture that is hashed.
const GRID: (u64, u64) = (9, 8);

/// Most samples along each side of a cell: enough for an average, few for a large image.
const SAMPLES: u64 = 16;

/// Holds back images whose hash is close to that of one that passed.
#[derive(Debug)]
pub(super) struct NearDuplicates {
    options: NearDuplicateOptions,
    seen: HashState,
}

/// The hashes of the images that passed last, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct HashState(VecDeque<u64>);

impl NearDuplicates {
    pub(super) fn new(options: NearDuplicateOptions, seen: HashState) -> Self {
        Self { options, seen }
    }

    /// Remembers the hash unless it is close to one that is remembered.
    pub(super) fn admit(&mut self, hash: u64) -> bool {
        let is_close = |seen: &u64| (seen ^ hash).count_ones() <= self.options.max_distance;
        if self.seen.0.iter().any(is_close) {
            return false;
        }
        self.seen.0.push_back(hash);
        while self.seen.0.len() > self.options.memory {
            self.seen.0.pop_front();
        }
        true
    }

    pub(super) fn state(&self) -> HashState {
        self.seen.clone()
    }
}

/// The difference hash of an image: 64 bits that change little when the image does.
///
/// The image is averaged to 9 x 8 grey cells; each bit says whether a cell is darker than its
/// right neighbour (dHash, N. Krawetz, "Kind of Like That", 2013).
pub(super) fn perceptual_hash(image: &RgbImage) -> u64 {
    let mut hash = 0;
    for row in 0..GRID.1 {
        let mut left = grey(image, 0, row);
        for column in 1..GRID.0 {
            let right = grey(image, column, row);
            hash = hash << 1 | u64::from(left < right);
            left = right;
        }
    }
    hash
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
