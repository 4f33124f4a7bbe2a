use faer::Mat;
use faer::linalg::matmul::matmul;
use faer::{Accum, Par};

use super::pca::{principal_axes, spectrum};
use crate::Matrix;
use crate::error::FitError;

/// Variances below this part of the largest count as none: they are rounding errors of the
/// single-precision features.
const TOLERANCE: f64 = 1e-10;
/// Covariances of more images than this many per dimension (and than [`MOST_IMAGES`]) are taken
/// from an even sample: more would change their entries by less than the images' own noise.
const IMAGES_PER_DIMENSION: usize = 4;
const MOST_IMAGES: usize = 4096;
/// How many rows are widened to double precision at once.
const BLOCK: usize = 512;

/// The covariance of images about their class means.
#[derive(Debug)]
pub(crate) struct Spread {
    /// Variances along the axes, descending.
    pub(crate) variances: Vec<f64>,
    /// Orthonormal axes.
    pub(crate) axes: Vec<Vec<f64>>,
    /// Mean fourth power of the deviations' lengths.
    fourth: f64,
    images: usize,
    dimensions: usize,
}

impl Spread {
    /// Decomposes the covariance of the rows of each class about its mean.
    pub(crate) fn fit(
        features: &Matrix,
        class_rows: &[Vec<usize>],
        means: &[Vec<f64>],
    ) -> Result<Self, FitError> {
        let classes = class_rows.iter().zip(means);
        let all: Vec<(usize, &[f64])> = classes
            .flat_map(|(rows, mean)| rows.iter().map(move |&row| (row, mean.as_slice())))
            .collect();
        let dimensions = features.columns();
        let most = MOST_IMAGES.max(IMAGES_PER_DIMENSION * dimensions);
        let rows: Vec<(usize, &[f64])> = all
            .iter()
            .copied()
            .step_by(all.len().div_ceil(most).max(1))
            .collect();
        let images = rows.len();
        let mut fourth = 0.0;
        let mut block = |part: &[(usize, &[f64])]| {
            let block = deviations(features, part);
            let powers = block.row_iter().map(|row| row.squared_norm_l2().powi(2));
            fourth += powers.sum::<f64>() / images.max(1) as f64;
            block
        };
        let (variances, axes) = if images < dimensions {
            principal_axes(&block(&rows), TOLERANCE)?
        } else {
            let mut scatter = Mat::zeros(dimensions, dimensions);
            for part in rows.chunks(BLOCK) {
                let part = block(part);
                matmul(
                    scatter.as_mut(),
                    Accum::Add,
                    part.transpose(),
                    &part,
                    1.0,
                    Par::Seq,
                );
            }
            spectrum(&scatter, images, TOLERANCE)?
        };
        Ok(Self {
            variances,
            axes,
            fourth,
            images,
            dimensions,
        })
    }

    /// How far to shrink towards the mean variance, `0..=1`, and that variance.
    ///
    /// Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    /// 2004. With `S = X^T X / n`, `mu = tr S / D`: `delta = (|S|^2 - D mu^2) / D`,
    /// `beta = (sum |x_i|^4 / n - |S|^2) / (n D)`, shrinkage `beta / delta` within `0..=1`.
    pub(crate) fn ledoit_wolf(&self) -> (f64, f64) {
        let (n, dimensions) = (self.images.max(1) as f64, self.dimensions as f64);
        let mean_variance = self.variances.iter().sum::<f64>() / dimensions;
        let squared: f64 = self.variances.iter().map(|variance| variance.powi(2)).sum();
        let delta = (squared - dimensions * mean_variance.powi(2)) / dimensions;
        let beta = (self.fourth - squared) / (n * dimensions);
        let shrinkage = if delta > 0.0 {
            (beta / delta).clamp(0.0, 1.0)
        } else {
            1.0
        };
        (shrinkage, mean_variance)
    }
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
