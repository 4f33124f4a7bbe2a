use faer::{Mat, Side};

use crate::error::FitError;

/// Eigenvalues and eigenvectors of a symmetric matrix, the largest first.
#[derive(Debug)]
pub(crate) struct Eigen {
    /// Eigenvalues, descending.
    pub(crate) values: Vec<f64>,
    /// Eigenvectors as rows, in the order of the values; the largest component of each is positive.
    pub(crate) vectors: Vec<Vec<f64>>,
}

/// Decomposes a symmetric matrix; `what` names it in the error.
pub(crate) fn eigen(matrix: &Mat<f64>, what: &'static str) -> Result<Eigen, FitError> {
    let decomposed = matrix.self_adjoint_eigen(Side::Lower);
    let decomposed = decomposed.map_err(|_| FitError::NoConvergence(what))?;
    let (diagonal, basis) = (decomposed.S().column_vector(), decomposed.U());
    let n = matrix.nrows();
    let values = (0..n).rev().map(|i| diagonal[i]).collect();
    let vectors = (0..n)
        .rev()
        .map(|i| signed((0..n).map(|j| basis[(j, i)]).collect()))
        .collect();
    Ok(Eigen { values, vectors })
}

/// As [`eigen`], in single precision: several times faster, exact to about 1e-6 of the largest
/// eigenvalue. For large matrices whose small eigenvalues do not count.
pub(crate) fn eigen_single(matrix: &Mat<f64>, what: &'static str) -> Result<Eigen, FitError> {
    let n = matrix.nrows();
    let largest = (0..n).map(|i| matrix[(i, i)]).fold(0.0, f64::max);
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let narrow = Mat::<f32>::from_fn(n, n, |i, j| (matrix[(i, j)] / unit) as f32);
    let decomposed = narrow.self_adjoint_eigen(Side::Lower);
    let decomposed = decomposed.map_err(|_| FitError::NoConvergence(what))?;
    let (diagonal, basis) = (decomposed.S().column_vector(), decomposed.U());
    let values = (0..n).rev().map(|i| f64::from(diagonal[i]) * unit);
    let vector = |i| signed((0..n).map(|j| f64::from(basis[(j, i)])).collect());
    Ok(Eigen {
        values: values.collect(),
        vectors: (0..n).rev().map(vector).collect(),
    })
}

/// The vector or its negative, so that its largest component is positive.
///
/// Signs of eigenvectors are arbitrary; with a fixed one the same fit gives the same bytes.
fn signed(mut vector: Vec<f64>) -> Vec<f64> {
    let top = vector
        .iter()
        .copied()
        .max_by(|a, b| a.abs().total_cmp(&b.abs()));
    if top.is_some_and(|top| top < 0.0) {
        for value in &mut vector {
            *value = -*value;
        }
    }
    vector
}

impl Eigen {
    /// How many values are above `tolerance` times the largest.
    pub(crate) fn rank(&self, tolerance: f64) -> usize {
        let top = self.values.first().copied().unwrap_or(0.0).max(0.0);
        self.values
            .iter()
            .filter(|&&value| value > top * tolerance && value > 0.0)
            .count()
    }

    /// Variances along those axes, of `X^T X` or `X X^T` of so many rows X.
    pub(crate) fn variances(&self, rows: usize, tolerance: f64) -> Vec<f64> {
        let n = rows.max(1) as f64;
        let known = self.values.iter().take(self.rank(tolerance));
        known.map(|value| value / n).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_comes_first() {
        let matrix = Mat::from_fn(2, 2, |i, j| if i == j { 2.0 } else { 1.0 });
        let found = eigen(&matrix, "test").unwrap();
        assert!((found.values[0] - 3.0).abs() < 1e-12 && (found.values[1] - 1.0).abs() < 1e-12);
        assert!((found.vectors[0][0] - 0.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(found.rank(0.5), 1);
    }

    #[test]
    fn single_precision_is_close() {
        let matrix = Mat::from_fn(9, 9, |i, j| 1e9 / (1.0 + i as f64 + j as f64));
        let (exact, single) = (
            eigen(&matrix, "test").unwrap(),
            eigen_single(&matrix, "test").unwrap(),
        );
        for (a, b) in exact.values.iter().zip(&single.values) {
            assert!((a - b).abs() < 1e-5 * exact.values[0], "{a} {b}");
        }
        for (a, b) in exact.vectors[0].iter().zip(&single.vectors[0]) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
}
