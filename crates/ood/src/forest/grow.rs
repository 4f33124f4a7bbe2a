use std::ops::Range;

use super::tree::Node;
use super::{ForestOptions, Tree};
use crate::Matrix;
use crate::random::Random;

/// Grows single trees of a forest.
///
/// Numbers are compared by their rank among all samples, which is found once for each column: a
/// node sorts whole numbers.
#[derive(Debug)]
pub(super) struct Grower {
    columns: Vec<Column>,
    outlier: Vec<bool>,
    smallest_leaf: usize,
    /// Weight of an in-distribution sample and of an outlier.
    weights: Weights,
    /// How many columns each split looks at.
    columns_tried: usize,
}

/// One column of the samples.
#[derive(Debug)]
struct Column {
    /// Of each sample the rank of its value (upper half) and its row (lower half).
    keys: Vec<u64>,
    /// All values, ascending.
    values: Vec<f64>,
}

/// Summed weight of the in-distribution samples and of the outliers of a node.
type Weights = [f64; 2];

/// A way to part a node's samples.
#[derive(Debug, Clone, Copy)]
struct Split {
    column: usize,
    /// The highest rank that goes left.
    rank: usize,
    threshold: f64,
    impurity: f64,
}

impl Column {
    fn new(samples: &Matrix<f64>, column: usize) -> Self {
        let value = |row: usize| samples.row(row)[column];
        let mut values: Vec<f64> = (0..samples.rows()).map(value).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        let rank = |row: usize| values.partition_point(|known| *known < value(row)) as u64;
        let keys = (0..samples.rows()).map(|row| rank(row) << 32 | row as u64);
        Self {
            keys: keys.collect(),
            values,
        }
    }
}

fn rank_of(key: u64) -> usize {
    (key >> 32) as usize
}

fn row_of(key: u64) -> usize {
    (key & u64::from(u32::MAX)) as usize
}

/// A tree under way.
struct Growth {
    /// Weights of each sample: how often it was drawn times its class's weight, in its class.
    drawn: Vec<Weights>,
    /// The drawn samples; each node owns a stretch.
    rows: Vec<u32>,
    /// Room to part and to sort.
    spare: Vec<u32>,
    keys: Vec<u64>,
}

impl Grower {
    pub(super) fn new(samples: &Matrix<f64>, outlier: &[bool], options: &ForestOptions) -> Self {
        let outliers = outlier.iter().filter(|&&is| is).count();
        let part = |count: usize| outlier.len() as f64 / (2 * count.max(1)) as f64;
        let weights = if options.balanced {
            [part(outlier.len() - outliers), part(outliers)]
        } else {
            [1.0, 1.0]
        };
        let columns = 0..samples.columns();
        Self {
            columns: columns.map(|j| Column::new(samples, j)).collect(),
            outlier: outlier.to_vec(),
            smallest_leaf: options.smallest_leaf.max(1),
            weights,
            columns_tried: ((samples.columns() as f64).sqrt() as usize).max(1),
        }
    }

    /// Grows one tree on a bootstrap sample.
    pub(super) fn grow(&self, random: &mut Random) -> Tree {
        let mut growth = self.draw(random);
        let mut nodes = vec![Node::leaf(0.0)];
        let mut open = vec![(0_usize, 0..growth.rows.len())];
        while let Some((index, range)) = open.pop() {
            let Some(split) = self.best_split(&mut growth, range.clone(), random) else {
                nodes[index] = Node::leaf(probability(growth.weigh(range)));
                continue;
            };
            let middle = growth.part(range.clone(), &self.columns[split.column], split.rank);
            let left = nodes.len();
            nodes.extend([Node::leaf(0.0), Node::leaf(0.0)]);
            nodes[index] = Node::split(split.column, split.threshold, left as u32, left as u32 + 1);
            open.push((left + 1, middle..range.end));
            open.push((left, range.start..middle));
        }
        Tree::grown(nodes)
    }

    /// A bootstrap sample: a sample that is drawn twice weighs twice as much.
    fn draw(&self, random: &mut Random) -> Growth {
        let n = self.outlier.len();
        let mut drawn = vec![[0.0; 2]; n];
        for _ in 0..n {
            let row = random.below(n);
            let class = usize::from(self.outlier[row]);
            drawn[row][class] += self.weights[class];
        }
        let is_drawn = |row: &u32| drawn[*row as usize].iter().any(|&weight| weight > 0.0);
        let rows: Vec<u32> = (0..n as u32).filter(is_drawn).collect();
        Growth {
            drawn,
            spare: Vec::with_capacity(rows.len()),
            keys: Vec::with_capacity(rows.len()),
            rows,
        }
    }

    /// The split that lowers the impurity most among the columns tried; `None` for a leaf.
    ///
    /// As in scikit-learn, constant columns do not count as tried.
    fn best_split(
        &self,
        growth: &mut Growth,
        range: Range<usize>,
        random: &mut Random,
    ) -> Option<Split> {
        let sums = growth.weigh(range.clone());
        if range.len() < 2 * self.smallest_leaf || sums[0] <= 0.0 || sums[1] <= 0.0 {
            return None;
        }
        let mut columns: Vec<usize> = (0..self.columns.len()).collect();
        random.shuffle(&mut columns);
        let mut best: Option<Split> = None;
        let mut tried = 0;
        for column in columns {
            if tried == self.columns_tried {
                break;
            }
            growth.sort(range.clone(), &self.columns[column]);
            let keys = &growth.keys;
            if keys.first().map(|&key| rank_of(key)) == keys.last().map(|&key| rank_of(key)) {
                continue;
            }
            tried += 1;
            let found = self.best_threshold(growth, sums, column);
            if let Some(found) = found
                && best.is_none_or(|best| found.impurity < best.impurity)
            {
                best = Some(found);
            }
        }
        best
    }

    /// The best threshold of one column: the middle between two neighbouring values.
    fn best_threshold(&self, growth: &Growth, sums: Weights, column: usize) -> Option<Split> {
        let sorted = growth.keys.as_slice();
        let mut best: Option<(f64, usize, usize)> = None;
        let mut left = [0.0; 2];
        for (i, pair) in sorted.windows(2).enumerate() {
            let weights = growth.drawn[row_of(pair[0])];
            left = [left[0] + weights[0], left[1] + weights[1]];
            let (low, high) = (rank_of(pair[0]), rank_of(pair[1]));
            let leaves = i + 1 >= self.smallest_leaf && sorted.len() - i > self.smallest_leaf;
            if low == high || !leaves {
                continue;
            }
            let right = [sums[0] - left[0], sums[1] - left[1]];
            let impurity = gini(left) + gini(right);
            if best.is_none_or(|(least, ..)| impurity < least) {
                best = Some((impurity, low, high));
            }
        }
        let values = &self.columns[column].values;
        best.map(|(impurity, low, high)| Split {
            column,
            rank: low,
            threshold: middle(values[low], values[high]),
            impurity,
        })
    }
}

impl Growth {
    fn weigh(&self, range: Range<usize>) -> Weights {
        self.rows[range].iter().fold([0.0; 2], |sums, &row| {
            let [inside, outside] = self.drawn[row as usize];
            [sums[0] + inside, sums[1] + outside]
        })
    }

    /// Sorts a node's samples by one column.
    fn sort(&mut self, range: Range<usize>, column: &Column) {
        self.keys.clear();
        let keys = self.rows[range].iter();
        self.keys.extend(keys.map(|&row| column.keys[row as usize]));
        self.keys.sort_unstable();
    }

    /// Moves the rows up to the rank to the front of the node and says where the others begin.
    fn part(&mut self, range: Range<usize>, column: &Column, rank: usize) -> usize {
        self.spare.clear();
        let mut middle = range.start;
        for place in range.clone() {
            let row = self.rows[place];
            if rank_of(column.keys[row as usize]) <= rank {
                self.rows[middle] = row;
                middle += 1;
            } else {
                self.spare.push(row);
            }
        }
        self.rows[middle..range.end].copy_from_slice(&self.spare);
        middle
    }
}

fn probability([inside, outside]: Weights) -> f64 {
    if outside > 0.0 {
        outside / (inside + outside)
    } else {
        0.0
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
