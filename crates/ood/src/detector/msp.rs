use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::numeric::largest;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Maximum softmax probability: `1 - max p`, in `0..=1`.
///
/// Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
/// Examples in Neural Networks", ICLR 2017.
#[derive(Debug)]
pub(crate) struct Msp {
    classes: usize,
}

impl Msp {
    pub(crate) const NAME: &'static str = "msp";

    pub(crate) fn fit(context: &FitContext<'_>) -> Result<Self, Reason> {
        Ok(Self {
            classes: context.needs_class_scores()?,
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        Ok(Self {
            classes: from.section(Self::NAME).count("classes")?,
        })
    }
}

impl OodDetector for Msp {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        finite(
            Self::NAME,
            1.0 - largest(query.probabilities(self.classes)?),
        )
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME)
            .number("classes", self.classes as f64);
    }
}
