//! Lower bounds of distances from rows rounded to 8 bits.
//!
//! A rounded row lies at a known distance `e` from the true one, so by the triangle inequality the
//! true distance is at least that to the rounded row minus `e`. Reading a quarter of the memory
//! rules out nearly all rows, whatever directions they vary in: where a few principal axes cannot
//! tell rows apart, this still can.

use rayon::prelude::*;

use crate::Matrix;
use crate::kernels::{dot, dot_rounded};
use crate::state::{SectionReader, SectionWriter, StateError};

/// Bounds are lowered by this part of the squared lengths: more than single precision loses.
const SLACK: f32 = 2e-5;
/// The largest rounded number.
const LARGEST: f32 = 127.0;

/// A bank's rows in 8 bits.
#[derive(Debug)]
pub(super) struct Rounded {
    /// Whole numbers, shape `[n, D]`.
    rows: Matrix<i8>,
    /// Of each row its unit, the squared length of the rounded row, and how far it lies from the
    /// true one; shape `[n, 3]`.
    facts: Matrix,
}

impl Rounded {
    /// Rounds every row of a bank; `None` only for a bank of an impossible shape.
    pub(super) fn fit(bank: &Matrix) -> Option<Self> {
        let columns = bank.columns();
        let mut rows = vec![0_i8; bank.data().len()];
        let mut facts = vec![0.0_f32; 3 * bank.rows()];
        rows.par_chunks_exact_mut(columns)
            .zip(facts.par_chunks_exact_mut(3))
            .zip(bank.data().par_chunks_exact(columns))
            .for_each(|((rounded, facts), row)| facts.copy_from_slice(&round(row, rounded)));
        Some(Self {
            rows: Matrix::new(bank.rows(), columns, rows).ok()?,
            facts: Matrix::new(bank.rows(), 3, facts).ok()?,
        })
    }

    /// Asks for lower bounds of the squared distances from a vector.
    pub(super) fn bounds<'a>(&'a self, vector: &'a [f32]) -> RoundedBounds<'a> {
        RoundedBounds {
            bank: self,
            vector,
            squared: dot(vector, vector),
        }
    }

    pub(super) fn save<'a>(&'a self, to: &mut SectionWriter<'_, 'a>) {
        to.bytes("rounded", &self.rows);
        to.matrix("rounded_facts", &self.facts);
    }

    pub(super) fn load(from: &SectionReader<'_>, bank: &Matrix) -> Result<Self, StateError> {
        let (rows, facts) = (from.bytes("rounded")?, from.matrix_of("rounded_facts", 3)?);
        let same = rows.rows() == bank.rows() && rows.columns() == bank.columns();
        if same && facts.rows() == bank.rows() {
            return Ok(Self { rows, facts });
        }
        Err(StateError::Unexpected {
            name: "bank.rounded".to_owned(),
            expected: "as large as the bank".to_owned(),
        })
    }
}

/// Lower bounds of the squared distances from one vector.
#[derive(Debug, Clone)]
pub(super) struct RoundedBounds<'a> {
    bank: &'a Rounded,
    vector: &'a [f32],
    squared: f32,
}

impl RoundedBounds<'_> {
    /// The bound of a row.
    pub(super) fn of(&self, row: usize) -> f32 {
        let &[unit, length, off] = self.bank.facts.row(row) else {
            return 0.0;
        };
        let product = unit * dot_rounded(self.vector, self.bank.rows.row(row));
        let lost = SLACK * (self.squared + length);
        let distance = (self.squared - 2.0 * product + length - lost)
            .max(0.0)
            .sqrt();
        (distance - off).max(0.0).powi(2)
    }
}

/// Rounds one row; gives its unit, squared length and distance from the true one.
fn round(row: &[f32], into: &mut [i8]) -> [f32; 3] {
    let largest = row
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    let unit = if largest > 0.0 {
        largest / LARGEST
    } else {
        1.0
    };
    let (mut length, mut off) = (0.0, 0.0);
    for (&value, rounded) in row.iter().zip(into) {
        *rounded = (value / unit).round().clamp(-LARGEST, LARGEST) as i8;
        let near = f64::from(unit) * f64::from(*rounded);
        length += near * near;
        off += (f64::from(value) - near).powi(2);
    }
    [
        unit,
        length as f32,
        (off.sqrt() as f32 * (1.0 + 1e-6)).next_up(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::squared_distance;
    use crate::random::Random;

    #[test]
    fn bounds_never_exceed_the_distance_and_lie_near_it() {
        let mut random = Random::new(2);
        let bank = Matrix::from_fn(200, 130, |i, _| {
            (random.normal() * 1.1_f64.powi(i as i32 - 100)) as f32
        });
        let rounded = Rounded::fit(&bank).unwrap();
        for query in bank.iter_rows().step_by(7) {
            let bound = rounded.bounds(query);
            for (row, other) in bank.iter_rows().enumerate() {
                let (low, exact) = (bound.of(row), squared_distance(query, other));
                assert!(low <= exact, "{row}: {low} {exact}");
                let both = dot(query, query) + dot(other, other);
                assert!(exact - low <= 0.15 * both, "{row}: {low} {exact}");
            }
        }
    }
}
