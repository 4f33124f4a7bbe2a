use faer::Mat;

use super::pca::principal_axes;
use super::precision::floor;
use super::spread::Spread;
use super::{class_means, dot64};
use crate::Matrix;
use crate::error::FitError;
use crate::kernels::mat_vec;

/// Axes of the shared covariance that are kept.
const SHARED_AXES: usize = 256;
/// Axes of its own that a class may have.
const OWN_AXES: usize = 32;
/// How many images the shared covariance counts as against a class's own.
const PRIOR_IMAGES: f64 = 30.0;
const TOLERANCE: f64 = 1e-10;

/// The covariance that all classes share, along its largest axes.
#[derive(Debug)]
pub(crate) struct PooledAxes {
    pub(crate) axes: Matrix,
    pub(crate) inverse_roots: Vec<f64>,
    pub(crate) inverse_rest: f64,
    pub(crate) means: Vec<Vec<f64>>,
    /// Coordinates of the means along the axes.
    pub(crate) projected: Vec<Vec<f64>>,
}

/// How a class differs from the shared covariance, in the space that it whitens.
#[derive(Debug)]
pub(crate) struct ClassShape {
    pub(crate) axes: Vec<Vec<f64>>,
    pub(crate) inverse: Vec<f64>,
    pub(crate) inverse_rest: f64,
    pub(crate) log_determinant: f64,
}

impl PooledAxes {
    /// Fits the shared covariance of the rows of each class about its mean.
    pub(crate) fn fit(features: &Matrix, class_rows: &[Vec<usize>]) -> Result<Self, FitError> {
        let means = class_means(features, class_rows);
        let dimensions = features.columns();
        let spread = Spread::fit(features, class_rows, &means)?;
        let (shrinkage, mean_variance) = spread.ledoit_wolf();
        let Spread {
            variances, axes, ..
        } = spread;
        let shrunk = |variance: f64| (1.0 - shrinkage) * variance + shrinkage * mean_variance;
        let floor = floor(shrunk(variances.first().copied().unwrap_or(0.0)));
        let rank = axes.len().min(SHARED_AXES);
        let left: f64 = variances[rank..].iter().sum();
        let rest = shrunk(left / (dimensions - rank).max(1) as f64).max(floor);
        let kept = &variances[..rank];
        let matrix = Matrix::from_fn(rank.max(1), dimensions, |i, j| {
            axes.get(i).map_or(0.0, |axis| axis[j] as f32)
        });
        let mut inverse_roots: Vec<f64> = kept
            .iter()
            .map(|&variance| 1.0 / shrunk(variance).max(floor).sqrt())
            .collect();
        inverse_roots.resize(rank.max(1), 1.0 / rest.sqrt());
        let project = |mean: &Vec<f64>| {
            let along = axes[..rank].iter().map(|axis| dot64(axis, mean));
            along
                .chain(std::iter::repeat(0.0))
                .take(rank.max(1))
                .collect()
        };
        let projected = means.iter().map(project).collect();
        Ok(Self {
            axes: matrix,
            inverse_roots,
            inverse_rest: 1.0 / rest,
            means,
            projected,
        })
    }

    /// Fits what is a class's own in the whitened space.
    pub(crate) fn class_shape(
        &self,
        features: &Matrix,
        rows: &[usize],
        class: usize,
    ) -> Result<ClassShape, FitError> {
        let rank = self.inverse_roots.len();
        let mut white = Mat::zeros(rows.len(), rank);
        let mut along = vec![0.0_f32; rank];
        for (i, &row) in rows.iter().enumerate() {
            mat_vec(self.axes.data(), features.row(row), &mut along);
            for (j, &value) in along.iter().enumerate() {
                white[(i, j)] =
                    (f64::from(value) - self.projected[class][j]) * self.inverse_roots[j];
            }
        }
        let images = rows.len() as f64;
        let (variances, mut axes) = principal_axes(&white, TOLERANCE)?;
        let own = variances.len().min(OWN_AXES).min(rows.len()).min(rank);
        axes.truncate(own);
        let drawn = |scatter: f64| (scatter + PRIOR_IMAGES) / (images + PRIOR_IMAGES);
        let inside: Vec<f64> = variances[..own]
            .iter()
            .map(|variance| drawn(variance * images))
            .collect();
        let left: f64 = variances[own..]
            .iter()
            .map(|variance| variance * images)
            .sum();
        let rest = drawn(left / (rank - own).max(1) as f64);
        let logarithms: f64 = inside.iter().map(|variance| variance.ln()).sum();
        Ok(ClassShape {
            axes,
            inverse: inside.iter().map(|variance| 1.0 / variance).collect(),
            inverse_rest: 1.0 / rest,
            log_determinant: logarithms + (rank - own) as f64 * rest.ln(),
        })
    }
}
