use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::knn::distance;
use super::neighbour_entropy::{check, label_entropy};
use super::{FitContext, Neighbour, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::knn::Bank;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Which distance is weighted by the entropy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The mean distance of the `k` nearest.
    Mean,
    /// The distance of the nearest.
    First,
}

impl Weight {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mean => "enwedi",
            Self::First => "enwedi_first",
        }
    }

    fn neighbour(self) -> Neighbour {
        match self {
            Self::Mean => Neighbour::Mean,
            Self::First => Neighbour::First,
        }
    }
}

/// Entropy-weighted distance: squared distance to the neighbours times the entropy of their labels.
///
/// From COOD (arXiv 2403.06874); the entropy is that of
/// [`DetectorSpec::NeighbourEntropy`](super::DetectorSpec::NeighbourEntropy), `1..=2`.
#[derive(Debug)]
pub(crate) struct EnWeDi {
    bank: Arc<Bank>,
    weight: Weight,
    k: usize,
}

impl EnWeDi {
    pub(crate) fn fit(
        context: &FitContext<'_>,
        weight: Weight,
        k: usize,
        normalise: bool,
    ) -> Result<Self, Reason> {
        check(context)?;
        Ok(Self {
            bank: context.bank(normalise),
            weight,
            k,
        })
    }

    pub(crate) fn load(
        from: &StateReader,
        weight: Weight,
        k: usize,
        normalise: bool,
    ) -> Result<Self, StateError> {
        Ok(Self {
            bank: Bank::load(from, normalise)?,
            weight,
            k,
        })
    }
}

impl OodDetector for EnWeDi {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let found = self.bank.neighbours(query)?;
        let distance = distance(&found, self.weight.neighbour(), true, self.k);
        finite(
            self.weight.name(),
            distance * label_entropy(&self.bank, &found, self.k),
        )
    }

    fn prepare(&self, queries: &[Query<'_>]) {
        self.bank.prepare(queries);
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.bank.save(to);
    }
}
