use std::sync::Arc;

use super::top::Smallest;
use crate::error::ScoreError;
use crate::kernels::squared_distances;
use crate::state::{SectionReader, StateError, StateReader, StateWriter};
use crate::{Matrix, Query};

/// How many rows are compared at once.
const BLOCK: usize = 256;

/// The feature vectors of the fitted images with their labels, to be searched exactly.
#[derive(Debug)]
pub(crate) struct Bank {
    features: Matrix,
    labels: Vec<u32>,
    /// Whether features are scaled to length 1 before they are compared.
    normalise: bool,
    /// How many neighbours a search looks for: as many as the most demanding detector needs.
    k: usize,
}

/// The nearest fitted images of one image, the nearest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Neighbours {
    /// Squared Euclidean distances, ascending.
    pub(crate) distances: Vec<f32>,
    /// Rows of the bank.
    pub(crate) rows: Vec<u32>,
}

impl Bank {
    /// Builds a bank of all rows; `labels` may be empty.
    pub(crate) fn new(features: &Matrix, labels: Vec<u32>, normalise: bool, k: usize) -> Self {
        let features = if normalise {
            features.unit_rows()
        } else {
            features.clone()
        };
        Self {
            features,
            labels,
            normalise,
            k,
        }
    }

    /// Name of the bank's section in the files.
    pub(crate) fn section(normalise: bool) -> &'static str {
        if normalise { "bank.unit" } else { "bank.raw" }
    }

    /// Number of images in the bank.
    pub(crate) fn len(&self) -> usize {
        self.features.rows()
    }

    /// The label of a row, if the bank has labels.
    pub(crate) fn label(&self, row: u32) -> Option<u32> {
        self.labels.get(row as usize).copied()
    }

    /// The neighbours of an image, searched once for all detectors.
    pub(crate) fn neighbours(
        self: &Arc<Self>,
        query: &Query<'_>,
    ) -> Result<Arc<Neighbours>, ScoreError> {
        query.memo(self, || {
            let vector = query.view(self.normalise, self.features.columns())?;
            Ok(self.search(vector, query.excluded()))
        })
    }

    /// The `k` nearest rows of a vector without the row `excluded`.
    pub(crate) fn search(&self, vector: &[f32], excluded: Option<usize>) -> Neighbours {
        let mut smallest = Smallest::new(self.k);
        let mut distances = [0.0_f32; BLOCK];
        let blocks = self.features.data().chunks(BLOCK * self.features.columns());
        for (block, rows) in blocks.enumerate() {
            let distances = &mut distances[..rows.len() / self.features.columns()];
            squared_distances(vector, rows, distances);
            for (i, &distance) in distances.iter().enumerate() {
                let row = block * BLOCK + i;
                if excluded != Some(row) {
                    smallest.offer(distance, row as u32);
                }
            }
        }
        let (distances, rows) = smallest.into_sorted();
        Neighbours { distances, rows }
    }

    pub(crate) fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::section(self.normalise));
        section.matrix("features", &self.features);
        section.number("neighbours", self.k as f64);
        if !self.labels.is_empty() {
            section.indices("labels", &self.labels);
        }
    }

    /// Reads the bank that several detectors share.
    pub(crate) fn load(from: &StateReader, normalise: bool) -> Result<Arc<Self>, StateError> {
        from.shared(Self::section(normalise), |section| {
            Self::read(section, normalise)
        })
    }

    fn read(from: &SectionReader<'_>, normalise: bool) -> Result<Self, StateError> {
        let labels = match from.indices("labels") {
            Err(StateError::Missing(_)) => Vec::new(),
            other => other?,
        };
        let k = from.number("neighbours")? as usize;
        Ok(Self {
            features: from.matrix("features")?,
            labels,
            normalise,
            k,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_the_bank_is_not_its_own_neighbour_when_excluded() {
        let features = Matrix::new(4, 1, vec![0.0, 1.0, 3.0, 7.0]).unwrap();
        let bank = Bank::new(&features, vec![], false, 2);
        assert_eq!(bank.search(&[1.0], None).rows, [1, 0]);
        let without = bank.search(&[1.0], Some(1));
        assert_eq!(
            (without.rows, without.distances),
            (vec![0, 2], vec![1.0, 4.0])
        );
    }

    #[test]
    fn fewer_images_than_neighbours_give_what_there_is() {
        let features = Matrix::new(2, 1, vec![0.0, 1.0]).unwrap();
        let bank = Bank::new(&features, vec![], false, 10);
        assert_eq!(bank.search(&[0.4], None).rows, [0, 1]);
    }
}
