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

    fn threshold_at_rate(&self, false_alarm_rate: f64) -> Option<f64> {
        // The model keeps one calibrated promise; a stricter wish needs a new calibration.
        let promise = self.threshold_details().promise.as_ref()?;
        let is_kept = promise.max_false_collection_rate <= false_alarm_rate;
        is_kept.then(|| OodModel::threshold(self))
    }
}
