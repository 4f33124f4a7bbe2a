use std::sync::Arc;

use super::ash::{growth, pruned};
use super::{FitContext, OodDetector, Reason, finite, shared_head};
use crate::error::ScoreError;
use crate::state::{StateError, StateReader};
use crate::{Head, OodScore, Query, StateWriter};

/// Activation scaling: energy of the logits of features times `exp(sum / sum of the largest)`.
///
/// Xu et al., "Scaling for Training Time and Post-hoc Out-of-distribution Detection Enhancement",
/// ICLR 2024 (arXiv 2310.00227). Unlike ASH nothing is removed. Opt-in: it depends on the
/// architecture.
#[derive(Debug)]
pub(crate) struct Scale {
    head: Arc<Head>,
    percentile: f64,
}

impl Scale {
    pub(crate) const NAME: &'static str = "scale";

    pub(crate) fn fit(context: &FitContext<'_>, percentile: f64) -> Result<Self, Reason> {
        Ok(Self {
            head: shared_head::fit(context)?,
            percentile,
        })
    }

    pub(crate) fn load(from: &StateReader, percentile: f64) -> Result<Self, StateError> {
        Ok(Self {
            head: shared_head::load(from)?,
            percentile,
        })
    }
}

impl OodDetector for Scale {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.head.weight().columns())?;
        let (_, before, after) = pruned(features, self.percentile);
        let scale = growth(before, after);
        let scaled: Vec<f64> = features
            .iter()
            .map(|&value| f64::from(value) * scale)
            .collect();
        finite(Self::NAME, shared_head::energy(&self.head, &scaled))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        shared_head::save(&self.head, to);
    }
}
