use std::sync::Arc;

use super::{FitContext, OodDetector, Reason, finite, shared_head};
use crate::error::ScoreError;
use crate::numeric::quantile;
use crate::state::{StateError, StateReader};
use crate::{Head, OodScore, Query, StateWriter};

/// Rectified activations: energy of the logits of features that are cut off at a percentile.
///
/// Sun et al., "ReAct: Out-of-distribution Detection With Rectified Activations", NeurIPS 2021
/// (arXiv 2111.12797). The percentile is over all dimensions of all fitted images. Opt-in: it
/// depends on the architecture.
#[derive(Debug)]
pub(crate) struct React {
    head: Arc<Head>,
    ceiling: f64,
}

impl React {
    pub(crate) const NAME: &'static str = "react";

    pub(crate) fn fit(context: &FitContext<'_>, percentile: f64) -> Result<Self, Reason> {
        context.needs_images(1)?;
        let head = shared_head::fit(context)?;
        let mut values: Vec<f64> = context
            .features()
            .data()
            .iter()
            .map(|&value| f64::from(value))
            .collect();
        values.sort_unstable_by(f64::total_cmp);
        Ok(Self {
            head,
            ceiling: quantile(&values, percentile / 100.0),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let ceiling = from.section(Self::NAME).number("ceiling")?;
        Ok(Self {
            head: shared_head::load(from)?,
            ceiling,
        })
    }
}

impl OodDetector for React {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.head.weight().columns())?;
        let cut: Vec<f64> = features
            .iter()
            .map(|&x| f64::from(x).min(self.ceiling))
            .collect();
        finite(Self::NAME, shared_head::energy(&self.head, &cut))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        shared_head::save(&self.head, to);
        to.section(Self::NAME).number("ceiling", self.ceiling);
    }
}
