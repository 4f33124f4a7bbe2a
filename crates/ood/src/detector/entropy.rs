use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Entropy of the class probabilities: `-sum p ln p`, in `0..=ln C`.
#[derive(Debug)]
pub(crate) struct Entropy {
    classes: usize,
}

impl Entropy {
    pub(crate) const NAME: &'static str = "entropy";

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

impl OodDetector for Entropy {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let probabilities = query
            .probabilities(self.classes)?
            .iter()
            .map(|&p| f64::from(p));
        let terms = probabilities.filter(|&p| p > 0.0).map(|p| -p * p.ln());
        finite(Self::NAME, terms.sum())
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME)
            .number("classes", self.classes as f64);
    }
}
