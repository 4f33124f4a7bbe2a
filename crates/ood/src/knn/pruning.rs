//! Lower bounds of distances from a few rotated coordinates.
//!
//! In an orthonormal basis the squared distance of two vectors is the sum over all coordinates.
//! The first [`KEPT`] coordinates along the bank's principal axes carry most of it; the rest is
//! at least the squared difference of the lengths of what they leave. So the squared distance of
//! the shortened rows (kept coordinates and length of the rest) never exceeds the true one, and
//! rows whose bound lies above the `k`-th best distance need not be looked at. The search stays
//! exact whatever the axes are; good axes only make it fast. They come from a sample.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use crate::Matrix;
use crate::error::FitError;
use crate::kernels::squared_distances;
use crate::linalg::{Keep, Pca};
use crate::state::{SectionReader, SectionWriter, StateError};

/// Coordinates kept; with the length of the rest a row fills four cache lines.
const KEPT: usize = 63;
/// How many rows the axes are found from.
const SAMPLE: usize = 400;
/// Bounds are lowered by this part of the squared lengths: more than single precision loses.
const SLACK: f32 = 2e-5;

/// Shortened rows of a bank.
#[derive(Debug)]
pub(crate) struct Pruning {
    axes: Pca,
    /// Kept coordinates and length of the rest, shape `[n, KEPT + 1]` (fewer in few dimensions).
    short: Matrix,
    /// Squared length of each shortened row.
    lengths: Vec<f32>,
    /// The largest of them.
    longest: f32,
}

impl Pruning {
    /// Shortens every row of a bank.
    pub(crate) fn fit(bank: &Matrix) -> Result<Self, FitError> {
        let step = (bank.rows() / SAMPLE).max(1);
        let sample: Vec<usize> = (0..bank.rows()).step_by(step).take(SAMPLE).collect();
        let axes = Pca::fit(bank, &sample, Keep::Count(KEPT))?;
        let width = axes.count() + 1;
        let mut short = vec![0.0_f32; bank.rows() * width];
        short
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(row, into)| {
                into.copy_from_slice(&shortened(&axes, bank.row(row)));
            });
        let short = Matrix::new(bank.rows(), width, short)
            .map_err(|_| FitError::NoConvergence("the bank's axes"))?;
        Ok(Self::of(axes, short))
    }

    fn of(axes: Pca, short: Matrix) -> Self {
        let lengths: Vec<f32> = short.iter_rows().map(squared_length).collect();
        let longest = lengths.iter().copied().fold(0.0, f32::max);
        Self {
            axes,
            short,
            lengths,
            longest,
        }
    }

    /// A lower bound of the squared distance to every row of the bank.
    pub(crate) fn bounds(&self, vector: &[f32]) -> Vec<f32> {
        let query = shortened(&self.axes, vector);
        let mut bounds = vec![0.0_f32; self.short.rows()];
        squared_distances(&query, self.short.data(), &mut bounds);
        let slack = SLACK * (squared_length(&query) + self.longest);
        for bound in &mut bounds {
            *bound -= slack;
        }
        bounds
    }

    /// Lower bounds for several vectors: one column a vector, one row a row of the bank.
    ///
    /// `|a|^2 + |b|^2 - 2 a b` loses more than the difference, but less than the bounds are
    /// lowered by.
    pub(crate) fn bounds_together(&self, vectors: &[&[f32]]) -> Mat<f32> {
        let (rows, width) = (self.short.rows(), self.short.columns());
        let queries: Vec<f32> = vectors
            .iter()
            .flat_map(|vector| shortened(&self.axes, vector))
            .collect();
        let mut bounds = Mat::zeros(rows, vectors.len());
        matmul(
            bounds.as_mut(),
            Accum::Replace,
            MatRef::from_row_major_slice(self.short.data(), rows, width),
            MatRef::from_column_major_slice(&queries, width, vectors.len()),
            -2.0,
            Par::Seq,
        );
        for (query, column) in queries.chunks_exact(width).zip(bounds.col_iter_mut()) {
            let squared = squared_length(query);
            let added = squared - SLACK * (squared + self.longest);
            for (bound, length) in column.iter_mut().zip(&self.lengths) {
                *bound += length + added;
            }
        }
        bounds
    }

    pub(crate) fn save<'a>(&'a self, to: &mut SectionWriter<'_, 'a>) {
        self.axes.save(to);
        to.matrix("short", &self.short);
    }

    pub(crate) fn load(from: &SectionReader<'_>, rows: usize) -> Result<Self, StateError> {
        let axes = Pca::load(from)?;
        let short = from.matrix_of("short", axes.count() + 1)?;
        if short.rows() != rows {
            return Err(StateError::Unexpected {
                name: "bank.short".to_owned(),
                expected: format!("{rows} rows long"),
            });
        }
        Ok(Self::of(axes, short))
    }
}

/// Kept coordinates of a vector and the length of what they leave.
fn shortened(axes: &Pca, vector: &[f32]) -> Vec<f32> {
    let (mut coordinates, total) = axes.coordinates_and_length(vector);
    let explained = squared_length(&coordinates);
    coordinates.push((total - explained).max(0.0).sqrt());
    coordinates
}

fn squared_length(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum()
}
