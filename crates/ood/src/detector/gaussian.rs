use rayon::prelude::*;

use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::kernels::{mat_vec, squared_distance};
use crate::linalg::{ClassShape, PooledAxes};
use crate::state::{StateError, StateReader};
use crate::{Matrix, OodScore, Query, StateWriter};

/// Classes further away than this many by the pooled distance are not looked at closely.
const CLOSE_CLASSES: usize = 16;

/// Whitened difference to a class mean, its squared length, and the squared distance outside the
/// shared axes.
type Whitened = (Vec<f32>, f64, f64);

/// One low-rank Gaussian a class, in the space whitened by the covariance that classes share.
///
/// Regularised discriminant analysis (Friedman, 1989) in low rank: the shared covariance is
/// shrunk (Ledoit and Wolf) and kept along its 128 largest axes; in the space that it whitens,
/// each class has up to 32 axes of its own whose variances are drawn to 1 with the weight of 30
/// images. The score is the smallest over classes of squared distance plus log-determinant. A
/// class with one image has the shared shape: then this is the Mahalanobis distance.
#[derive(Debug)]
pub(crate) struct Gaussian {
    normalise: bool,
    /// Shared axes, shape `[r, D]`.
    axes: Matrix,
    /// Inverse roots of the variances along the axes, shape `[r]`.
    inverse_roots: Vec<f64>,
    /// Inverse variance of all other directions.
    inverse_rest: f64,
    /// Class means, shape `[C, D]`, and their coordinates along the axes, shape `[C, r]`.
    means: Matrix,
    projected: Matrix<f64>,
    /// Axes of the classes in the whitened space, `own` rows a class, shape `[C own, r]`.
    class_axes: Matrix,
    /// Inverse variances along them, shape `[C, own]`; 1 where a class has fewer.
    inverse_own: Matrix<f64>,
    /// Inverse variance of each class's other directions, and log-determinant, shape `[C, 2]`.
    shape: Matrix<f64>,
}

impl Gaussian {
    pub(crate) fn name(normalise: bool) -> &'static str {
        if normalise {
            "gaussian_unit"
        } else {
            "gaussian"
        }
    }

    pub(crate) fn fit(context: &FitContext<'_>, normalise: bool) -> Result<Self, Reason> {
        context.needs_images(3)?;
        let features = context.view(normalise);
        let within = context.within(normalise)?;
        let pooled = PooledAxes::fit(&within, features.columns())?;
        let classes = within.class_rows.par_iter().zip(&within.means);
        let shapes: Vec<ClassShape> = classes
            .map(|(rows, mean)| pooled.class_shape(&features, rows, mean))
            .collect::<Result<_, _>>()?;
        let own = shapes
            .iter()
            .map(|shape| shape.inverse.len())
            .max()
            .unwrap_or(0)
            .max(1);
        let (rank, classes) = (pooled.axes.rows(), shapes.len());
        let class_axis = |i: usize, j: usize| -> f32 {
            shapes[i / own]
                .axes
                .get(i % own)
                .map_or(0.0, |axis| axis[j] as f32)
        };
        let inverse = |i: usize, j: usize| shapes[i].inverse.get(j).copied().unwrap_or(1.0);
        Ok(Self {
            normalise,
            class_axes: Matrix::from_fn(classes * own, rank, class_axis),
            inverse_own: Matrix::from_fn(classes, own, inverse),
            shape: Matrix::from_fn(classes, 2, |i, j| {
                if j == 0 {
                    shapes[i].inverse_rest
                } else {
                    shapes[i].log_determinant
                }
            }),
            means: Matrix::from_fn(classes, features.columns(), |i, j| {
                within.means[i][j] as f32
            }),
            projected: Matrix::from_fn(classes, rank, |i, j| pooled.projected[i][j]),
            inverse_roots: pooled.inverse_roots,
            inverse_rest: pooled.inverse_rest,
            axes: pooled.axes,
        })
    }

    pub(crate) fn load(from: &StateReader, normalise: bool) -> Result<Self, StateError> {
        let section = from.section(Self::name(normalise));
        let axes = section.matrix("axes")?;
        Ok(Self {
            normalise,
            inverse_roots: section.vector64("inverse_roots")?,
            inverse_rest: section.number("inverse_rest")?,
            means: section.matrix_of("means", axes.columns())?,
            projected: section.matrix64("projected")?,
            class_axes: section.matrix_of("class_axes", axes.rows())?,
            inverse_own: section.matrix64("inverse_own")?,
            shape: section.matrix64("shape")?,
            axes,
        })
    }

    /// Whitened difference to a class mean, and the pooled squared distance.
    fn whitened(&self, class: usize, features: &[f32], along: &[f32]) -> Whitened {
        let mut explained = 0.0;
        let mut inside = 0.0;
        let parts = along
            .iter()
            .zip(self.projected.row(class))
            .zip(&self.inverse_roots);
        let white: Vec<f32> = parts
            .map(|((&value, mean), root)| {
                let difference = f64::from(value) - mean;
                let white = difference * root;
                explained += difference * difference;
                inside += white * white;
                white as f32
            })
            .collect();
        let total = f64::from(squared_distance(features, self.means.row(class)));
        let outside = if along.len() < features.len() {
            (total - explained).max(0.0)
        } else {
            0.0
        };
        (white, inside, outside * self.inverse_rest)
    }

    /// Squared distance to one class under its own shape, plus its log-determinant.
    fn distance(&self, class: usize, white: &[f32], inside: f64, outside: f64) -> f64 {
        let own = self.inverse_own.columns();
        let start = class * own * self.class_axes.columns();
        let axes = &self.class_axes.data()[start..start + own * self.class_axes.columns()];
        let mut along = vec![0.0_f32; own];
        mat_vec(axes, white, &mut along);
        let (mut weighted, mut explained) = (0.0, 0.0);
        for (&value, inverse) in along.iter().zip(self.inverse_own.row(class)) {
            let square = f64::from(value).powi(2);
            weighted += square * inverse;
            explained += square;
        }
        let shape = self.shape.row(class);
        weighted + (inside - explained).max(0.0) * shape[0] + outside + shape[1]
    }
}

impl OodDetector for Gaussian {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.view(self.normalise, self.axes.columns())?;
        let mut along = vec![0.0_f32; self.axes.rows()];
        mat_vec(self.axes.data(), features, &mut along);
        let mut classes: Vec<(usize, Whitened)> = (0..self.means.rows())
            .map(|class| (class, self.whitened(class, features, &along)))
            .collect();
        if classes.len() > CLOSE_CLASSES {
            let pooled = |(_, (_, inside, outside)): &(usize, Whitened)| inside + outside;
            classes.sort_by(|a, b| pooled(a).total_cmp(&pooled(b)));
            classes.truncate(CLOSE_CLASSES);
        }
        let each = classes.iter().map(|(class, (white, inside, outside))| {
            self.distance(*class, white, *inside, *outside)
        });
        finite(
            Self::name(self.normalise),
            each.fold(f64::INFINITY, f64::min),
        )
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::name(self.normalise));
        section.matrix("axes", &self.axes);
        section.vector64("inverse_roots", &self.inverse_roots);
        section.number("inverse_rest", self.inverse_rest);
        section.matrix("means", &self.means);
        section.matrix64("projected", &self.projected);
        section.matrix("class_axes", &self.class_axes);
        section.matrix64("inverse_own", &self.inverse_own);
        section.matrix64("shape", &self.shape);
    }
}
