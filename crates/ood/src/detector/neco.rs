use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::linalg::{Keep, Pca, column_means};
use crate::numeric::largest;
use crate::state::{StateError, StateReader};
use crate::{Matrix, OodScore, Query, StateWriter};

/// Dimensions that vary less than this are not stretched further.
const SMALLEST_DEVIATION: f64 = 1e-6;

/// Neural-collapse score: minus the part of a standardised feature vector's length that lies in
/// the principal space, times the largest logit.
///
/// Ammar et al., "NECO: `NEural` Collapse Based Out-of-distribution detection", ICLR 2024 (arXiv
/// 2310.06823), equation 5 with the logit factor of its section 5.
#[derive(Debug)]
pub(crate) struct Neco {
    /// Mean and inverse deviation of each dimension, shape `[2, D]`.
    standard: Matrix,
    axes: Pca,
    classes: usize,
}

impl Neco {
    pub(crate) const NAME: &'static str = "neco";

    pub(crate) fn fit(context: &FitContext<'_>, variance: f64) -> Result<Self, Reason> {
        context.needs_images(2)?;
        let classes = context.logits()?.columns();
        let features = context.features();
        let standard = standard(features);
        let mut rows = Vec::with_capacity(features.data().len());
        for row in features.iter_rows() {
            rows.extend(standardised(&standard, row));
        }
        let rows = Matrix::new(features.rows(), features.columns(), rows)
            .map_err(|error| Reason::Degenerate(error.to_string()))?;
        let all: Vec<usize> = (0..rows.rows()).collect();
        let origin = vec![0.0; features.columns()];
        let axes = Pca::fit_about(&rows, &all, &origin, Keep::Variance(variance))?;
        if axes.variances.is_empty() {
            return Err(Reason::Degenerate("the features are constant".to_owned()));
        }
        Ok(Self {
            standard,
            axes,
            classes,
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let section = from.section(Self::NAME);
        let classes = section.count("classes")?;
        let axes = Pca::load(&section)?;
        Ok(Self {
            standard: section.matrix_of("standard", axes.dimensions())?,
            axes,
            classes,
        })
    }
}

/// Mean and inverse deviation of each column.
fn standard(features: &Matrix) -> Matrix {
    let means = column_means(features);
    let mut squares = vec![0.0; means.len()];
    for row in features.iter_rows() {
        for ((sum, &value), mean) in squares.iter_mut().zip(row).zip(&means) {
            *sum += (f64::from(value) - mean).powi(2);
        }
    }
    let count = features.rows().max(1) as f64;
    Matrix::from_fn(2, means.len(), |i, j| {
        let deviation = (squares[j] / count).sqrt().max(SMALLEST_DEVIATION);
        if i == 0 {
            means[j] as f32
        } else {
            (1.0 / deviation) as f32
        }
    })
}

fn standardised(standard: &Matrix, features: &[f32]) -> Vec<f32> {
    let parts = features.iter().zip(standard.row(0)).zip(standard.row(1));
    parts
        .map(|((value, mean), inverse)| (value - mean) * inverse)
        .collect()
}

impl OodDetector for Neco {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.standard.columns())?;
        let features = standardised(&self.standard, features);
        let coordinates = self.axes.coordinates(&features);
        let squares = |values: &[f32]| values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        let (inside, total) = (squares(&coordinates), squares(&features));
        let part = if total > 0.0 {
            (inside / total).min(1.0).sqrt()
        } else {
            0.0
        };
        finite(Self::NAME, -part * largest(query.logits(self.classes)?))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::NAME);
        self.axes.save(&mut section);
        section.matrix("standard", &self.standard);
        section.number("classes", self.classes as f64);
    }
}
