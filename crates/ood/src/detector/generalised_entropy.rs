use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::numeric::probabilities64;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Generalised entropy: `sum p^g (1 - p)^g` over the `top` largest probabilities, 0 or more.
///
/// Liu et al., "GEN: Pushing the Limits of Softmax-Based Out-of-Distribution Detection",
/// CVPR 2023, equation 3; a sum as there (not a mean). Small probabilities count much
/// (`1e-10 ^ 0.1 = 0.1`), so they are taken from the logits in double precision.
#[derive(Debug)]
pub(crate) struct Gen {
    classes: usize,
    gamma: f64,
    top: usize,
}

impl Gen {
    pub(crate) const NAME: &'static str = "gen";

    pub(crate) fn fit(
        context: &FitContext<'_>,
        gamma: f64,
        top: Option<usize>,
    ) -> Result<Self, Reason> {
        let classes = context.needs_class_scores()?;
        Ok(Self {
            classes,
            gamma,
            top: top.unwrap_or(classes).clamp(1, classes),
        })
    }

    pub(crate) fn load(
        from: &StateReader,
        gamma: f64,
        top: Option<usize>,
    ) -> Result<Self, StateError> {
        let classes = from.section(Self::NAME).count("classes")?;
        Ok(Self {
            classes,
            gamma,
            top: top.unwrap_or(classes).min(classes),
        })
    }
}

impl OodDetector for Gen {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let mut pairs = probabilities64(query, self.classes)?;
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let term = |&(p, rest): &(f64, f64)| (p * rest).max(0.0).powf(self.gamma);
        finite(Self::NAME, pairs.iter().take(self.top).map(term).sum())
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME)
            .number("classes", self.classes as f64);
    }
}
