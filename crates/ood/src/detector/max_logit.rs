use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::numeric::largest;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Maximum logit: `-max l`.
///
/// Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings" (arXiv
/// 1911.11132).
#[derive(Debug)]
pub(crate) struct MaxLogit {
    classes: usize,
}

impl MaxLogit {
    pub(crate) const NAME: &'static str = "max_logit";

    pub(crate) fn fit(context: &FitContext<'_>) -> Result<Self, Reason> {
        Ok(Self {
            classes: context.logits()?.columns(),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        Ok(Self {
            classes: from.section(Self::NAME).count("classes")?,
        })
    }
}

impl OodDetector for MaxLogit {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        finite(Self::NAME, -largest(query.logits(self.classes)?))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME)
            .number("classes", self.classes as f64);
    }
}
