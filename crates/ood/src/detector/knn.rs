use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::knn::{Bank, Neighbours};
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Which of the `k` nearest images counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbour {
    /// The `k`-th nearest.
    Kth,
    /// The nearest.
    First,
    /// The mean of all `k`.
    Mean,
}

impl Neighbour {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kth => "knn",
            Self::First => "knn_first",
            Self::Mean => "knn_mean",
        }
    }
}

/// **Squared** Euclidean distance to the nearest fitted images.
///
/// Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022. Squared
/// as in faiss; on unit vectors it lies in `0..=4`. With fewer than `k` fitted images the last
/// of them counts.
#[derive(Debug)]
pub(crate) struct Knn {
    bank: Arc<Bank>,
    which: Neighbour,
    k: usize,
}

impl Knn {
    pub(crate) fn fit(
        context: &FitContext<'_>,
        which: Neighbour,
        k: usize,
        normalise: bool,
    ) -> Result<Self, Reason> {
        // One image more than the first: when it is left out itself, one must remain.
        context.needs_images(2)?;
        Ok(Self {
            bank: context.bank(normalise),
            which,
            k,
        })
    }

    pub(crate) fn load(
        from: &StateReader,
        which: Neighbour,
        k: usize,
        normalise: bool,
    ) -> Result<Self, StateError> {
        Ok(Self {
            bank: Bank::load(from, normalise)?,
            which,
            k,
        })
    }
}

/// The distance that counts among the `k` nearest.
pub(super) fn distance(found: &Neighbours, which: Neighbour, k: usize) -> f64 {
    let nearest = &found.distances[..found.distances.len().min(k)];
    let single = |value: Option<&f32>| value.map_or(f64::NAN, |&value| f64::from(value));
    match which {
        Neighbour::Kth => single(nearest.last()),
        Neighbour::First => single(nearest.first()),
        Neighbour::Mean => {
            nearest.iter().map(|&d| f64::from(d)).sum::<f64>() / nearest.len() as f64
        }
    }
}

impl OodDetector for Knn {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let found = self.bank.neighbours(query)?;
        finite(self.which.name(), distance(&found, self.which, self.k))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.bank.save(to);
    }
}
