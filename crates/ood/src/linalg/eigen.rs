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
}
