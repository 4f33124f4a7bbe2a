use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, Par};

use crate::Matrix;

/// How many rows are widened to double precision at once.
pub(super) const BLOCK: usize = 512;

/// Mean of every column in double precision; zeros when there are no rows.
pub(crate) fn column_means(matrix: &Matrix) -> Vec<f64> {
    means_of(matrix.columns(), matrix.iter_rows())
}

/// Mean of every column over the rows named.
pub(crate) fn row_means(matrix: &Matrix, rows: &[usize]) -> Vec<f64> {
    means_of(matrix.columns(), rows.iter().map(|&row| matrix.row(row)))
}

fn means_of<'a>(columns: usize, rows: impl Iterator<Item = &'a [f32]>) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    let mut count = 0_usize;
    for row in rows {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
        count += 1;
    }
    for sum in &mut sums {
        *sum /= count.max(1) as f64;
    }
    sums
}

/// Mean of every column over the rows of each class, one entry a class.
pub(crate) fn class_means(matrix: &Matrix, class_rows: &[Vec<usize>]) -> Vec<Vec<f64>> {
    class_rows
        .iter()
        .map(|rows| row_means(matrix, rows))
        .collect()
}

/// The rows `rows` minus `centre`, as a matrix `[rows, D]`.
pub(crate) fn centred(matrix: &Matrix, rows: &[usize], centre: &[f64]) -> Mat<f64> {
    let mut out = Mat::zeros(rows.len(), matrix.columns());
    for (i, &row) in rows.iter().enumerate() {
        for (j, (&value, &middle)) in matrix.row(row).iter().zip(centre).enumerate() {
            out[(i, j)] = f64::from(value) - middle;
        }
    }
    out
}

/// `X^T X` of the rows `rows` minus `centre`, shape `[D, D]`; only the lower triangle is filled.
pub(crate) fn scatter_about(matrix: &Matrix, rows: &[usize], centre: &[f64]) -> Mat<f64> {
    let mut out = Mat::zeros(matrix.columns(), matrix.columns());
    for block in rows.chunks(BLOCK) {
        add_scatter(&mut out, &centred(matrix, block, centre));
    }
    out
}

/// `X^T X` of rows X, shape `[D, D]`; only the lower triangle is filled.
pub(crate) fn scatter(rows: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(rows.ncols(), rows.ncols());
    add_scatter(&mut out, rows);
    out
}

/// Adds the lower triangle of `X^T X` of more rows X.
pub(crate) fn add_scatter(to: &mut Mat<f64>, rows: &Mat<f64>) {
    triangular::matmul(
        to.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Add,
        rows.transpose(),
        BlockStructure::Rectangular,
        rows,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// `X X^T` of rows X, shape `[n, n]`; only the lower triangle is filled.
pub(crate) fn gram(rows: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(rows.nrows(), rows.nrows());
    triangular::matmul(
        out.as_mut(),
        BlockStructure::TriangularLower,
        Accum::Replace,
        rows,
        BlockStructure::Rectangular,
        rows.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    out
}

/// The product of two matrices.
pub(crate) fn product(a: faer::MatRef<'_, f64>, b: faer::MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(out.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// Sum of the squares of all entries of a symmetric matrix whose lower triangle is filled.
pub(crate) fn squared_norm(lower: &Mat<f64>) -> f64 {
    let column = |j: usize| {
        let below: f64 = (j + 1..lower.nrows()).map(|i| lower[(i, j)].powi(2)).sum();
        2.0 * below + lower[(j, j)].powi(2)
    };
    (0..lower.ncols()).map(column).sum()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "small whole numbers are exact")]
    use super::*;

    #[test]
    fn means_and_scatter() {
        let matrix = Matrix::new(3, 2, vec![1.0, 0.0, 3.0, 0.0, 5.0, 6.0]).unwrap();
        assert_eq!(column_means(&matrix), [3.0, 2.0]);
        assert_eq!(row_means(&matrix, &[0, 2]), [3.0, 3.0]);
        let rows = centred(&matrix, &[0, 2], &[3.0, 2.0]);
        let found = scatter(&rows);
        assert_eq!(found, scatter_about(&matrix, &[0, 2], &[3.0, 2.0]));
        assert_eq!(
            (found[(0, 0)], found[(1, 0)], found[(1, 1)]),
            (8.0, 12.0, 20.0)
        );
        assert_eq!(gram(&rows)[(1, 0)], -4.0 - 8.0);
        assert_eq!(squared_norm(&found), 64.0 + 2.0 * 144.0 + 400.0);
    }
}
