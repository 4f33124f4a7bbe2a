use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

use crate::Matrix;

/// Mean of every column in double precision; zeros when there are no rows.
pub(crate) fn column_means(matrix: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; matrix.columns()];
    for row in matrix.iter_rows() {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value);
        }
    }
    let rows = matrix.rows().max(1) as f64;
    for sum in &mut sums {
        *sum /= rows;
    }
    sums
}

/// Mean of every column over the rows of each class, one entry a class.
pub(crate) fn class_means(matrix: &Matrix, class_rows: &[Vec<usize>]) -> Vec<Vec<f64>> {
    class_rows
        .iter()
        .map(|rows| column_means(&matrix.select(rows)))
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

/// `X^T X` of rows X, shape `[D, D]`.
pub(crate) fn scatter(rows: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(rows.ncols(), rows.ncols());
    matmul(
        out.as_mut(),
        Accum::Replace,
        rows.transpose(),
        rows,
        1.0,
        Par::Seq,
    );
    out
}

/// `X X^T` of rows X, shape `[n, n]`.
pub(crate) fn gram(rows: &Mat<f64>) -> Mat<f64> {
    let mut out = Mat::zeros(rows.nrows(), rows.nrows());
    matmul(
        out.as_mut(),
        Accum::Replace,
        rows,
        rows.transpose(),
        1.0,
        Par::Seq,
    );
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "small whole numbers are exact")]
    use super::*;

    #[test]
    fn means_and_scatter() {
        let matrix = Matrix::new(3, 2, vec![1.0, 0.0, 3.0, 0.0, 5.0, 6.0]).unwrap();
        assert_eq!(column_means(&matrix), [3.0, 2.0]);
        let rows = centred(&matrix, &[0, 2], &[3.0, 2.0]);
        let product = scatter(&rows);
        assert_eq!(
            (product[(0, 0)], product[(0, 1)], product[(1, 1)]),
            (8.0, 12.0, 20.0)
        );
        assert_eq!(gram(&rows)[(0, 1)], -4.0 - 8.0);
    }
}
