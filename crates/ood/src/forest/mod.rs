//! A random forest of classification trees that gives probabilities.
//!
//! Breiman, "Random Forests", Machine Learning 45, 2001: each tree is grown on a bootstrap
//! sample, each split looks at `sqrt(columns)` random columns and takes the one that lowers the
//! Gini impurity most; a leaf holds the part of its samples that are outliers, and the forest's
//! answer is the mean over its trees. The same data and seed give the same forest.

mod grow;
mod tree;

use rayon::prelude::*;

use crate::Matrix;
use crate::random::Random;
use crate::state::{SectionReader, SectionWriter, StateError};
use grow::Grower;
pub(crate) use tree::Tree;

/// How a forest is grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForestOptions {
    /// Number of trees.
    pub(crate) trees: usize,
    /// Leaves hold at least this many samples.
    pub(crate) smallest_leaf: usize,
    /// Weighs both classes equally, however many samples each has.
    pub(crate) balanced: bool,
    /// Where the random numbers begin.
    pub(crate) seed: u64,
}

/// A fitted forest.
#[derive(Debug, Clone)]
pub(crate) struct Forest {
    trees: Vec<Tree>,
    /// All trees' nodes as they are written, see [`Tree::nodes`].
    nodes: Matrix<f64>,
}

impl Forest {
    /// Grows a forest that tells rows of `samples` marked in `outlier` from the others.
    pub(crate) fn fit(samples: &Matrix<f64>, outlier: &[bool], options: &ForestOptions) -> Self {
        let grower = Grower::new(samples, outlier, options);
        let trees = (0..options.trees as u64).into_par_iter();
        let grown = trees.map(|tree| grower.grow(&mut Random::part(options.seed, tree)));
        Self::of(grown.collect())
    }

    pub(crate) fn of(trees: Vec<Tree>) -> Self {
        let nodes: Vec<[f64; 5]> = trees.iter().flat_map(Tree::nodes).collect();
        let nodes = Matrix::from_fn(nodes.len(), 5, |i, j| nodes[i][j]);
        Self { trees, nodes }
    }

    /// Probability in `0..=1` that a row is an outlier.
    pub(crate) fn probability(&self, row: &[f64]) -> f64 {
        let sum: f64 = self.trees.iter().map(|tree| tree.probability(row)).sum();
        sum / self.trees.len().max(1) as f64
    }

    pub(crate) fn save<'a>(&'a self, to: &mut SectionWriter<'_, 'a>) {
        to.matrix64("nodes", &self.nodes);
    }

    /// Reads a forest whose rows have `columns` numbers.
    pub(crate) fn load(from: &SectionReader<'_>, columns: usize) -> Result<Self, StateError> {
        let nodes = from.matrix64("nodes")?;
        let trees = Tree::read_all(&nodes, columns).ok_or(StateError::Unexpected {
            name: "forest.nodes".to_owned(),
            expected: "a forest".to_owned(),
        })?;
        Ok(Self { trees, nodes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: ForestOptions = ForestOptions {
        trees: 50,
        smallest_leaf: 1,
        balanced: false,
        seed: 3,
    };

    /// Two columns of noise and one that tells the classes apart.
    fn samples(n: usize) -> (Matrix<f64>, Vec<bool>) {
        let mut random = Random::new(11);
        let outlier: Vec<bool> = (0..n).map(|i| i % 3 == 0).collect();
        let samples = Matrix::from_fn(n, 3, |row, column| {
            random.normal()
                + if column == 1 && outlier[row] {
                    3.0
                } else {
                    0.0
                }
        });
        (samples, outlier)
    }

    #[test]
    fn the_informative_column_is_found() {
        let (train, marks) = samples(300);
        let forest = Forest::fit(&train, &marks, &OPTIONS);
        assert!(forest.probability(&[0.0, 4.0, 0.0]) > 0.9);
        assert!(forest.probability(&[0.0, -1.0, 0.0]) < 0.1);
    }

    #[test]
    fn the_same_seed_gives_the_same_forest() {
        let (train, marks) = samples(100);
        let first = Forest::fit(&train, &marks, &OPTIONS);
        let again = Forest::fit(&train, &marks, &OPTIONS);
        let other = Forest::fit(&train, &marks, &ForestOptions { seed: 4, ..OPTIONS });
        assert_eq!(first.nodes.data(), again.nodes.data());
        assert_ne!(first.nodes.data(), other.nodes.data());
    }

    #[test]
    fn one_class_gives_its_own_probability() {
        let (train, _) = samples(10);
        let forest = Forest::fit(&train, &[false; 10], &OPTIONS);
        assert!(forest.probability(&[0.0, 9.0, 0.0]).abs() < 1e-12);
    }
}
