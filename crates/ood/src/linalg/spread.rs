use faer::Mat;

use super::pca::{Keep, MOST_DOUBLE, Principal, enough_images, lifted, principal_axes};
use super::stats::BLOCK;
use super::{Eigen, add_scatter, eigen, eigen_single, gram, product, squared_norm};
use crate::Matrix;
use crate::error::FitError;

/// Variances below this part of the largest count as none: they are rounding errors of the
/// single-precision features.
const TOLERANCE: f64 = 1e-10;

/// The covariance of images about their class means.
///
/// Of very many images an even sample is taken.
#[derive(Debug)]
pub(crate) struct Spread {
    form: Form,
    /// Sum of all variances.
    trace: f64,
    /// Sum of the squares of all variances.
    squared: f64,
    /// Mean fourth power of the deviations' lengths.
    fourth: f64,
    images: usize,
    dimensions: usize,
}

/// The smaller of two matrices with the same spectrum.
#[derive(Debug)]
enum Form {
    /// The covariance `X^T X / n`, shape `[D, D]`, lower triangle.
    Covariance(Mat<f64>),
    /// Deviations X, shape `[n, D]`, and `X X^T / n`, lower triangle; where `n < D`.
    Rows(Mat<f64>, Mat<f64>),
}

impl Spread {
    /// Measures the covariance of the rows of each class about its mean.
    pub(crate) fn fit(features: &Matrix, class_rows: &[Vec<usize>], means: &[Vec<f64>]) -> Self {
        let classes = class_rows.iter().zip(means);
        let all: Vec<(usize, &[f64])> = classes
            .flat_map(|(rows, mean)| rows.iter().map(move |&row| (row, mean.as_slice())))
            .collect();
        let dimensions = features.columns();
        let step = all.len().div_ceil(enough_images(dimensions)).max(1);
        let rows: Vec<(usize, &[f64])> = all.into_iter().step_by(step).collect();
        let count = rows.len().max(1) as f64;
        let mut fourth = 0.0;
        let mut block = |part: &[(usize, &[f64])]| {
            let block = deviations(features, part);
            fourth += fourth_powers(&block) / count;
            block
        };
        let form = if rows.len() < dimensions {
            let block = block(&rows);
            let gram = gram(&block) * faer::Scale(1.0 / count);
            Form::Rows(block, gram)
        } else {
            let mut scatter = Mat::zeros(dimensions, dimensions);
            for part in rows.chunks(BLOCK) {
                add_scatter(&mut scatter, &block(part));
            }
            Form::Covariance(scatter * faer::Scale(1.0 / count))
        };
        let (Form::Covariance(symmetric) | Form::Rows(_, symmetric)) = &form;
        Self {
            trace: (0..symmetric.nrows()).map(|i| symmetric[(i, i)]).sum(),
            squared: squared_norm(symmetric),
            form,
            fourth,
            images: rows.len(),
            dimensions,
        }
    }

    /// Sum of the variances in all directions.
    pub(crate) fn trace(&self) -> f64 {
        self.trace
    }

    /// The covariance (its lower triangle), unless there are fewer images than dimensions.
    pub(crate) fn covariance(&self) -> Option<&Mat<f64>> {
        match &self.form {
            Form::Covariance(covariance) => Some(covariance),
            Form::Rows(..) => None,
        }
    }

    /// All principal axes with their variances, in double precision.
    pub(crate) fn principal(&self) -> Result<Principal, FitError> {
        match &self.form {
            Form::Rows(rows, _) => principal_axes(rows, TOLERANCE, Keep::Count(usize::MAX)),
            Form::Covariance(covariance) => {
                let Eigen { values, vectors } =
                    cut(eigen(covariance, "the covariance")?, usize::MAX);
                Ok(Principal {
                    variances: values,
                    axes: vectors,
                })
            }
        }
    }

    /// The `most` leading axes with their variances.
    ///
    /// Many dimensions are decomposed in single precision; the variances along the axes found are
    /// measured in double precision.
    pub(crate) fn leading(&self, most: usize) -> Result<Principal, FitError> {
        let covariance = match &self.form {
            Form::Rows(rows, gram) => return leading_rows(rows, gram, most),
            Form::Covariance(covariance) => covariance,
        };
        if self.dimensions <= MOST_DOUBLE {
            let Eigen { values, vectors } = cut(eigen(covariance, "the covariance")?, most);
            return Ok(Principal {
                variances: values,
                axes: vectors,
            });
        }
        let Eigen { vectors, .. } = cut(eigen_single(covariance, "the covariance")?, most);
        Ok(Principal {
            variances: variances_along(covariance, &vectors),
            axes: vectors,
        })
    }

    /// How far to shrink towards the mean variance, `0..=1`, and that variance.
    ///
    /// Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    /// 2004. With `S = X^T X / n`, `mu = tr S / D`: `delta = (|S|^2 - D mu^2) / D`,
    /// `beta = (sum |x_i|^4 / n - |S|^2) / (n D)`, shrinkage `beta / delta` within `0..=1`.
    pub(crate) fn ledoit_wolf(&self) -> (f64, f64) {
        let (n, dimensions) = (self.images.max(1) as f64, self.dimensions as f64);
        let mean_variance = self.trace / dimensions;
        let delta = (self.squared - dimensions * mean_variance.powi(2)) / dimensions;
        let beta = (self.fourth - self.squared) / (n * dimensions);
        let shrinkage = if delta > 0.0 {
            (beta / delta).clamp(0.0, 1.0)
        } else {
            1.0
        };
        (shrinkage, mean_variance)
    }
}

/// The eigenvectors above the tolerance, at most so many.
fn cut(mut found: Eigen, most: usize) -> Eigen {
    let rank = found.rank(TOLERANCE).min(most);
    found.values.truncate(rank);
    found.vectors.truncate(rank);
    found
}

/// Leading axes of few rows from `X X^T / n`.
fn leading_rows(rows: &Mat<f64>, gram: &Mat<f64>, most: usize) -> Result<Principal, FitError> {
    let mut found = cut(eigen(gram, "the Gram matrix")?, most);
    let variances = found.values.clone();
    let n = rows.nrows().max(1) as f64;
    for value in &mut found.values {
        *value *= n;
    }
    let count = found.values.len();
    Ok(Principal {
        variances,
        axes: lifted(rows, &found, count),
    })
}

/// `v S v` of each axis `v`.
fn variances_along(covariance: &Mat<f64>, axes: &[Vec<f64>]) -> Vec<f64> {
    let n = covariance.nrows();
    let whole = Mat::from_fn(n, n, |i, j| covariance[(i.max(j), i.min(j))]);
    let basis = Mat::from_fn(n, axes.len(), |i, j| axes[j][i]);
    let image = product(whole.as_ref(), basis.as_ref());
    let along = |j: usize| (0..n).map(|i| basis[(i, j)] * image[(i, j)]).sum::<f64>();
    (0..axes.len()).map(|j| along(j).max(0.0)).collect()
}

/// Sum of the fourth powers of the rows' lengths.
fn fourth_powers(rows: &Mat<f64>) -> f64 {
    let mut squares = vec![0.0; rows.nrows()];
    for column in rows.col_iter() {
        for (sum, value) in squares.iter_mut().zip(column.iter()) {
            *sum += value * value;
        }
    }
    squares.iter().map(|square| square * square).sum()
}

/// Rows minus their means.
fn deviations(features: &Matrix, rows: &[(usize, &[f64])]) -> Mat<f64> {
    let mut out = Mat::zeros(rows.len(), features.columns());
    for (i, (row, mean)) in rows.iter().enumerate() {
        for (j, (&value, middle)) in features.row(*row).iter().zip(*mean).enumerate() {
            out[(i, j)] = f64::from(value) - middle;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn spread(images: usize, dimensions: usize) -> Spread {
        let mut random = Random::new(5);
        let value = |_, j: usize| (random.normal() * 0.98_f64.powi(j as i32)) as f32;
        let features = Matrix::from_fn(images, dimensions, value);
        let rows = [(0..images).collect()];
        let means = super::super::class_means(&features, &rows);
        Spread::fit(&features, &rows, &means)
    }

    #[test]
    fn leading_axes_are_the_first_principal_ones() {
        for (images, dimensions) in [(40, 60), (90, 60), (700, 600)] {
            let spread = spread(images, dimensions);
            let (all, few) = (spread.principal().unwrap(), spread.leading(5).unwrap());
            assert_eq!(few.axes.len(), 5);
            for i in 0..5 {
                let off = (all.variances[i] - few.variances[i]).abs();
                assert!(off < 1e-4 * all.variances[0], "{images} {i}");
                let along: f64 = all.axes[i]
                    .iter()
                    .zip(&few.axes[i])
                    .map(|(a, b)| a * b)
                    .sum();
                assert!(along > 0.999, "{images} {i}: {along}");
            }
            let total: f64 = all.variances.iter().sum();
            assert!((spread.trace() - total).abs() < 1e-9 * total);
            let squares: f64 = all.variances.iter().map(|v| v * v).sum();
            assert!((spread.squared - squares).abs() < 1e-9 * squares);
        }
    }
}
