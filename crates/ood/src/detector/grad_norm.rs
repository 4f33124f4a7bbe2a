use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::numeric::probabilities64;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Gradient norm in closed form: `-|z|_1 sum |p - 1/C|`.
///
/// Huang et al., "On the Importance of Gradients for Detecting Distributional Shifts in the
/// Wild", NeurIPS 2021: the L1 norm of the gradient of the mean cross-entropy to the uniform
/// distribution with respect to the last layer's weights factors into these two. Opt-in: it
/// depends on the architecture.
#[derive(Debug)]
pub(crate) struct GradNorm {
    classes: usize,
    dimensions: usize,
}

impl GradNorm {
    pub(crate) const NAME: &'static str = "grad_norm";

    pub(crate) fn fit(context: &FitContext<'_>) -> Result<Self, Reason> {
        let classes = context.needs_class_scores()?;
        Ok(Self {
            classes,
            dimensions: context.features().columns(),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let section = from.section(Self::NAME);
        Ok(Self {
            classes: section.count("classes")?,
            dimensions: section.count("dimensions")?,
        })
    }
}

impl OodDetector for GradNorm {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.dimensions)?;
        let length: f64 = features.iter().map(|&value| f64::from(value).abs()).sum();
        let even = 1.0 / self.classes as f64;
        let away: f64 = probabilities64(query, self.classes)?
            .iter()
            .map(|(p, _)| (p - even).abs())
            .sum();
        finite(Self::NAME, -length * away)
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::NAME);
        section.number("classes", self.classes as f64);
        section.number("dimensions", self.dimensions as f64);
    }
}
