use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::PerceptualHash;
use crate::kernels::squared_distance;
use crate::matrix::unit;

/// How alike two images must be to count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryOptions {
    /// Perceptual hashes that differ in at most this many of 64 bits are the same image.
    pub hash_bits: u32,
    /// Unit feature vectors at most this far apart are the same image; in `0..=2`.
    pub feature_distance: f64,
    /// How many images are remembered; the oldest is forgotten first.
    pub capacity: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            hash_bits: 4,
            feature_distance: 0.15,
            capacity: 10_000,
        }
    }
}

/// Remembers which images were kept, so that their near-duplicates are dropped.
///
/// Memory is bounded by [`MemoryOptions::capacity`]. It is plain data: write it as JSON (serde)
/// to survive a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DuplicateMemory {
    options: MemoryOptions,
    kept: VecDeque<Kept>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    hash: PerceptualHash,
    /// Unit feature vector; empty when the image came without features.
    features: Vec<f32>,
}

impl DuplicateMemory {
    /// An empty memory.
    pub fn new(options: MemoryOptions) -> Self {
        Self {
            options,
            kept: VecDeque::new(),
        }
    }

    /// Number of images remembered.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether no image is remembered.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether an image like this one was kept before; hashes are compared first.
    pub fn knows(&self, hash: PerceptualHash, features: Option<&[f32]>) -> bool {
        if self
            .kept
            .iter()
            .any(|kept| kept.hash.distance(hash) <= self.options.hash_bits)
        {
            return true;
        }
        let Some(features) = features else {
            return false;
        };
        let features: Vec<f32> = unit(features).collect();
        let limit = self.options.feature_distance.powi(2);
        self.kept
            .iter()
            .filter(|kept| kept.features.len() == features.len())
            .any(|kept| f64::from(squared_distance(&kept.features, &features)) <= limit)
    }

    /// Remembers an image, unless one like it was kept before; says whether it is new.
    pub fn keep(&mut self, hash: PerceptualHash, features: Option<&[f32]>) -> bool {
        if self.knows(hash, features) {
            return false;
        }
        let features = features
            .map(|features| unit(features).collect())
            .unwrap_or_default();
        self.kept.push_back(Kept { hash, features });
        while self.kept.len() > self.options.capacity {
            self.kept.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_known_by_hash_or_by_features() {
        let mut memory = DuplicateMemory::new(MemoryOptions::default());
        assert!(memory.keep(PerceptualHash(0), Some(&[1.0, 0.0])));
        assert!(
            !memory.keep(PerceptualHash(0b111), Some(&[0.0, 1.0])),
            "few bits differ"
        );
        assert!(
            !memory.keep(PerceptualHash(u64::MAX), Some(&[5.0, 0.1])),
            "features alike"
        );
        assert!(memory.keep(PerceptualHash(u64::MAX), Some(&[0.0, 1.0])));
        assert!(memory.keep(PerceptualHash(0xffff), None));
        let text = serde_json::to_string(&memory).unwrap();
        let again: DuplicateMemory = serde_json::from_str(&text).unwrap();
        assert_eq!(again, memory);
    }

    #[test]
    fn memory_is_bounded() {
        let options = MemoryOptions {
            hash_bits: 0,
            capacity: 3,
            ..MemoryOptions::default()
        };
        let mut memory = DuplicateMemory::new(options);
        for hash in 0..10 {
            assert!(memory.keep(PerceptualHash(hash), None));
        }
        assert_eq!(memory.len(), 3);
        assert!(!memory.knows(PerceptualHash(0), None) && memory.knows(PerceptualHash(9), None));
    }
}
