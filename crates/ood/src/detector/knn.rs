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

/// Which distance counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnnDistance {
    pub(crate) which: Neighbour,
    pub(crate) squared: bool,
    pub(crate) k: usize,
}

/// Euclidean distance to the nearest fitted images, squared or not.
///
/// Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022. On unit
/// vectors the squared distance lies in `0..=4`; faiss and the Geti SDK square it, the paper does
/// not. With fewer than `k` fitted images the last of them counts.
#[derive(Debug)]
pub(crate) struct Knn {
    bank: Arc<Bank>,
    counted: KnnDistance,
}

impl Knn {
    pub(crate) fn fit(
        context: &FitContext<'_>,
        counted: KnnDistance,
        normalise: bool,
    ) -> Result<Self, Reason> {
        // One image more than the first: when it is left out itself, one must remain.
        context.needs_images(2)?;
        Ok(Self {
            bank: context.bank(normalise),
            counted,
        })
    }

    pub(crate) fn load(
        from: &StateReader,
        counted: KnnDistance,
        normalise: bool,
    ) -> Result<Self, StateError> {
        Ok(Self {
            bank: Bank::load(from, normalise)?,
            counted,
        })
    }
}

/// The distance that counts among the `k` nearest.
pub(super) fn distance(found: &Neighbours, which: Neighbour, squared: bool, k: usize) -> f64 {
    let nearest = &found.distances[..found.distances.len().min(k)];
    let length = |&value: &f32| {
        let value = f64::from(value);
        if squared { value } else { value.sqrt() }
    };
    match which {
        Neighbour::Kth => nearest.last().map_or(f64::NAN, length),
        Neighbour::First => nearest.first().map_or(f64::NAN, length),
        Neighbour::Mean => nearest.iter().map(length).sum::<f64>() / nearest.len() as f64,
    }
}

impl OodDetector for Knn {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let found = self.bank.neighbours(query)?;
        let KnnDistance { which, squared, k } = self.counted;
        finite(which.name(), distance(&found, which, squared, k))
    }

    fn prepare(&self, queries: &[Query<'_>]) {
        self.bank.prepare(queries);
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.bank.save(to);
    }
}
