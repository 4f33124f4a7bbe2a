use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use straylight_core::PerceptualHash;

use super::NearDuplicateOptions;

/// Holds back images whose hash is close to that of one that passed.
#[derive(Debug)]
pub(super) struct NearDuplicates {
    options: NearDuplicateOptions,
    seen: HashState,
}

/// The hashes of the images that passed last, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct HashState(VecDeque<PerceptualHash>);

impl NearDuplicates {
    pub(super) fn new(options: NearDuplicateOptions, seen: HashState) -> Self {
        Self { options, seen }
    }

    /// Whether the hash is close to one that is remembered.
    pub(super) fn has(&self, hash: PerceptualHash) -> bool {
        let is_close = |seen: &PerceptualHash| seen.distance(hash) <= self.options.max_distance;
        self.seen.0.iter().any(is_close)
    }

    /// Remembers the hash of an image that passed.
    pub(super) fn passed(&mut self, hash: PerceptualHash) {
        self.seen.0.push_back(hash);
        while self.seen.0.len() > self.options.memory {
            self.seen.0.pop_front();
        }
    }

    pub(super) fn state(&self) -> HashState {
        self.seen.clone()
    }
}
