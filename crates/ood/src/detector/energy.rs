use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::numeric::log_sum_exp;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Free energy of the logits: `-T ln sum exp(l / T)`.
///
/// Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020 (arXiv 2010.03759).
#[derive(Debug)]
pub(crate) struct Energy {
    classes: usize,
    temperature: f64,
}

impl Energy {
    pub(crate) const NAME: &'static str = "energy";

    pub(crate) fn fit(context: &FitContext<'_>, temperature: f64) -> Result<Self, Reason> {
        Ok(Self {
            classes: context.logits()?.columns(),
            temperature,
        })
    }

    pub(crate) fn load(from: &StateReader, temperature: f64) -> Result<Self, StateError> {
        Ok(Self {
            classes: from.section(Self::NAME).count("classes")?,
            temperature,
        })
    }
}

impl OodDetector for Energy {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let logits = query.logits(self.classes)?.iter();
        let scaled = logits.map(|&logit| f64::from(logit) / self.temperature);
        finite(Self::NAME, -self.temperature * log_sum_exp(scaled))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME)
            .number("classes", self.classes as f64);
    }
}
