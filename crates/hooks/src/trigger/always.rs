use straylight_core::{Frame, Prediction};

use super::{Trigger, TriggerError};
use crate::config::{AlwaysTriggerConfig, TriggerConfig};

/// Fires for every image, with the score 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysTrigger;

impl Trigger for AlwaysTrigger {
    fn name(&self) -> &'static str {
        "AlwaysTrigger"
    }

    fn score(&self, _frame: &Frame, _prediction: &Prediction) -> Result<f64, TriggerError> {
        Ok(1.0)
    }

    fn decide(&self, _score: f64) -> bool {
        true
    }

    fn reason(&self, _score: f64) -> String {
        "always".to_owned()
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::AlwaysTrigger(AlwaysTriggerConfig {}))
    }
}
