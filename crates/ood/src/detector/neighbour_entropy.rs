use std::sync::Arc;

use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::knn::{Bank, Neighbours};
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Entropy of the neighbours' labels to base `k`, plus 1: in `1..=2`.
///
/// 1 when all `k` neighbours have one label, 2 when no two share one. From COOD (arXiv
/// 2403.06874) as the Geti SDK computes it.
#[derive(Debug)]
pub(crate) struct NeighbourEntropy {
    bank: Arc<Bank>,
    k: usize,
}

impl NeighbourEntropy {
    pub(crate) const NAME: &'static str = "neighbour_entropy";

    pub(crate) fn fit(context: &FitContext<'_>, k: usize, normalise: bool) -> Result<Self, Reason> {
        check(context)?;
        Ok(Self {
            bank: context.bank(normalise),
            k,
        })
    }

    pub(crate) fn load(from: &StateReader, k: usize, normalise: bool) -> Result<Self, StateError> {
        Ok(Self {
            bank: Bank::load(from, normalise)?,
            k,
        })
    }
}

/// Whether labels of neighbours can differ at all.
pub(super) fn check(context: &FitContext<'_>) -> Result<(), Reason> {
    context.needs_images(2)?;
    let populated = context
        .class_rows()?
        .iter()
        .filter(|rows| !rows.is_empty())
        .count();
    if populated < 2 {
        Err(Reason::OneClass)
    } else {
        Ok(())
    }
}

/// Entropy to base `k` of the labels of the `k` nearest, plus 1.
pub(super) fn label_entropy(bank: &Bank, found: &Neighbours, k: usize) -> f64 {
    let mut labels: Vec<u32> = found
        .rows
        .iter()
        .take(k)
        .filter_map(|&row| bank.label(row))
        .collect();
    labels.sort_unstable();
    if labels.len() < 2 {
        return 1.0;
    }
    let total = labels.len() as f64;
    let parts = labels
        .chunk_by(|a, b| a == b)
        .map(|group| group.len() as f64 / total);
    1.0 + parts.map(|part| -part * part.ln()).sum::<f64>() / total.ln()
}

impl OodDetector for NeighbourEntropy {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let found = self.bank.neighbours(query)?;
        finite(Self::NAME, label_entropy(&self.bank, &found, self.k))
    }

    fn prepare(&self, queries: &[Query<'_>]) {
        self.bank.prepare(queries);
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.bank.save(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    #[test]
    fn entropy_runs_from_one_to_two() {
        let entropy = |labels: Vec<u32>| {
            let n = labels.len();
            let features = Matrix::from_fn(n, 1, |row, _| row as f32);
            let bank = Bank::new(&features, labels, false, n);
            label_entropy(&bank, &bank.search(&[0.0], None), n)
        };
        assert!((entropy(vec![3, 3, 3, 3]) - 1.0).abs() < 1e-12);
        assert!((entropy(vec![0, 1, 2, 3]) - 2.0).abs() < 1e-12);
        assert!((entropy(vec![0, 0, 1, 1]) - 1.5).abs() < 1e-12);
    }
}
