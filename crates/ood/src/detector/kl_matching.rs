use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::numeric::argmax;
use crate::state::{StateError, StateReader};
use crate::{Matrix, OodScore, Query, StateWriter};

/// Keeps logarithms of probabilities finite.
const TINY: f64 = 1e-38;

/// KL matching: smallest divergence `KL(p || mean p of a predicted class)`, 0 or more.
///
/// Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings", ICML 2022.
/// The means are over the fitted images that the model puts into the class; the minimum runs
/// over all classes that have such images.
#[derive(Debug)]
pub(crate) struct KlMatching {
    /// Mean probabilities of each predicted class, one row a class that occurs.
    means: Matrix<f64>,
}

impl KlMatching {
    pub(crate) const NAME: &'static str = "kl_matching";

    pub(crate) fn fit(context: &FitContext<'_>) -> Result<Self, Reason> {
        let classes = context.needs_class_scores()?;
        let probabilities = context.probabilities()?;
        let mut sums = vec![(0_usize, vec![0.0_f64; classes]); classes];
        for row in probabilities.iter_rows() {
            let (count, sum) = &mut sums[argmax(row)];
            *count += 1;
            sum.iter_mut()
                .zip(row)
                .for_each(|(sum, &p)| *sum += f64::from(p));
        }
        sums.retain(|(count, _)| *count > 0);
        let mean = |i: usize, j: usize| sums[i].1[j] / sums[i].0 as f64;
        Ok(Self {
            means: Matrix::from_fn(sums.len(), classes, mean),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        Ok(Self {
            means: from.section(Self::NAME).matrix64("means")?,
        })
    }
}

fn divergence(p: &[f32], q: &[f64]) -> f64 {
    let terms = p.iter().zip(q).map(|(&p, &q)| {
        let p = f64::from(p);
        if p > 0.0 {
            p * (p / q.max(TINY)).ln()
        } else {
            0.0
        }
    });
    terms.sum()
}

impl OodDetector for KlMatching {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let p = query.probabilities(self.means.columns())?;
        let divergences = self.means.iter_rows().map(|mean| divergence(p, mean));
        finite(Self::NAME, divergences.fold(f64::INFINITY, f64::min))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME).matrix64("means", &self.means);
    }
}
