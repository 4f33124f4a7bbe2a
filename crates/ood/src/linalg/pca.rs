use faer::Mat;

use super::{
    Eigen, centred, eigen, eigen_single, gram, product, row_means, scatter, scatter_about,
};
use crate::Matrix;
use crate::error::FitError;
use crate::kernels::{dot, mat_vec, mat_vec_pair, subtract_rows, subtract_rows_pair};
use crate::state::{SectionReader, SectionWriter, StateError};

/// Eigenvalues below this part of the largest are rounding errors of single-precision features.
const TOLERANCE: f64 = 1e-10;
/// Covariances of more dimensions than this are decomposed in single precision.
pub(super) const MOST_DOUBLE: usize = 512;

/// How many principal axes to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Keep {
    /// As few as explain this part of the variance, `0..=1`.
    Variance(f64),
    /// As few as explain the part, but at most this many.
    AtMost(f64, usize),
    /// This many, or all there are.
    Count(usize),
}

/// Axes are found from at most this many images: more would move them by less than the images'
/// own noise.
pub(super) fn enough_images(dimensions: usize) -> usize {
    (4 * dimensions).max(4096)
}

/// Principal axes of a set of vectors about their mean (or another origin).
#[derive(Debug, Clone)]
pub(crate) struct Pca {
    origin: Vec<f32>,
    /// Orthonormal axes, shape `[r, D]`, by falling variance; one row of zeros when there is none.
    axes: Matrix,
    /// Mean squared coordinate along each axis.
    pub(crate) variances: Vec<f64>,
}

impl Pca {
    /// Finds the axes of the rows named, about their mean.
    pub(crate) fn fit(matrix: &Matrix, rows: &[usize], keep: Keep) -> Result<Self, FitError> {
        let origin = row_means(matrix, rows);
        Self::fit_about(matrix, rows, &origin, keep)
    }

    /// Finds the axes of the rows named, about a given origin.
    ///
    /// With fewer rows than dimensions the eigenvectors of the `n x n` Gram matrix are used:
    /// the same axes for less work. Of very many rows an even sample is taken.
    pub(crate) fn fit_about(
        matrix: &Matrix,
        rows: &[usize],
        origin: &[f64],
        keep: Keep,
    ) -> Result<Self, FitError> {
        let columns = matrix.columns();
        let step = rows.len().div_ceil(enough_images(columns)).max(1);
        let rows: Vec<usize> = rows.iter().copied().step_by(step).collect();
        let Principal { variances, axes } = if rows.len() < columns {
            principal_axes(&centred(matrix, &rows, origin), TOLERANCE, keep)?
        } else {
            let scatter = scatter_about(matrix, &rows, origin);
            axes_of_scatter(&scatter, rows.len(), TOLERANCE, keep)?
        };
        let count = axes.len();
        Ok(Self {
            origin: origin.iter().map(|&value| value as f32).collect(),
            axes: Matrix::from_fn(count.max(1), columns, |i, j| {
                if i < count { axes[i][j] as f32 } else { 0.0 }
            }),
            variances: variances.into_iter().take(count).collect(),
        })
    }

    /// Number of dimensions of the vectors.
    pub(crate) fn dimensions(&self) -> usize {
        self.axes.columns()
    }

    /// Squared length of what of `vector - origin` the axes do not explain.
    ///
    /// The residual is formed before it is squared: subtracting squared lengths would lose the
    /// small residuals of in-distribution images.
    pub(crate) fn squared_residual(&self, vector: &[f32]) -> f64 {
        let mut rest = self.centred(vector);
        let mut coordinates = vec![0.0; self.axes.rows()];
        mat_vec(self.axes.data(), &rest, &mut coordinates);
        subtract_rows(self.axes.data(), &coordinates, &mut rest);
        f64::from(dot(&rest, &rest))
    }

    /// [`Pca::squared_residual`] of several vectors: the same numbers, while the axes are in the
    /// processor's cache.
    pub(crate) fn squared_residuals(&self, vectors: &[&[f32]]) -> Vec<f64> {
        let (pairs, single) = vectors.as_chunks::<2>();
        let mut residuals = Vec::with_capacity(vectors.len());
        let mut coordinates = vec![[0.0; 2]; self.axes.rows()];
        for pair in pairs {
            let [mut first, mut second] = pair.map(|vector| self.centred(vector));
            mat_vec_pair(self.axes.data(), [&first, &second], &mut coordinates);
            subtract_rows_pair(self.axes.data(), &coordinates, &mut first, &mut second);
            residuals.extend([first, second].map(|rest| f64::from(dot(&rest, &rest))));
        }
        residuals.extend(single.iter().map(|vector| self.squared_residual(vector)));
        residuals
    }

    fn centred(&self, vector: &[f32]) -> Vec<f32> {
        let pairs = vector.iter().zip(&self.origin);
        pairs.map(|(x, m)| x - m).collect()
    }

    /// Number of axes, at least 1.
    pub(crate) fn count(&self) -> usize {
        self.axes.rows()
    }

    /// Coordinates of `vector - origin` along the axes, and its squared length.
    pub(crate) fn coordinates_and_length(&self, vector: &[f32]) -> (Vec<f32>, f32) {
        let centred = self.centred(vector);
        let mut coordinates = vec![0.0; self.axes.rows()];
        mat_vec(self.axes.data(), &centred, &mut coordinates);
        (coordinates, dot(&centred, &centred))
    }

    /// Coordinates of `vector - origin` along the axes.
    pub(crate) fn coordinates(&self, vector: &[f32]) -> Vec<f32> {
        let centred = self.centred(vector);
        let mut coordinates = vec![0.0; self.axes.rows()];
        mat_vec(self.axes.data(), &centred, &mut coordinates);
        coordinates
    }

    pub(crate) fn save<'a>(&'a self, to: &mut SectionWriter<'_, 'a>) {
        to.vector("origin", &self.origin);
        to.matrix("axes", &self.axes);
        to.vector64("variances", &self.variances);
    }

    pub(crate) fn load(from: &SectionReader<'_>) -> Result<Self, StateError> {
        let axes = from.matrix("axes")?;
        let origin = from.matrix_of("origin", axes.columns())?.data().to_vec();
        Ok(Self {
            origin,
            axes,
            variances: from.vector64("variances")?,
        })
    }
}

/// Variances along all principal axes, and the axes that are kept; both the largest first.
#[derive(Debug)]
pub(crate) struct Principal {
    /// Mean squared coordinates.
    pub(crate) variances: Vec<f64>,
    /// Orthonormal axes.
    pub(crate) axes: Vec<Vec<f64>>,
}

/// Principal axes of centred rows; those below `tolerance` times the largest are left out.
pub(super) fn principal_axes(
    rows: &Mat<f64>,
    tolerance: f64,
    keep: Keep,
) -> Result<Principal, FitError> {
    if rows.nrows() >= rows.ncols() {
        return axes_of_scatter(&scatter(rows), rows.nrows(), tolerance, keep);
    }
    let found = eigen(&gram(rows), "the Gram matrix")?;
    let variances = found.variances(rows.nrows(), tolerance);
    let axes = lifted(rows, &found, kept(&variances, keep));
    Ok(Principal { variances, axes })
}

/// Principal axes of `X^T X` of so many rows X.
fn axes_of_scatter(
    scatter: &Mat<f64>,
    rows: usize,
    tolerance: f64,
    keep: Keep,
) -> Result<Principal, FitError> {
    let found = if scatter.nrows() > MOST_DOUBLE {
        eigen_single(scatter, "the covariance")?
    } else {
        eigen(scatter, "the covariance")?
    };
    let variances = found.variances(rows, tolerance);
    let count = kept(&variances, keep);
    let axes = found.vectors.into_iter().take(count).collect();
    Ok(Principal { variances, axes })
}

/// The axes of the first eigenvectors `u` of `X X^T`: `X^T u / sqrt(value)`.
pub(super) fn lifted(rows: &Mat<f64>, found: &Eigen, count: usize) -> Vec<Vec<f64>> {
    let scaled = Mat::from_fn(rows.nrows(), count, |row, i| {
        found.vectors[i][row] / found.values[i].sqrt()
    });
    let axes = product(rows.transpose(), scaled.as_ref());
    let axis = |i| (0..rows.ncols()).map(|j| axes[(j, i)]).collect();
    (0..count).map(axis).collect()
}

/// How many axes a rule keeps.
fn kept(variances: &[f64], keep: Keep) -> usize {
    let part = match keep {
        Keep::Count(count) => return count.min(variances.len()),
        Keep::AtMost(part, most) => return kept(variances, Keep::Variance(part)).min(most),
        Keep::Variance(part) => part,
    };
    let total: f64 = variances.iter().sum();
    let mut sum = 0.0;
    let enough = variances.iter().position(|variance| {
        sum += variance;
        sum > part * total
    });
    enough.map_or(variances.len(), |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on the line (1, 2, 2) / 3 through (1, 0, 0).
    fn line(n: usize) -> Matrix {
        Matrix::from_fn(n, 3, |row, column| {
            let along = row as f32 - (n / 2) as f32;
            [1.0 + along, 2.0 * along, 2.0 * along][column]
        })
    }

    #[test]
    fn few_and_many_rows_give_the_same_axes() {
        for n in [2, 5] {
            let rows: Vec<usize> = (0..n).collect();
            let pca = Pca::fit(&line(n), &rows, Keep::Variance(0.9)).unwrap();
            assert_eq!(pca.variances.len(), 1, "{n}");
            assert!(pca.squared_residual(&[3.0, 4.0, 4.0]) < 1e-10, "{n}");
            // (0, 1, -1) is orthogonal to the line.
            assert!(
                (pca.squared_residual(&[1.0, 1.0, -1.0]) - 2.0).abs() < 1e-5,
                "{n}"
            );
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "they are the same sums")]
    fn several_residuals_are_those_of_single_vectors() {
        let points = Matrix::from_fn(9, 70, |i, j| ((i * 7 + j * j) as f32).sin());
        let pca = Pca::fit(&points, &[0, 1, 2, 3, 4], Keep::Count(3)).unwrap();
        let vectors: Vec<&[f32]> = points.iter_rows().collect();
        for (vector, found) in vectors.iter().zip(pca.squared_residuals(&vectors)) {
            assert_eq!(found, pca.squared_residual(vector));
        }
    }

    #[test]
    fn equal_rows_have_no_axes() {
        let equal = Matrix::from_fn(3, 2, |_, _| 1.0);
        let pca = Pca::fit(&equal, &[0, 1, 2], Keep::Variance(0.9)).unwrap();
        assert!(pca.variances.is_empty());
        assert!((pca.squared_residual(&[1.0, 3.0]) - 4.0).abs() < 1e-6);
    }

    #[test]
    fn a_rule_keeps_as_few_axes_as_explain_enough() {
        assert_eq!(kept(&[6.0, 3.0, 1.0], Keep::Variance(0.85)), 2);
        assert_eq!(kept(&[6.0, 3.0, 1.0], Keep::Variance(1.0)), 3);
        assert_eq!(kept(&[6.0, 3.0, 1.0], Keep::Count(9)), 3);
    }
}
