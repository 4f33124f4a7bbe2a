use straylight_core::Activations;
use straylight_ood::OodModel;

use super::{OodScorer, TriggerError};

impl OodScorer for OodModel {
    fn score(&self, activations: &Activations) -> Result<f64, TriggerError> {
        let score = OodModel::score(self, activations);
        score
            .map(straylight_ood::OodScore::value)
            .map_err(|error| TriggerError::failed("OODTrigger", error))
    }

    fn threshold(&self) -> f64 {
        OodModel::threshold(self)
    }
}
