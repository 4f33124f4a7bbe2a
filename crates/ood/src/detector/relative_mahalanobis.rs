use faer::Mat;
use faer::linalg::solvers::DenseSolveCore;

use super::{FitContext, OodDetector, Reason, finite};
use crate::error::{FitError, ScoreError};
use crate::kernels::dot_wide;
use crate::linalg::{WithinClass, dot64};
use crate::state::{StateError, StateReader};
use crate::{Matrix, OodScore, Query, StateWriter};

/// Relative Mahalanobis distance: that to the nearest class minus that to all images.
///
/// Ren et al., "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection" (arXiv
/// 2106.09022). The total covariance is the within-class one (shrunk or not) plus the scatter
/// `sum pi_c d_c d_c^T` of the class means, `d_c = m_c - m`; shrinking both by themselves would
/// invert the score when images are few.
///
/// With `P` the within-class precision, `U` the rows `sqrt(pi_c) d_c` and `a = U P (x - m)`,
/// Woodbury's identity leaves `min_c (d_c P d_c - 2 a_c / sqrt(pi_c)) + a (I + U P U^T)^-1 a`:
/// everything outside the span of the class means cancels exactly, and an image costs `C D`
/// instead of `2 D^2` products.
#[derive(Debug)]
pub(crate) struct RelativeMahalanobis {
    /// `U P`, shape `[C, D]`.
    projection: Matrix<f64>,
    /// `U P m`, shape `[C]`.
    offset: Vec<f64>,
    /// `(I + U P U^T)^-1`, shape `[C, C]`.
    gain: Matrix<f64>,
    /// `d_c P d_c`, shape `[C]`.
    lengths: Vec<f64>,
    /// `sqrt(pi_c)`, shape `[C]`.
    roots: Vec<f64>,
}

impl RelativeMahalanobis {
    pub(crate) const NAME: &'static str = "relative_mahalanobis";

    pub(crate) fn fit(context: &FitContext<'_>, shrink: bool) -> Result<Self, Reason> {
        context.needs_images(2)?;
        let within = context.within(false)?;
        if within.means.len() < 2 {
            return Err(Reason::OneClass);
        }
        Ok(Self::of(&within, shrink)?)
    }

    fn of(within: &WithinClass, shrink: bool) -> Result<Self, FitError> {
        let classes = within.means.len();
        let dimensions = within.means[0].len();
        let mut mean = vec![0.0; dimensions];
        for (centre, part) in within.means.iter().zip(&within.parts) {
            mean.iter_mut()
                .zip(centre)
                .for_each(|(sum, value)| *sum += part * value);
        }
        let roots: Vec<f64> = within.parts.iter().map(|part| part.sqrt()).collect();
        let scaled = |class: usize| -> Vec<f64> {
            let centre = within.means[class].iter().zip(&mean);
            centre
                .map(|(value, middle)| roots[class] * (value - middle))
                .collect()
        };
        let rows: Vec<Vec<f64>> = (0..classes).map(scaled).collect();
        let applied = within.solve(&rows, shrink)?;
        let product = |i: usize, j: usize| dot64(&applied[i], &rows[j]);
        let matrix = Mat::from_fn(classes, classes, |i, j| {
            f64::midpoint(product(i, j), product(j, i)) + f64::from(u8::from(i == j))
        });
        let gain = matrix.partial_piv_lu().inverse();
        let length = |class: usize| product(class, class) / within.parts[class];
        Ok(Self {
            offset: applied.iter().map(|row| dot64(row, &mean)).collect(),
            gain: Matrix::from_fn(classes, classes, |i, j| gain[(i, j)]),
            lengths: (0..classes).map(length).collect(),
            projection: Matrix::from_fn(classes, dimensions, |i, j| applied[i][j]),
            roots,
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let section = from.section(Self::NAME);
        Ok(Self {
            projection: section.matrix64("projection")?,
            offset: section.vector64("offset")?,
            gain: section.matrix64("gain")?,
            lengths: section.vector64("lengths")?,
            roots: section.vector64("roots")?,
        })
    }

    fn relative_distance(&self, features: &[f32]) -> f64 {
        let rows = self.projection.iter_rows().zip(&self.offset);
        let along: Vec<f64> = rows
            .map(|(row, offset)| dot_wide(row, features) - offset)
            .collect();
        let nearest = along.iter().zip(&self.roots).zip(&self.lengths);
        let nearest = nearest
            .map(|((a, root), length)| length - 2.0 * a / root)
            .fold(f64::INFINITY, f64::min);
        let all: f64 = self
            .gain
            .iter_rows()
            .zip(&along)
            .map(|(row, a)| a * dot64(row, &along))
            .sum();
        nearest + all
    }
}

impl OodDetector for RelativeMahalanobis {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.projection.columns())?;
        finite(Self::NAME, self.relative_distance(features))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::NAME);
        section.matrix64("projection", &self.projection);
        section.vector64("offset", &self.offset);
        section.matrix64("gain", &self.gain);
        section.vector64("lengths", &self.lengths);
        section.vector64("roots", &self.roots);
    }
}
