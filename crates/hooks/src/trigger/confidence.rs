use straylight_core::{Frame, Prediction};

use super::{Trigger, TriggerError};
use crate::config::{ConfidenceTriggerConfig, TriggerConfig};

/// Fires when the model was unsure: when a probability lies below a threshold.
///
/// The score is 1 minus the lowest probability of the prediction, so that a higher score is
/// more reason to act, as everywhere; 0 when there is no label to look at.
#[derive(Debug, Clone)]
pub struct ConfidenceTrigger {
    config: ConfidenceTriggerConfig,
}

impl ConfidenceTrigger {
    /// Fires when a probability is below `threshold` (`0..=1`); `label_names` narrows down whose.
    pub fn new(threshold: f64, label_names: Option<Vec<String>>) -> Self {
        Self {
            config: ConfidenceTriggerConfig {
                threshold,
                label_names,
            },
        }
    }
}

impl Trigger for ConfidenceTrigger {
    fn name(&self) -> &'static str {
        "ConfidenceTrigger"
    }

    fn score(&self, _frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        let names = self.config.label_names.as_ref();
        let labels = prediction
            .annotations
            .iter()
            .flat_map(|annotation| &annotation.labels);
        let counts = labels.filter(|label| names.is_none_or(|names| names.contains(&label.name)));
        let lowest = counts
            .map(|label| f64::from(label.probability))
            .fold(1.0, f64::min);
        Ok(1.0 - lowest)
    }

    fn decide(&self, score: f64) -> bool {
        // Undone, the subtraction gives the probability back exactly (it was a 32-bit float).
        1.0 - score < self.config.threshold
    }

    fn reason(&self, score: f64) -> String {
        format!("probability {:.3} < {}", 1.0 - score, self.config.threshold)
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::ConfidenceTrigger(self.config.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{frame, prediction};

    #[test]
    fn fires_below_the_threshold_with_a_score_that_grows_with_doubt() {
        struct Case<'a>(&'a [(&'a str, f32)], Option<&'a str>, f64, bool);
        for Case(labels, only, score, fires) in [
            Case(&[("cat", 0.9), ("dog", 0.25)], None, 0.75, true),
            Case(&[("cat", 0.9), ("dog", 0.25)], Some("cat"), 0.1, false),
            Case(&[("cat", 0.5)], None, 0.5, false),
            Case(&[], None, 0.0, false),
        ] {
            let trigger = ConfidenceTrigger::new(0.5, only.map(|name| vec![name.to_owned()]));
            let given = trigger.score(&frame("x"), &prediction(labels)).unwrap();
            assert!((given - score).abs() < 1e-6, "{labels:?}: {given}");
            assert_eq!(trigger.decide(given), fires, "{labels:?}");
        }
    }
}
