use straylight_core::{Annotation, Frame, Prediction};

use super::{Trigger, TriggerError};
use crate::config::{EmptyLabelTriggerConfig, TriggerConfig};

/// Fires when nothing was found: no annotation, or nothing but an empty label over the image.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyLabelTrigger;

/// Names that Geti servers give to empty labels, in lower case.
const EMPTY: [&str; 3] = ["no object", "no class", "empty"];

/// Whether the annotation says that nothing is there.
pub(super) fn is_empty_label(annotation: &Annotation, frame: &Frame) -> bool {
    let (width, height) = frame.size();
    let [label] = annotation.labels.as_slice() else {
        return false;
    };
    annotation.shape.is_whole_image(width, height)
        && EMPTY.contains(&label.name.to_lowercase().as_str())
}

impl Trigger for EmptyLabelTrigger {
    fn name(&self) -> &'static str {
        "EmptyLabelTrigger"
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        let is_empty = prediction
            .annotations
            .iter()
            .all(|found| is_empty_label(found, frame));
        Ok(f64::from(u8::from(is_empty)))
    }

    fn decide(&self, score: f64) -> bool {
        score > 0.5
    }

    fn reason(&self, _score: f64) -> String {
        "nothing found".to_owned()
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::EmptyLabelTrigger(EmptyLabelTriggerConfig {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{frame, object, prediction};

    #[test]
    fn fires_when_nothing_was_found() {
        let found = Prediction {
            annotations: vec![object(&[("dog", 1.0)])],
            ..Default::default()
        };
        let partly = object(&[("No object", 1.0)]);
        let partly = Prediction {
            annotations: vec![partly],
            ..Default::default()
        };
        for (given, fires) in [
            (Prediction::default(), true),
            (prediction(&[("No object", 1.0)]), true),
            (prediction(&[("No Class", 0.9)]), true),
            (prediction(&[("No object", 1.0), ("dog", 0.9)]), false),
            (partly, false),
            (found, false),
        ] {
            let score = EmptyLabelTrigger.score(&frame("x"), &given).unwrap();
            assert_eq!(EmptyLabelTrigger.decide(score), fires, "{given:?}");
        }
    }
}
