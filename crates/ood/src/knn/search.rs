use std::ops::Range;

use super::Bank;
use super::rounded::{Rounded, RoundedBounds};
use super::top::Smallest;
use crate::kernels::squared_distance;

/// One image's search: it looks at the rows with the lowest bounds first, then at those that still
/// may be nearer by those bounds and by the bounds of the rounded rows.
#[derive(Debug, Clone)]
pub(super) struct Search<'a> {
    bank: &'a Bank,
    vector: &'a [f32],
    excluded: Option<usize>,
    bounds: &'a [f32],
    rounded: RoundedBounds<'a>,
    /// The rows that were looked at first.
    first: Vec<u32>,
    /// The nearest rows so far.
    pub(super) nearest: Smallest,
}

impl<'a> Search<'a> {
    /// Begins a search by lower bounds of the squared distances to all rows.
    pub(super) fn new(
        bank: &'a Bank,
        vector: &'a [f32],
        excluded: Option<usize>,
        bounds: &'a [f32],
        rounded: &'a Rounded,
    ) -> Self {
        let mut promising = Smallest::new(bank.k + 1);
        for (row, &bound) in bounds.iter().enumerate() {
            if bound <= promising.limit() {
                promising.offer(bound, row as u32);
            }
        }
        let (_, first) = promising.into_sorted();
        let mut search = Self {
            bank,
            vector,
            excluded,
            bounds,
            rounded: rounded.bounds(vector),
            first: Vec::new(),
            nearest: Smallest::new(bank.k),
        };
        for &row in &first {
            if search.wants(row) {
                search.offer(row);
            }
        }
        Self { first, ..search }
    }

    fn wants(&self, row: u32) -> bool {
        self.excluded != Some(row as usize) && !self.first.contains(&row)
    }

    fn offer(&mut self, row: u32) {
        let distance = squared_distance(self.vector, self.bank.features.row(row as usize));
        self.nearest.offer(distance, row);
    }

    /// Those of the rows that may be near by their bounds.
    pub(super) fn open(&self, rows: Range<usize>) -> Vec<u32> {
        let limit = self.nearest.limit();
        let bounds = rows.clone().zip(&self.bounds[rows]);
        let open = bounds.filter(|(_, bound)| **bound <= limit);
        let open = open.map(|(row, _)| row as u32);
        open.filter(|row| self.wants(*row)).collect()
    }

    /// Looks at rows whose bounds allow it.
    pub(super) fn look(&mut self, rows: &[u32]) {
        for &row in rows {
            let limit = self.nearest.limit();
            let may = self.bounds[row as usize] <= limit && self.rounded.of(row as usize) <= limit;
            if may {
                self.offer(row);
            }
        }
    }
}
