use std::fmt;
use std::sync::Arc;

use straylight_core::{Activations, Frame, Prediction};

use super::{Needs, Trigger, TriggerError};
use crate::config::{OodTriggerConfig, TriggerConfig};

/// What an [`OodTrigger`] asks of an OOD model.
pub trait OodScorer: Send + Sync {
    /// How far out of distribution the activations are, `0..=1`; higher is more.
    fn score(&self, activations: &Activations) -> Result<f64, TriggerError>;

    /// The score from which on the model itself calls an image out of distribution.
    fn threshold(&self) -> f64;

    /// The threshold at which this share (`0..=1`) of in-distribution images is called strange,
    /// or `None` when the model does not know.
    fn threshold_at_rate(&self, _false_alarm_rate: f64) -> Option<f64> {
        None
    }
}

/// Fires for images whose OOD score reaches a threshold.
pub struct OodTrigger {
    model: Arc<dyn OodScorer>,
    threshold: f64,
    config: OodTriggerConfig,
}

impl OodTrigger {
    /// A trigger at the threshold of the model.
    pub fn new(model: Arc<dyn OodScorer>) -> Self {
        let threshold = model.threshold();
        Self {
            model,
            threshold,
            config: OodTriggerConfig::default(),
        }
    }

    /// A trigger at a threshold in `0..=1`.
    pub fn with_threshold(model: Arc<dyn OodScorer>, threshold: f64) -> Self {
        let config = OodTriggerConfig {
            threshold: Some(threshold),
            ..Default::default()
        };
        Self {
            model,
            threshold,
            config,
        }
    }

    /// A trigger that promises to call this share (`0..=1`) of in-distribution images strange.
    pub fn with_false_alarm_rate(
        model: Arc<dyn OodScorer>,
        rate: f64,
    ) -> Result<Self, TriggerError> {
        let threshold = model.threshold_at_rate(rate).ok_or_else(|| {
            let message = format!(
                "its model knows no threshold for a false alarm rate of {rate}: fit it on more \
                 images, or give a threshold"
            );
            TriggerError::failed("OODTrigger", message)
        })?;
        let config = OodTriggerConfig {
            false_alarm_rate: Some(rate),
            ..Default::default()
        };
        Ok(Self {
            model,
            threshold,
            config,
        })
    }

    /// The threshold in use.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }
}

impl fmt::Debug for OodTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OodTrigger(threshold {})", self.threshold)
    }
}

impl Trigger for OodTrigger {
    fn name(&self) -> &'static str {
        "OODTrigger"
    }

    fn needs(&self) -> Needs {
        Needs::ACTIVATIONS
    }

    fn score(&self, _frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        let model = Arc::as_ptr(&self.model).addr();
        if let Some(known) = prediction.ood_score.filter(|score| score.model == model) {
            return Ok(known.value);
        }
        if prediction.activations.is_empty() {
            return Err(TriggerError::Missing {
                trigger: self.name().to_owned(),
                what: "a feature vector or class scores",
                hint: "use a model with a `feature_vector` output (export it with its XAI head)",
            });
        }
        self.model.score(&prediction.activations)
    }

    fn ood_score(&self, score: f64) -> Option<f64> {
        Some(score)
    }

    fn decide(&self, score: f64) -> bool {
        score >= self.threshold
    }

    fn reason(&self, score: f64) -> String {
        format!("OOD score {score:.3} >= {:.3}", self.threshold)
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::OodTrigger(self.config.clone()))
    }
}

#[cfg(test)]
mod tests {
    use straylight_core::{RgbImage, Timestamp};

    use super::*;

    struct FirstFeature;

    impl OodScorer for FirstFeature {
        fn score(&self, activations: &Activations) -> Result<f64, TriggerError> {
            let features = activations.features.as_deref().unwrap_or_default();
            Ok(features.first().copied().map_or(0.0, f64::from))
        }

        fn threshold(&self) -> f64 {
            0.5
        }

        fn threshold_at_rate(&self, rate: f64) -> Option<f64> {
            (rate >= 0.01).then_some(1.0 - rate)
        }
    }

    fn seen(feature: f32) -> (Frame, Prediction) {
        let image = RgbImage::filled(1, 1, [0; 3]).unwrap();
        let features = Some(vec![feature].into());
        let activations = Activations {
            features,
            ..Default::default()
        };
        let prediction = Prediction {
            activations,
            ..Default::default()
        };
        (Frame::new(image, "x", Timestamp::UNIX_EPOCH), prediction)
    }

    #[test]
    fn fires_at_the_threshold_and_above() {
        struct Case(f32, bool);
        let trigger = OodTrigger::new(Arc::new(FirstFeature));
        for Case(feature, fires) in [Case(0.49, false), Case(0.5, true), Case(f32::NAN, false)] {
            let (frame, prediction) = seen(feature);
            let score = trigger.score(&frame, &prediction).unwrap();
            assert_eq!(trigger.decide(score), fires, "{feature}");
        }
    }

    #[test]
    fn a_promised_rate_becomes_a_threshold_or_an_error() {
        let with_rate = |rate| OodTrigger::with_false_alarm_rate(Arc::new(FirstFeature), rate);
        assert!((with_rate(0.05).unwrap().threshold() - 0.95).abs() < 1e-12);
        assert!(with_rate(0.001).is_err());
    }

    #[test]
    fn a_prediction_without_activations_is_an_error_not_a_score() {
        let trigger = OodTrigger::new(Arc::new(FirstFeature));
        let (frame, _) = seen(0.0);
        let error = trigger.score(&frame, &Prediction::default()).unwrap_err();
        assert!(error.to_string().contains("feature_vector"), "{error}");
    }
}
