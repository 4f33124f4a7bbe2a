use serde::{Deserialize, Serialize};
use straylight_core::{Frame, Prediction};

use super::{Trigger, TriggerError};
use crate::config::{LabelTriggerConfig, TriggerConfig};

/// Whether one of the labels is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LabelMode {
    /// Any of the labels.
    #[default]
    #[serde(alias = "or")]
    Or,
    /// All of the labels.
    #[serde(alias = "and")]
    And,
}

/// Fires when the prediction has certain labels; the score is the share of them that it has.
#[derive(Debug, Clone)]
pub struct LabelTrigger {
    config: LabelTriggerConfig,
}

impl LabelTrigger {
    /// Looks for labels of these names.
    pub fn new(label_names: Vec<String>, mode: LabelMode) -> Self {
        Self {
            config: LabelTriggerConfig { label_names, mode },
        }
    }
}

impl Trigger for LabelTrigger {
    fn name(&self) -> &'static str {
        "LabelTrigger"
    }

    fn score(&self, _frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        let present = prediction.label_names();
        let names = &self.config.label_names;
        let found = names
            .iter()
            .filter(|name| present.contains(&name.as_str()))
            .count();
        Ok(found as f64 / names.len().max(1) as f64)
    }

    fn decide(&self, score: f64) -> bool {
        match self.config.mode {
            LabelMode::Or => score > 0.0,
            LabelMode::And => score >= 1.0,
        }
    }

    fn reason(&self, score: f64) -> String {
        format!(
            "{:.0} % of the labels {:?}",
            score * 100.0,
            self.config.label_names
        )
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::LabelTrigger(self.config.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{frame, prediction};

    #[test]
    fn any_or_all_of_the_labels() {
        struct Case<'a>(&'a [(&'a str, f32)], bool, bool);
        for Case(labels, any, all) in [
            Case(&[("cat", 0.9), ("dog", 0.1)], true, true),
            Case(&[("dog", 0.9), ("cow", 0.9)], true, false),
            Case(&[("cow", 0.9)], false, false),
            Case(&[], false, false),
        ] {
            for (mode, fires) in [(LabelMode::Or, any), (LabelMode::And, all)] {
                let trigger = LabelTrigger::new(vec!["cat".into(), "dog".into()], mode);
                let score = trigger.score(&frame("x"), &prediction(labels)).unwrap();
                assert_eq!(trigger.decide(score), fires, "{mode:?} {labels:?}");
            }
        }
    }
}
