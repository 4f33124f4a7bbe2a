//! The threshold, on images that nothing was fitted on.

use super::{Fit, scoring_failed};
use crate::error::FitError;
use crate::model::OodModel;
use crate::{Metrics, Threshold, ThresholdRule};

/// With fewer held-out images than this, cross-fitted scores make a better threshold.
const FEWEST_HELD_OUT: usize = 10;

impl Fit<'_> {
    /// Finds the threshold on held-out images, or on cross-fitted scores where there are too few.
    pub(super) fn calibrate(
        &mut self,
        model: &OodModel,
        train: &[Vec<f64>; 2],
    ) -> Result<(Threshold, Option<Metrics>), FitError> {
        let mut inside = model
            .score_set(&self.parts.calibration)
            .map_err(scoring_failed)?;
        let calibration = self.parts.outliers.as_ref().map(|parts| &parts.calibration);
        let mut outside = match calibration {
            Some(set) => model.score_set(set).map_err(scoring_failed)?,
            None => Vec::new(),
        };
        let fixed = matches!(self.options.threshold, ThresholdRule::Fixed { .. });
        let held_out =
            fixed || inside.len() >= FEWEST_HELD_OUT || self.options.calibration.is_some();
        if !held_out {
            self.notes.push(format!(
                "only {} held-out images: the threshold was found on cross-fitted scores of the fitted images and promises nothing",
                inside.len()
            ));
            inside.extend_from_slice(&train[0]);
            outside.extend_from_slice(&train[1]);
        }
        let found = self.options.threshold.find(&inside, &outside)?;
        let mut threshold = found.ok_or(FitError::NoOutliers {
            kind: self.options.kind.name(),
        })?;
        if !held_out {
            threshold.promise = None;
        }
        self.note_promise(&threshold);
        Ok((
            threshold,
            Metrics::new(&inside, &outside, Some(threshold.value)),
        ))
    }

    fn note_promise(&mut self, threshold: &Threshold) {
        let ThresholdRule::MaxFalseCollection { rate, .. } = threshold.rule else {
            return;
        };
        let Some(promise) = threshold.promise else {
            return;
        };
        if promise.max_false_collection_rate > rate {
            self.notes.push(format!(
                "a false collection rate of {rate} needs {} held-out images; the {} there are allow {:.4}, which is what is promised",
                crate::threshold::images_needed(rate, promise.confidence),
                promise.images,
                promise.max_false_collection_rate
            ));
        }
    }
}
