use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::kernels::mat_vec;
use crate::numeric::log_sum_exp;
use crate::state::{StateError, StateReader};
use crate::{Matrix, OodScore, Query, StateWriter};

/// Nearest-neighbour guidance: minus the energy of the logits times the mean similarity to the
/// `k` most similar fitted images, each weighted by its own energy.
///
/// Park et al., "Nearest Neighbor Guidance for Out-of-Distribution Detection", ICCV 2023 (arXiv
/// 2309.14888), with the whole training set as the bank.
#[derive(Debug)]
pub(crate) struct NnGuide {
    /// Unit features times `ln sum exp(l)`, one row an image.
    bank: Matrix,
    classes: usize,
    k: usize,
}

impl NnGuide {
    pub(crate) const NAME: &'static str = "nnguide";

    pub(crate) fn fit(context: &FitContext<'_>, k: usize) -> Result<Self, Reason> {
        context.needs_images(1)?;
        let logits = context.logits()?;
        let energies: Vec<f64> = logits.iter_rows().map(confidence).collect();
        let unit = context.view(true);
        let value = |i: usize, j: usize| (f64::from(unit.row(i)[j]) * energies[i]) as f32;
        let bank = Matrix::from_fn(unit.rows(), unit.columns(), value);
        Ok(Self {
            bank,
            classes: logits.columns(),
            k,
        })
    }

    pub(crate) fn load(from: &StateReader, k: usize) -> Result<Self, StateError> {
        let section = from.section(Self::NAME);
        let classes = section.count("classes")?;
        Ok(Self {
            bank: section.matrix("bank")?,
            classes,
            k,
        })
    }
}

fn confidence(logits: &[f32]) -> f64 {
    log_sum_exp(logits.iter().map(|&logit| f64::from(logit)))
}

impl OodDetector for NnGuide {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.unit_features(self.bank.columns())?;
        let mut similarities = vec![0.0; self.bank.rows()];
        mat_vec(self.bank.data(), features, &mut similarities);
        let k = self.k.clamp(1, similarities.len().max(1));
        similarities.sort_unstable_by(|a, b| b.total_cmp(a));
        let top = similarities
            .iter()
            .take(k)
            .map(|&s| f64::from(s))
            .sum::<f64>()
            / k as f64;
        finite(Self::NAME, -top * confidence(query.logits(self.classes)?))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::NAME);
        section.matrix("bank", &self.bank);
        section.number("classes", self.classes as f64);
    }
}
