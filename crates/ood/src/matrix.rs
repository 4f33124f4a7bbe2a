use bytemuck::Pod;

use crate::storage::Storage;

/// A dense matrix of numbers, row by row: one row an image, one column a dimension.
///
/// At least one column; no rows are allowed. The numbers are owned, or lie in a file that is
/// mapped into memory; clones share them.
#[derive(Debug, Clone)]
pub struct Matrix<T = f32> {
    rows: usize,
    columns: usize,
    data: Storage<T>,
}

/// The numbers handed to [`Matrix::new`] do not fill the shape given with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a matrix of {rows} x {columns} cannot be made of {actual} numbers: it needs at least one column and rows x columns numbers"
)]
pub struct ShapeError {
    /// Claimed number of rows.
    pub rows: usize,
    /// Claimed number of columns.
    pub columns: usize,
    /// How many numbers were given.
    pub actual: usize,
}

impl<T: Pod> Matrix<T> {
    /// Makes a matrix `[rows, columns]` of numbers that lie row by row.
    pub fn new(rows: usize, columns: usize, data: Vec<T>) -> Result<Self, ShapeError> {
        Self::from_storage(rows, columns, Storage::owned(data))
    }

    pub(crate) fn from_storage(
        rows: usize,
        columns: usize,
        data: Storage<T>,
    ) -> Result<Self, ShapeError> {
        let actual = data.as_slice().len();
        if columns == 0 || rows.checked_mul(columns) != Some(actual) {
            return Err(ShapeError {
                rows,
                columns,
                actual,
            });
        }
        Ok(Self {
            rows,
            columns,
            data,
        })
    }

    /// Makes a matrix of one number for each place; at least one column is made.
    pub(crate) fn from_fn(
        rows: usize,
        columns: usize,
        mut value: impl FnMut(usize, usize) -> T,
    ) -> Self {
        let columns = columns.max(1);
        let mut data = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            data.extend((0..columns).map(|column| value(row, column)));
        }
        Self {
            rows,
            columns,
            data: Storage::owned(data),
        }
    }

    /// Number of rows, 0 or more.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, at least 1.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All numbers, row by row.
    pub fn data(&self) -> &[T] {
        self.data.as_slice()
    }

    /// The row `index`, or an empty slice when there is no such row.
    pub fn row(&self, index: usize) -> &[T] {
        let start = index.saturating_mul(self.columns);
        self.data()
            .get(start..start.saturating_add(self.columns))
            .unwrap_or(&[])
    }

    /// The rows from first to last.
    pub fn iter_rows(&self) -> std::slice::ChunksExact<'_, T> {
        self.data().chunks_exact(self.columns)
    }

    /// A new matrix of the rows named, in that order; indices without a row are left out.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut data = Vec::with_capacity(indices.len() * self.columns);
        for &index in indices {
            data.extend_from_slice(self.row(index));
        }
        Self {
            rows: data.len() / self.columns,
            columns: self.columns,
            data: Storage::owned(data),
        }
    }
}

impl Matrix<f32> {
    /// The rows named (ascending) scaled to Euclidean length 1, made where the matrix lies in memory
    /// unless clones share it; rows of zeros stay zeros.
    #[must_use]
    pub(crate) fn into_unit_rows(self, rows: &[usize]) -> Self {
        let columns = self.columns;
        let mut data = self.data.into_vec();
        for (to, &from) in rows.iter().enumerate() {
            let (start, end) = (to * columns, (to + 1) * columns);
            data.copy_within(from * columns..(from + 1) * columns, start);
            let row = &mut data[start..end];
            let scale = inverse_norm(row);
            for value in row {
                *value = (f64::from(*value) * scale) as f32;
            }
        }
        data.truncate(rows.len() * columns);
        data.shrink_to_fit();
        Self {
            rows: rows.len(),
            columns,
            data: Storage::owned(data),
        }
    }

    /// Every row scaled to Euclidean length 1; rows of zeros stay zeros.
    #[must_use]
    pub fn unit_rows(&self) -> Self {
        let mut data = Vec::with_capacity(self.data().len());
        for row in self.iter_rows() {
            data.extend(unit(row));
        }
        Self {
            rows: self.rows,
            columns: self.columns,
            data: Storage::owned(data),
        }
    }
}

/// A vector scaled to Euclidean length 1; a vector of zeros stays as it is.
pub(crate) fn unit(vector: &[f32]) -> impl Iterator<Item = f32> + '_ {
    let scale = inverse_norm(vector);
    vector
        .iter()
        .map(move |&value| (f64::from(value) * scale) as f32)
}

fn inverse_norm(vector: &[f32]) -> f64 {
    let length = norm(vector);
    if length > 0.0 { 1.0 / length } else { 0.0 }
}

/// Euclidean length, summed in double precision.
pub(crate) fn norm(vector: &[f32]) -> f64 {
    vector
        .iter()
        .map(|&value| f64::from(value).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_must_fill_the_shape() {
        assert!(Matrix::new(2, 2, vec![0.0_f32; 4]).is_ok());
        assert!(Matrix::new(0, 2, Vec::<f32>::new()).is_ok());
        assert!(Matrix::new(2, 0, Vec::<f32>::new()).is_err());
        assert!(Matrix::new(2, 2, vec![0.0_f32; 3]).is_err());
        assert!(Matrix::new(usize::MAX, 2, vec![0.0_f32; 3]).is_err());
    }

    #[test]
    fn rows_are_selected_in_order() {
        let matrix = Matrix::new(3, 2, vec![0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(matrix.select(&[2, 0]).data(), [4.0, 5.0, 0.0, 1.0]);
        assert_eq!(matrix.select(&[7]).rows(), 0);
        assert!(matrix.row(3).is_empty());
    }

    #[test]
    fn a_row_of_zeros_stays_zero_when_scaled() {
        let matrix = Matrix::new(2, 2, vec![0.0_f32, 0.0, 3.0, 4.0]).unwrap();
        assert_eq!(matrix.unit_rows().data(), [0.0, 0.0, 0.6, 0.8]);
        let shared = matrix.clone();
        assert_eq!(matrix.into_unit_rows(&[1]).data(), [0.6, 0.8]);
        assert_eq!(shared.into_unit_rows(&[0, 1]).data(), [0.0, 0.0, 0.6, 0.8]);
    }
}
