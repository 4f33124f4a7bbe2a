//! Triggers: which images are worth an action.
//!
//! A trigger gives each image a score, higher for more reason to act, and decides on that score
//! alone, so that scores can be recorded and decisions repeated.

mod always;
mod combine;
mod confidence;
mod empty_label;
mod label;
mod object_count;
mod ood;
mod ood_model;
mod sample;

use std::fmt;

pub use always::AlwaysTrigger;
pub use combine::{AndTrigger, NotTrigger, OrTrigger};
pub use confidence::ConfidenceTrigger;
pub use empty_label::EmptyLabelTrigger;
pub use label::{LabelMode, LabelTrigger};
pub use object_count::{CountMode, ObjectCountTrigger};
pub use ood::{OodScorer, OodTrigger};
pub use sample::SampleTrigger;
use straylight_core::{Frame, Prediction};

use crate::config::TriggerConfig;

/// Decides for which images a hook acts.
///
/// A hook calls [`Trigger::score`] once for each image, on the thread that submits it and from
/// several threads at a time, and then [`Trigger::decide`] with the score. Both should be fast:
/// inference waits for them. An error or a panic counts as "does not fire" and is counted.
pub trait Trigger: Send + Sync {
    /// The trigger's name in reasons, logs and configuration.
    fn name(&self) -> &str;

    /// What a prediction must bring along for [`Trigger::score`] to work.
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    /// How much reason to act the image gives; higher is more.
    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError>;

    /// Whether a score of this size calls for the action.
    fn decide(&self, score: f64) -> bool;

    /// Says in a few words why a score leads to action ("0.93 > 0.5").
    fn reason(&self, score: f64) -> String {
        score.to_string()
    }

    /// The OOD score that this score is, if it is one.
    fn ood_score(&self, _score: f64) -> Option<f64> {
        None
    }

    /// The configuration that rebuilds the trigger, `None` for one that cannot be saved.
    fn config(&self) -> Option<TriggerConfig> {
        None
    }
}

/// The activations that a trigger or a set of hooks needs with each prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Feature vectors.
    pub features: bool,
    /// Raw class scores.
    pub logits: bool,
    /// Class probabilities.
    pub probabilities: bool,
}

impl Needs {
    /// The annotations are enough.
    pub const NOTHING: Self = Self {
        features: false,
        logits: false,
        probabilities: false,
    };

    /// All activations that the model gives.
    pub const ACTIVATIONS: Self = Self {
        features: true,
        logits: true,
        probabilities: true,
    };

    /// What is needed by either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            features: self.features || other.features,
            logits: self.logits || other.logits,
            probabilities: self.probabilities || other.probabilities,
        }
    }
}

/// A trigger could not score an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// The prediction lacks what the trigger declared as needed.
    #[error("{trigger} needs {what} with each prediction, and this one has none: {hint}")]
    Missing {
        /// Name of the trigger.
        trigger: String,
        /// What is missing ("a feature vector").
        what: &'static str,
        /// The way out.
        hint: &'static str,
    },
    /// The OOD model or a custom trigger failed.
    #[error("{trigger} failed: {message}")]
    Failed {
        /// Name of the trigger.
        trigger: String,
        /// What it said.
        message: String,
    },
}

impl TriggerError {
    /// The failure of a trigger in its own words.
    pub fn failed(trigger: &str, message: impl fmt::Display) -> Self {
        Self::Failed {
            trigger: trigger.to_owned(),
            message: message.to_string(),
        }
    }
}
