use faer::Mat;

use super::pca::{Keep, Principal, enough_images, principal_axes};
use super::precision::floor;
use super::{WithinClass, centred, dot64, product};
use crate::Matrix;
use crate::error::FitError;

/// Axes of the shared covariance that are kept.
const SHARED_AXES: usize = 128;
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
    /// The axes in double precision, shape `[D, r]`.
    basis: Mat<f64>,
    /// Coordinates of the class means along the axes.
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
    /// Fits the covariance that classes share along its largest axes.
    pub(crate) fn fit(within: &WithinClass, dimensions: usize) -> Result<Self, FitError> {
        let spread = &within.spread;
        let (shrinkage, mean_variance) = spread.ledoit_wolf();
        let Principal { variances, axes } = spread.leading(SHARED_AXES)?;
        let shrunk = |variance: f64| (1.0 - shrinkage) * variance + shrinkage * mean_variance;
        let floor = floor(shrunk(variances.first().copied().unwrap_or(0.0)));
        let rank = axes.len();
        let left = (spread.trace() - variances.iter().sum::<f64>()).max(0.0);
        let rest = shrunk(left / (dimensions - rank).max(1) as f64).max(floor);
        let basis = Mat::from_fn(dimensions, rank.max(1), |i, j| {
            axes.get(j).map_or(0.0, |axis| axis[i])
        });
        let mut inverse_roots: Vec<f64> = variances
            .iter()
            .map(|&variance| 1.0 / shrunk(variance).max(floor).sqrt())
            .collect();
        inverse_roots.resize(rank.max(1), 1.0 / rest.sqrt());
        let project = |mean: &Vec<f64>| {
            let along = axes.iter().map(|axis| dot64(axis, mean));
            along
                .chain(std::iter::repeat(0.0))
                .take(rank.max(1))
                .collect()
        };
        Ok(Self {
            axes: Matrix::from_fn(rank.max(1), dimensions, |i, j| basis[(j, i)] as f32),
            basis,
            inverse_roots,
            inverse_rest: 1.0 / rest,
            projected: within.means.iter().map(project).collect(),
        })
    }

    /// Fits what is a class's own in the whitened space.
    pub(crate) fn class_shape(
        &self,
        features: &Matrix,
        rows: &[usize],
        mean: &[f64],
    ) -> Result<ClassShape, FitError> {
        let rank = self.inverse_roots.len();
        let step = rows.len().div_ceil(enough_images(rank)).max(1);
        let rows: Vec<usize> = rows.iter().copied().step_by(step).collect();
        let deviations = centred(features, &rows, mean);
        let mut white = product(deviations.as_ref(), self.basis.as_ref());
        for (column, root) in white.col_iter_mut().zip(&self.inverse_roots) {
            column.iter_mut().for_each(|value| *value *= root);
        }
        let images = rows.len() as f64;
        let own = OWN_AXES.min(rows.len()).min(rank);
        let Principal { variances, axes } = principal_axes(&white, TOLERANCE, Keep::Count(own))?;
        let own = axes.len();
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
