use super::{FitContext, OodDetector, Reason, finite, shared_head};
use crate::error::ScoreError;
use crate::linalg::column_means;
use crate::numeric::{quantile, sorted};
use crate::state::{StateError, StateReader};
use crate::{Head, Matrix, OodScore, Query, StateWriter};

/// Directed sparsification: energy of the logits that the strongest weights alone give.
///
/// Sun and Li, "DICE: Leveraging Sparsification for Out-of-Distribution Detection", ECCV 2022
/// (arXiv 2111.09805): weights are kept whose contribution `w mean(z)` lies above a percentile of
/// all. Opt-in: it depends on the architecture.
#[derive(Debug)]
pub(crate) struct Dice {
    sparse: Head,
}

impl Dice {
    pub(crate) const NAME: &'static str = "dice";

    pub(crate) fn fit(context: &FitContext<'_>, percentile: f64) -> Result<Self, Reason> {
        context.needs_images(1)?;
        let head = context.head()?;
        let mean = column_means(context.features());
        let weight = head.weight();
        let contribution = |i: usize, j: usize| f64::from(weight.row(i)[j]) * mean[j];
        let all: Vec<f64> = (0..weight.rows())
            .flat_map(|i| (0..mean.len()).map(move |j| (i, j)))
            .map(|(i, j)| contribution(i, j))
            .collect();
        let threshold = quantile(&sorted(&all), percentile / 100.0);
        let kept = Matrix::from_fn(weight.rows(), mean.len(), |i, j| {
            if contribution(i, j) > threshold {
                weight.row(i)[j]
            } else {
                0.0
            }
        });
        let sparse = Head::new(kept, head.bias().to_vec());
        Ok(Self {
            sparse: sparse.map_err(|error| Reason::Failed(error.to_string()))?,
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let section = from.section(Self::NAME);
        let sparse = Head::new(section.matrix("weight")?, section.vector("bias")?);
        let sparse = sparse.map_err(|error| StateError::Unexpected {
            name: "dice.weight".to_owned(),
            expected: format!("a head ({error})"),
        })?;
        Ok(Self { sparse })
    }
}

impl OodDetector for Dice {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.sparse.weight().columns())?;
        let features: Vec<f64> = features.iter().map(|&value| f64::from(value)).collect();
        finite(Self::NAME, shared_head::energy(&self.sparse, &features))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::NAME);
        section.matrix("weight", self.sparse.weight());
        section.vector("bias", self.sparse.bias());
    }
}
