use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::linalg::{class_means, column_means};
use crate::numeric::argmax;
use crate::state::{StateError, StateReader};
use crate::{Matrix, OodScore, Query, StateWriter};

/// Simplified Hopfield energy: minus the inner product with the predicted class's pattern.
///
/// Zhang et al., "Out-of-Distribution Detection based on In-Distribution Data Patterns
/// Memorization with Modern Hopfield Energy", ICLR 2023. A class's pattern is the mean feature
/// vector of its rightly classified images; of all images for a class without such.
#[derive(Debug)]
pub(crate) struct She {
    patterns: Matrix<f64>,
}

impl She {
    pub(crate) const NAME: &'static str = "she";

    pub(crate) fn fit(context: &FitContext<'_>) -> Result<Self, Reason> {
        context.needs_images(1)?;
        let classes = context.needs_class_scores()?;
        let scores = context.set().class_scores().ok_or(Reason::OneClass)?;
        let right = |class: usize, row: &usize| argmax(scores.row(*row)) == class;
        let rows: Vec<Vec<usize>> = context
            .class_rows()?
            .iter()
            .enumerate()
            .map(|(class, rows)| {
                rows.iter()
                    .filter(|row| right(class, row))
                    .copied()
                    .collect()
            })
            .collect();
        let means = class_means(context.features(), &rows);
        let overall = column_means(context.features());
        let pattern = |class: usize| {
            if rows[class].is_empty() {
                &overall
            } else {
                &means[class]
            }
        };
        let value = |class: usize, j: usize| pattern(class)[j];
        Ok(Self {
            patterns: Matrix::from_fn(classes, context.features().columns(), value),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        Ok(Self {
            patterns: from.section(Self::NAME).matrix64("patterns")?,
        })
    }
}

impl OodDetector for She {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.patterns.columns())?;
        let class = argmax(query.class_scores(self.patterns.rows())?);
        let pattern = self.patterns.row(class);
        let product = features
            .iter()
            .zip(pattern)
            .map(|(&x, mean)| f64::from(x) * mean);
        finite(Self::NAME, -product.sum::<f64>())
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::NAME).matrix64("patterns", &self.patterns);
    }
}
