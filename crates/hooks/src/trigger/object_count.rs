use serde::{Deserialize, Serialize};
use straylight_core::{Annotation, Frame, Prediction};

use super::empty_label::is_empty_label;
use super::{Trigger, TriggerError};
use crate::config::{ObjectCountTriggerConfig, TriggerConfig};

/// How the number of objects is compared with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountMode {
    /// More objects than the threshold.
    #[default]
    #[serde(alias = "GREATER", alias = "Greater")]
    Greater,
    /// Fewer objects than the threshold.
    #[serde(alias = "LOWER", alias = "Lower")]
    Lower,
    /// As many objects as the threshold.
    #[serde(alias = "EQUAL", alias = "Equal")]
    Equal,
}

/// Fires on the number of objects in the prediction; the score is that number.
///
/// An object counts once, however many of its labels are asked for. An empty label over the
/// whole image ("No object") is no object. With [`CountMode::Lower`] a higher score is *less*
/// reason to act: the score stays a count, as the name says.
#[derive(Debug, Clone)]
pub struct ObjectCountTrigger {
    config: ObjectCountTriggerConfig,
}

impl ObjectCountTrigger {
    /// Compares the number of objects with `threshold`; `label_names` narrows down which count.
    pub fn new(threshold: u32, label_names: Option<Vec<String>>, mode: CountMode) -> Self {
        Self {
            config: ObjectCountTriggerConfig {
                threshold,
                label_names,
                mode,
            },
        }
    }

    fn counts(&self, object: &Annotation) -> bool {
        let names = self.config.label_names.as_ref();
        let is_asked = |name| names.is_none_or(|names| names.contains(name));
        object.labels.iter().any(|label| is_asked(&label.name))
    }
}

impl Trigger for ObjectCountTrigger {
    fn name(&self) -> &'static str {
        "ObjectCountTrigger"
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        let objects = prediction
            .annotations
            .iter()
            .filter(|found| !is_empty_label(found, frame));
        Ok(objects.filter(|object| self.counts(object)).count() as f64)
    }

    fn decide(&self, score: f64) -> bool {
        let threshold = f64::from(self.config.threshold);
        match self.config.mode {
            CountMode::Greater => score > threshold,
            CountMode::Lower => score < threshold,
            CountMode::Equal => (score - threshold).abs() < 0.5,
        }
    }

    fn reason(&self, score: f64) -> String {
        let relation = match self.config.mode {
            CountMode::Greater => '>',
            CountMode::Lower => '<',
            CountMode::Equal => '=',
        };
        format!("{score} objects {relation} {}", self.config.threshold)
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::ObjectCountTrigger(self.config.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{frame, object, prediction};

    fn count(trigger: &ObjectCountTrigger, prediction: &Prediction) -> f64 {
        trigger.score(&frame("x"), prediction).unwrap()
    }

    #[test]
    fn objects_are_counted_not_labels() {
        let both = object(&[("cat", 0.9), ("dog", 0.8)]);
        let annotations = vec![both.clone(), both, object(&[("cow", 0.7)])];
        let seen = Prediction {
            annotations,
            ..Default::default()
        };
        let named = |names: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            ObjectCountTrigger::new(0, Some(names), CountMode::Greater)
        };
        assert_eq!(
            count(&ObjectCountTrigger::new(0, None, CountMode::Greater), &seen) as u32,
            3
        );
        assert_eq!(count(&named(&["cat", "dog"]), &seen) as u32, 2);
        assert_eq!(count(&named(&["horse"]), &seen) as u32, 0);
        assert_eq!(
            count(&named(&["cat"]), &prediction(&[("No object", 1.0)])) as u32,
            0
        );
    }

    #[test]
    fn modes_compare_with_the_threshold() {
        struct Case(CountMode, [bool; 3]);
        for Case(mode, expected) in [
            Case(CountMode::Greater, [false, false, true]),
            Case(CountMode::Lower, [true, false, false]),
            Case(CountMode::Equal, [false, true, false]),
        ] {
            let trigger = ObjectCountTrigger::new(1, None, mode);
            assert_eq!(
                [0.0, 1.0, 2.0].map(|score| trigger.decide(score)),
                expected,
                "{mode:?}"
            );
        }
    }
}
