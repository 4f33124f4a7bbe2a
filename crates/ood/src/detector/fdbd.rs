use std::sync::Arc;

use super::{FitContext, OodDetector, Reason, finite, shared_head};
use crate::error::ScoreError;
use crate::linalg::column_means;
use crate::numeric::argmax;
use crate::state::{StateError, StateReader};
use crate::{Head, Matrix, OodScore, Query, StateWriter};

/// Minus the summed distance to the decision boundaries, per length of the centred features.
///
/// Liu and Qin, "Fast Decision Boundary based Out-of-Distribution Detector" (fDBD), ICML 2024
/// (arXiv 2312.11536): `sum_c |l_top - l_c| / |w_top - w_c| / |z - mean z|`.
#[derive(Debug)]
pub(crate) struct Fdbd {
    head: Arc<Head>,
    /// `|w_a - w_b|`, shape `[C, C]`.
    gaps: Matrix<f64>,
    mean: Vec<f64>,
}

impl Fdbd {
    pub(crate) const NAME: &'static str = "fdbd";

    pub(crate) fn fit(context: &FitContext<'_>) -> Result<Self, Reason> {
        if context.logits()?.columns() < 2 {
            return Err(Reason::OneClass);
        }
        let head = shared_head::fit(context)?;
        Ok(Self {
            gaps: gaps(&head),
            head,
            mean: column_means(context.features()),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let head = shared_head::load(from)?;
        let mean = from.section(Self::NAME).vector64("mean")?;
        Ok(Self {
            gaps: gaps(&head),
            head,
            mean,
        })
    }
}

/// Distances between the weight vectors of all pairs of classes.
fn gaps(head: &Head) -> Matrix<f64> {
    let distance = |a: &[f32], b: &[f32]| {
        let squares = a
            .iter()
            .zip(b)
            .map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let weight = head.weight();
    Matrix::from_fn(head.classes(), head.classes(), |i, j| {
        distance(weight.row(i), weight.row(j))
    })
}

impl OodDetector for Fdbd {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.mean.len())?;
        let logits = query.logits(self.head.classes())?;
        let top = argmax(logits);
        let terms = logits
            .iter()
            .zip(self.gaps.row(top))
            .filter(|&(_, &gap)| gap > 0.0);
        let boundaries: f64 = terms
            .map(|(&logit, gap)| (f64::from(logits[top]) - f64::from(logit)) / gap)
            .sum();
        let squares = features
            .iter()
            .zip(&self.mean)
            .map(|(&x, mean)| (f64::from(x) - mean).powi(2));
        let length = squares.sum::<f64>().sqrt().max(f64::MIN_POSITIVE.sqrt());
        finite(Self::NAME, -boundaries / length)
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        shared_head::save(&self.head, to);
        to.section(Self::NAME).vector64("mean", &self.mean);
    }
}
