use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FitContext, OodDetector, Reason, finite, shared_head};
use crate::error::ScoreError;
use crate::state::{StateError, StateReader};
use crate::{Head, OodScore, Query, StateWriter};

/// What becomes of the activations that pruning keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pruning {
    /// They stay (ASH-P).
    Keep,
    /// They all become their share of the original sum (ASH-B).
    Binary,
    /// They are scaled by `exp(sum before / sum after)` (ASH-S).
    Scale,
}

impl Pruning {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keep => "ash_p",
            Self::Binary => "ash_b",
            Self::Scale => "ash_s",
        }
    }
}

/// Activation shaping: energy of the logits of features of which the smallest are removed.
///
/// Djurisic et al., "Extremely Simple Activation Shaping for Out-of-Distribution Detection", ICLR
/// 2023 (arXiv 2209.09858). The `D - round(D percentile / 100)` largest are kept. Meant for
/// features after a `ReLU`. Opt-in: good on some architectures, useless on others.
#[derive(Debug)]
pub(crate) struct Ash {
    head: Arc<Head>,
    pruning: Pruning,
    percentile: f64,
}

impl Ash {
    pub(crate) fn fit(
        context: &FitContext<'_>,
        pruning: Pruning,
        percentile: f64,
    ) -> Result<Self, Reason> {
        Ok(Self {
            head: shared_head::fit(context)?,
            pruning,
            percentile,
        })
    }

    pub(crate) fn load(
        from: &StateReader,
        pruning: Pruning,
        percentile: f64,
    ) -> Result<Self, StateError> {
        Ok(Self {
            head: shared_head::load(from)?,
            pruning,
            percentile,
        })
    }
}

/// The features of which only the largest are kept, the others zero, with the sums before and after.
pub(super) fn pruned(features: &[f32], percentile: f64) -> (Vec<f64>, f64, f64) {
    let dimensions = features.len();
    let removed = (dimensions as f64 * percentile / 100.0).round_ties_even() as usize;
    let mut order: Vec<usize> = (0..dimensions).collect();
    order.sort_by(|&a, &b| features[b].total_cmp(&features[a]));
    order.truncate(dimensions.saturating_sub(removed).max(1));
    let mut kept = vec![0.0; dimensions];
    for index in order {
        kept[index] = f64::from(features[index]);
    }
    let before = features.iter().map(|&value| f64::from(value)).sum();
    let after = kept.iter().sum();
    (kept, before, after)
}

/// `exp(before / after)` within what keeps scores finite; 1 where nothing is left.
pub(super) fn growth(before: f64, after: f64) -> f64 {
    if after > 0.0 {
        (before / after).min(100.0).exp()
    } else {
        1.0
    }
}

impl OodDetector for Ash {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.head.weight().columns())?;
        let (mut kept, before, after) = pruned(features, self.percentile);
        match self.pruning {
            Pruning::Keep => {}
            Pruning::Binary => {
                let count = kept.len() as f64
                    - (kept.len() as f64 * self.percentile / 100.0).round_ties_even();
                let share = before / count.max(1.0);
                kept.iter_mut()
                    .filter(|value| **value != 0.0)
                    .for_each(|value| *value = share);
            }
            Pruning::Scale => {
                let scale = growth(before, after);
                for value in &mut kept {
                    *value *= scale;
                }
            }
        }
        finite(self.pruning.name(), shared_head::energy(&self.head, &kept))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        shared_head::save(&self.head, to);
    }
}
