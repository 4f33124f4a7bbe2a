use std::sync::Arc;

use rayon::prelude::*;

use super::pruning::Pruning;
use super::rounded::Rounded;
use super::search::Search;
use super::top::Smallest;
use crate::error::ScoreError;
use crate::kernels::squared_distances;
use crate::query::prepare_together;
use crate::state::{SectionReader, StateError, StateReader, StateWriter};
use crate::{Matrix, Query};

/// How many rows are compared at once.
const BLOCK: usize = 256;
/// More rows than this are looked at on several cores.
const SHARE: usize = 4096;
/// Smaller banks are searched row by row: they fit the processor's cache.
const FEWEST_PRUNED: usize = 1000;

/// The feature vectors of the fitted images with their labels, to be searched exactly.
#[derive(Debug)]
pub(crate) struct Bank {
    pub(super) features: Matrix,
    labels: Vec<u32>,
    /// Whether features are scaled to length 1 before they are compared.
    normalise: bool,
    /// How many neighbours a search looks for: as many as the most demanding detector needs.
    pub(super) k: usize,
    /// Bounds that spare most rows; banks that fit the processor's cache have none.
    pruning: Option<(Pruning, Rounded)>,
}

/// The nearest fitted images of one image, the nearest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Neighbours {
    /// Squared Euclidean distances, ascending.
    pub(crate) distances: Vec<f32>,
    /// Rows of the bank.
    pub(crate) rows: Vec<u32>,
}

impl From<Smallest> for Neighbours {
    fn from(smallest: Smallest) -> Self {
        let (distances, rows) = smallest.into_sorted();
        Self { distances, rows }
    }
}

impl Bank {
    /// Builds a bank of all rows (scaled to length 1 already if `normalise`); `labels` may be
    /// empty.
    pub(crate) fn new(features: &Matrix, labels: Vec<u32>, normalise: bool, k: usize) -> Self {
        let large = features.rows() >= FEWEST_PRUNED;
        // Without axes every row is looked at: slower, and as exact.
        let pruning = large.then(|| Pruning::fit(features).ok()).flatten();
        let pruning = pruning.and_then(|pruning| Some((pruning, Rounded::fit(features)?)));
        Self {
            features: features.clone(),
            labels,
            normalise,
            k,
            pruning,
        }
    }

    /// Name of the bank's section in the files.
    pub(crate) fn section(normalise: bool) -> &'static str {
        if normalise { "bank.unit" } else { "bank.raw" }
    }

    /// How many numbers the bank's vectors have in all.
    pub(crate) fn numbers(&self) -> usize {
        self.features.data().len()
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

    /// Searches the neighbours of many images: the same as one by one, with less memory read.
    pub(crate) fn prepare(self: &Arc<Self>, queries: &[Query<'_>]) {
        let Some((pruning, rounded)) = &self.pruning else {
            return;
        };
        let view = (self.normalise, self.features.columns());
        prepare_together(queries, self, view, |vectors| {
            let bounds = pruning.bounds_together(vectors);
            let images = vectors.iter().zip(queries).enumerate();
            let mut searches: Vec<Search<'_>> = images
                .map(|(place, (vector, query))| {
                    let bounds = bounds.col_as_slice(place);
                    Search::new(self, vector, query.excluded(), bounds, rounded)
                })
                .collect();
            for start in (0..self.features.rows()).step_by(BLOCK) {
                let block = start..self.features.rows().min(start + BLOCK);
                for search in &mut searches {
                    let open = search.open(block.clone());
                    search.look(&open);
                }
            }
            let found = searches.into_iter().map(|search| search.nearest.into());
            found.collect::<Vec<Neighbours>>()
        });
    }

    /// The `k` nearest rows of a vector without the row `excluded`.
    pub(crate) fn search(&self, vector: &[f32], excluded: Option<usize>) -> Neighbours {
        match &self.pruning {
            Some((pruning, rounded)) => {
                self.pruned_search(vector, excluded, &pruning.bounds(vector), rounded)
            }
            None => self.full_search(vector, excluded),
        }
        .into()
    }

    fn full_search(&self, vector: &[f32], excluded: Option<usize>) -> Smallest {
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
        smallest
    }

    fn pruned_search(
        &self,
        vector: &[f32],
        excluded: Option<usize>,
        bounds: &[f32],
        rounded: &Rounded,
    ) -> Smallest {
        let mut search = Search::new(self, vector, excluded, bounds, rounded);
        let open = search.open(0..bounds.len());
        if open.len() <= SHARE {
            search.look(&open);
            return search.nearest;
        }
        let look = |rows: &[u32]| {
            let mut search = search.clone();
            search.look(rows);
            search.nearest
        };
        let shares = open.par_chunks(SHARE).map(look);
        shares.reduce(|| search.nearest.clone(), Smallest::merged)
    }

    pub(crate) fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::section(self.normalise));
        section.matrix("features", &self.features);
        section.number("neighbours", self.k as f64);
        if !self.labels.is_empty() {
            section.indices("labels", &self.labels);
        }
        if let Some((pruning, rounded)) = &self.pruning {
            pruning.save(&mut section);
            rounded.save(&mut section);
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
        let features = from.matrix("features")?;
        let k = from.count("neighbours")?.min(features.rows());
        let pruning = match Pruning::load(from, features.rows()) {
            Err(StateError::Missing(_)) => None,
            other => Some((other?, Rounded::load(from, &features)?)),
        };
        Ok(Self {
            features,
            labels,
            normalise,
            k,
            pruning,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ActivationSet;

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
    fn pruning_finds_the_same_neighbours() {
        let mut random = crate::random::Random::new(31);
        // Variances fall along the dimensions of one bank and are all the same in the other.
        for decay in [0.05, 0.0] {
            let mut value = |j: usize| (random.normal() * (-decay * j as f64).exp()) as f32;
            let features = Matrix::from_fn(1500, 100, |_, j| value(j));
            let queries = Matrix::from_fn(20, 100, |_, j| value(j));
            let bank = Bank::new(&features, vec![], false, 10);
            assert!(bank.pruning.is_some());
            for (row, query) in queries
                .iter_rows()
                .chain(features.iter_rows().take(5))
                .enumerate()
            {
                let full: Neighbours = bank.full_search(query, Some(row)).into();
                assert_eq!(bank.search(query, Some(row)), full);
            }
            let (bank, set) = (Arc::new(bank), ActivationSet::new(queries).unwrap());
            let asked: Vec<Query<'_>> = (0..set.len())
                .map(|row| Query::of(&set, row).excluding(row))
                .collect();
            bank.prepare(&asked);
            for (row, query) in asked.iter().enumerate() {
                assert!(query.knows(&bank));
                let single = bank.search(set.features().row(row), Some(row));
                assert_eq!(*bank.neighbours(query).unwrap(), single);
            }
        }
    }

    #[test]
    fn fewer_images_than_neighbours_give_what_there_is() {
        let features = Matrix::new(2, 1, vec![0.0, 1.0]).unwrap();
        let bank = Bank::new(&features, vec![], false, 10);
        assert_eq!(bank.search(&[0.4], None).rows, [0, 1]);
    }
}
