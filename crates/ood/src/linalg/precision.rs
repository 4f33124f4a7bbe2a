use super::pca::Principal;
use super::spread::Spread;
use crate::Matrix;
use crate::error::FitError;
use crate::kernels::mat_vec;
use crate::state::{SectionReader, SectionWriter, StateError};

/// A shrunk variance is at least this part of the largest, plus [`SMALLEST_VARIANCE`].
const VARIANCE_FLOOR: f64 = 1e-10;
const SMALLEST_VARIANCE: f64 = 1e-12;

/// The inverse of a covariance as axes with weights: never a `D x D` matrix when there are fewer
/// images than dimensions.
///
/// `x^T P x = sum_i w_i (v_i x)^2 + rest (|x|^2 - sum_i (v_i x)^2)` with orthonormal axes `v_i`.
#[derive(Debug, Clone)]
pub(crate) struct Precision {
    /// Orthonormal axes in double precision, shape `[r, D]`.
    axes: Vec<Vec<f64>>,
    weights: Vec<f64>,
    rest: f64,
}

impl Precision {
    /// Inverts a covariance: its pseudo-inverse, or the inverse of its Ledoit-Wolf estimate.
    pub(super) fn of(spread: &Spread, shrink: bool) -> Result<Self, FitError> {
        let (shrinkage, mean_variance) = spread.ledoit_wolf();
        let Principal { variances, axes } = spread.principal()?;
        if !shrink {
            let weights = variances.iter().map(|variance| 1.0 / variance).collect();
            return Ok(Self {
                axes,
                weights,
                rest: 0.0,
            });
        }
        let floor = floor(variances.first().copied().unwrap_or(0.0));
        let inverse = |variance: f64| {
            1.0 / ((1.0 - shrinkage) * variance + shrinkage * mean_variance).max(floor)
        };
        let weights = variances
            .iter()
            .map(|&variance| inverse(variance))
            .collect();
        Ok(Self {
            axes,
            weights,
            rest: inverse(0.0),
        })
    }

    /// `P v`.
    pub(crate) fn apply(&self, vector: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = vector.iter().map(|value| self.rest * value).collect();
        for (axis, weight) in self.axes.iter().zip(&self.weights) {
            let coordinate = dot64(axis, vector) * (weight - self.rest);
            out.iter_mut()
                .zip(axis)
                .for_each(|(out, value)| *out += coordinate * value);
        }
        out
    }
}

/// The smallest variance that is believed beside the largest.
pub(super) fn floor(largest: f64) -> f64 {
    VARIANCE_FLOOR * largest + SMALLEST_VARIANCE
}

pub(crate) fn dot64(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Squared Mahalanobis distances from an image to several means.
///
/// Axes and means are kept in single precision after whitening, except where the covariance is
/// not shrunk: there small variances need double precision.
#[derive(Debug, Clone)]
pub(crate) struct Distances {
    whitening: Whitening,
    /// Whitened means, shape `[C, r]`.
    whitened: Matrix<f64>,
    /// Plain means, shape `[C, D]`; used for what lies outside the axes.
    means: Matrix<f64>,
    /// Plain coordinates of the means along the axes are their whitened ones over these.
    roots: Vec<f64>,
    rest: f64,
}

#[derive(Debug, Clone)]
enum Whitening {
    Single(Matrix<f32>),
    Double(Matrix<f64>),
}

impl Distances {
    pub(crate) fn new(precision: &Precision, means: &[Vec<f64>], single: bool) -> Self {
        let dimensions = means.first().map_or(1, Vec::len);
        let axes = &precision.axes;
        let roots: Vec<f64> = precision
            .weights
            .iter()
            .map(|weight| weight.sqrt())
            .collect();
        let whitening = if single {
            Whitening::Single(Matrix::from_fn(axes.len(), dimensions, |i, j| {
                (axes[i][j] * roots[i]) as f32
            }))
        } else {
            let value = |i: usize, j: usize| axes[i][j] * roots[i];
            Whitening::Double(Matrix::from_fn(axes.len(), dimensions, value))
        };
        let whitened = |i: usize, j: usize| {
            if j < roots.len() {
                dot64(&axes[j], &means[i]) * roots[j]
            } else {
                0.0
            }
        };
        Self {
            whitened: Matrix::from_fn(means.len(), roots.len(), whitened),
            means: Matrix::from_fn(means.len(), dimensions, |i, j| means[i][j]),
            whitening,
            roots,
            rest: precision.rest,
        }
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.means.columns()
    }

    /// The squared distance to the nearest mean.
    pub(crate) fn smallest(&self, vector: &[f32]) -> f64 {
        let whitened = self.whiten(vector);
        let each = self.whitened.iter_rows().zip(self.means.iter_rows());
        each.map(|(centre, mean)| self.distance(&whitened, vector, centre, mean))
            .fold(f64::INFINITY, f64::min)
    }

    fn whiten(&self, vector: &[f32]) -> Vec<f64> {
        match &self.whitening {
            Whitening::Single(axes) => {
                let mut out = vec![0.0; axes.rows()];
                mat_vec(axes.data(), vector, &mut out);
                out.into_iter().map(f64::from).collect()
            }
            Whitening::Double(axes) => {
                let product = |axis: &[f64]| {
                    axis.iter()
                        .zip(vector)
                        .map(|(a, &x)| a * f64::from(x))
                        .sum::<f64>()
                };
                axes.iter_rows().map(product).collect()
            }
        }
    }

    fn distance(&self, whitened: &[f64], vector: &[f32], centre: &[f64], mean: &[f64]) -> f64 {
        let (mut along, mut explained) = (0.0, 0.0);
        for ((value, middle), root) in whitened.iter().zip(centre).zip(&self.roots) {
            let difference = (value - middle).powi(2);
            along += difference;
            explained += difference / (root * root);
        }
        let all_explained = self.roots.len() >= vector.len();
        if self.rest <= 0.0 || all_explained {
            return along;
        }
        let total: f64 = vector
            .iter()
            .zip(mean)
            .map(|(&x, &m)| (f64::from(x) - m).powi(2))
            .sum();
        along + self.rest * (total - explained).max(0.0)
    }

    pub(crate) fn save<'a>(&'a self, to: &mut SectionWriter<'_, 'a>) {
        match &self.whitening {
            Whitening::Single(axes) => to.matrix("whitening", axes),
            Whitening::Double(axes) => to.matrix64("whitening64", axes),
        }
        to.matrix64("whitened", &self.whitened);
        to.matrix64("means", &self.means);
        to.vector64("roots", &self.roots);
        to.number("rest", self.rest);
    }

    pub(crate) fn load(from: &SectionReader<'_>) -> Result<Self, StateError> {
        let whitening = match from.matrix("whitening") {
            Err(StateError::Missing(_)) => Whitening::Double(from.matrix64("whitening64")?),
            other => Whitening::Single(other?),
        };
        Ok(Self {
            whitening,
            whitened: from.matrix64("whitened")?,
            means: from.matrix64("means")?,
            roots: from.vector64("roots")?,
            rest: from.number("rest")?,
        })
    }
}
