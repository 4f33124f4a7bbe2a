use super::tree::Node;
use super::{ForestOptions, Tree};
use crate::Matrix;
use crate::random::Random;

/// Grows single trees of a forest.
#[derive(Debug)]
pub(super) struct Grower<'a> {
    samples: &'a Matrix<f64>,
    outlier: &'a [bool],
    smallest_leaf: usize,
    /// Weight of an in-distribution sample and of an outlier.
    weights: [f64; 2],
    /// How many columns each split looks at.
    columns_tried: usize,
}

/// Summed weight of the in-distribution samples and of the outliers of a node.
type Weights = [f64; 2];

/// A way to part a node's samples.
#[derive(Debug, Clone, Copy)]
struct Split {
    column: usize,
    threshold: f64,
    impurity: f64,
}

impl<'a> Grower<'a> {
    pub(super) fn new(
        samples: &'a Matrix<f64>,
        outlier: &'a [bool],
        options: &ForestOptions,
    ) -> Self {
        let outliers = outlier.iter().filter(|&&is| is).count();
        let part = |count: usize| outlier.len() as f64 / (2 * count.max(1)) as f64;
        let weights = if options.balanced {
            [part(outlier.len() - outliers), part(outliers)]
        } else {
            [1.0, 1.0]
        };
        Self {
            samples,
            outlier,
            smallest_leaf: options.smallest_leaf.max(1),
            weights,
            columns_tried: ((samples.columns() as f64).sqrt() as usize).max(1),
        }
    }

    /// Grows one tree on a bootstrap sample.
    pub(super) fn grow(&self, random: &mut Random) -> Tree {
        let n = self.samples.rows();
        let mut rows: Vec<usize> = (0..n).map(|_| random.below(n)).collect();
        let mut nodes = vec![Node::leaf(0.0)];
        let mut open = vec![(0_usize, 0..n)];
        while let Some((index, range)) = open.pop() {
            let Some(split) = self.best_split(&rows[range.clone()], random) else {
                nodes[index] = Node::leaf(self.probability(&rows[range]));
                continue;
            };
            let middle = range.start + self.part(&mut rows[range.clone()], split);
            let left = nodes.len();
            nodes.extend([Node::leaf(0.0), Node::leaf(0.0)]);
            nodes[index] = Node::split(split.column, split.threshold, left as u32, left as u32 + 1);
            open.push((left + 1, middle..range.end));
            open.push((left, range.start..middle));
        }
        Tree::grown(nodes)
    }

    fn value(&self, row: usize, column: usize) -> f64 {
        self.samples.row(row)[column]
    }

    fn weigh(&self, rows: &[usize]) -> Weights {
        let mut sums = [0.0; 2];
        for &row in rows {
            let class = usize::from(self.outlier[row]);
            sums[class] += self.weights[class];
        }
        sums
    }

    fn probability(&self, rows: &[usize]) -> f64 {
        let [inside, outside] = self.weigh(rows);
        if outside > 0.0 {
            outside / (inside + outside)
        } else {
            0.0
        }
    }

    /// Moves the rows up to the threshold to the front and says how many they are.
    fn part(&self, rows: &mut [usize], split: Split) -> usize {
        let goes_left = |row: usize| self.value(row, split.column) <= split.threshold;
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for &row in rows.iter() {
            if goes_left(row) {
                left.push(row);
            } else {
                right.push(row);
            }
        }
        let middle = left.len();
        left.append(&mut right);
        rows.copy_from_slice(&left);
        middle
    }

    /// The split that lowers the impurity most among the columns tried; `None` for a leaf.
    ///
    /// As in scikit-learn, constant columns do not count as tried.
    fn best_split(&self, rows: &[usize], random: &mut Random) -> Option<Split> {
        let sums = self.weigh(rows);
        if rows.len() < 2 * self.smallest_leaf || sums[0] <= 0.0 || sums[1] <= 0.0 {
            return None;
        }
        let mut columns: Vec<usize> = (0..self.samples.columns()).collect();
        random.shuffle(&mut columns);
        let mut best: Option<Split> = None;
        let mut tried = 0;
        for column in columns {
            if tried == self.columns_tried {
                break;
            }
            let mut sorted: Vec<(f64, usize)> = rows
                .iter()
                .map(|&row| (self.value(row, column), row))
                .collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            if sorted.first().map(|a| a.0) == sorted.last().map(|a| a.0) {
                continue;
            }
            tried += 1;
            let found = self.best_threshold(&sorted, sums, column);
            if let Some(found) = found
                && best.is_none_or(|best| found.impurity < best.impurity)
            {
                best = Some(found);
            }
        }
        best
    }

    /// The best threshold of one column: the middle between two neighbouring values.
    fn best_threshold(
        &self,
        sorted: &[(f64, usize)],
        sums: Weights,
        column: usize,
    ) -> Option<Split> {
        let mut best: Option<Split> = None;
        let mut left = [0.0; 2];
        for (i, pair) in sorted.windows(2).enumerate() {
            let class = usize::from(self.outlier[pair[0].1]);
            left[class] += self.weights[class];
            let (low, high) = (pair[0].0, pair[1].0);
            let leaves = i + 1 >= self.smallest_leaf && sorted.len() - i > self.smallest_leaf;
            if low >= high || !leaves {
                continue;
            }
            let right = [sums[0] - left[0], sums[1] - left[1]];
            let impurity = gini(left) + gini(right);
            if best.is_none_or(|best| impurity < best.impurity) {
                best = Some(Split {
                    column,
                    threshold: middle(low, high),
                    impurity,
                });
            }
        }
        best
    }
}

/// Gini impurity times weight: `2 a b / (a + b)`.
fn gini([a, b]: Weights) -> f64 {
    if a + b > 0.0 {
        2.0 * a * b / (a + b)
    } else {
        0.0
    }
}

/// The middle of two numbers, never above the lower half's reach nor at the higher number.
fn middle(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    if middle >= high { low } else { middle }
}
