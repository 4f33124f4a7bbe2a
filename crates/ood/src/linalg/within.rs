use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use super::precision::floor;
use super::spread::Spread;
use super::{Precision, class_means};
use crate::Matrix;
use crate::error::FitError;

/// Images, their class means and the covariance of their deviations from those, which all classes
/// share.
#[derive(Debug)]
pub(crate) struct WithinClass {
    pub(crate) spread: Spread,
    /// Rows of each class that has images.
    pub(crate) class_rows: Vec<Vec<usize>>,
    /// Mean of each of these classes.
    pub(crate) means: Vec<Vec<f64>>,
    /// Part of the images in each of these classes.
    pub(crate) parts: Vec<f64>,
}

impl WithinClass {
    /// Measures the covariance about the class means; classes without images are left out.
    pub(crate) fn fit(features: &Matrix, class_rows: &[Vec<usize>]) -> Self {
        let populated = class_rows.iter().filter(|rows| !rows.is_empty());
        let class_rows: Vec<Vec<usize>> = populated.cloned().collect();
        let means = class_means(features, &class_rows);
        let count: usize = class_rows.iter().map(Vec::len).sum();
        let part = |rows: &Vec<usize>| rows.len() as f64 / count.max(1) as f64;
        Self {
            spread: Spread::fit(features, &class_rows, &means),
            parts: class_rows.iter().map(part).collect(),
            class_rows,
            means,
        }
    }

    /// The inverse covariance, shrunk (Ledoit and Wolf) or not.
    pub(crate) fn precision(&self, shrink: bool) -> Result<Precision, FitError> {
        Precision::of(&self.spread, shrink)
    }

    /// The inverse covariance times each vector.
    ///
    /// A shrunk covariance that is far from singular is factored (Cholesky), which is many times
    /// faster than its axes; any other takes the axes, which bear singular ones.
    pub(crate) fn solve(
        &self,
        vectors: &[Vec<f64>],
        shrink: bool,
    ) -> Result<Vec<Vec<f64>>, FitError> {
        if shrink && let Some(found) = self.solve_shrunk(vectors) {
            return Ok(found);
        }
        let precision = self.precision(shrink)?;
        Ok(vectors.iter().map(|row| precision.apply(row)).collect())
    }

    fn solve_shrunk(&self, vectors: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        let (shrinkage, mean_variance) = self.spread.ledoit_wolf();
        let smallest = shrinkage * mean_variance;
        let covariance = self.spread.covariance()?;
        // The trace bounds the largest variance, so no floor can be reached.
        let largest = mean_variance * covariance.nrows() as f64;
        if smallest <= floor(largest) {
            return None;
        }
        let n = covariance.nrows();
        let shrunk = Mat::from_fn(n, n, |i, j| {
            (1.0 - shrinkage) * covariance[(i, j)] + if i == j { smallest } else { 0.0 }
        });
        let factor = shrunk.llt(Side::Lower).ok()?;
        let right = Mat::from_fn(n, vectors.len(), |i, j| vectors[j][i]);
        let solved = factor.solve(right);
        let column = |j| (0..n).map(|i| solved[(i, j)]).collect();
        Some((0..vectors.len()).map(column).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn both_ways_of_solving_agree() {
        let mut random = Random::new(3);
        let features = Matrix::from_fn(60, 5, |_, j| (random.normal() * (1.0 + j as f64)) as f32);
        let rows = [(0..30).collect(), Vec::new(), (30..60).collect()];
        let within = WithinClass::fit(&features, &rows);
        assert_eq!(within.means.len(), 2);
        let vectors = vec![
            vec![1.0, -2.0, 0.5, 3.0, 1.0],
            vec![0.0, 1.0, 0.0, 0.0, 2.0],
        ];
        let factored = within.solve_shrunk(&vectors).unwrap();
        let precision = within.precision(true).unwrap();
        for (vector, found) in vectors.iter().zip(&factored) {
            for (a, b) in found.iter().zip(precision.apply(vector)) {
                assert!((a - b).abs() < 1e-10, "{a} {b}");
            }
        }
    }
}
