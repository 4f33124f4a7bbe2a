//! Any bytes are read as arrays (.npz or .safetensors) or refused with a reason; what was read can
//! be fitted on, or the fit says why not.

use straylight_core::NoProgress;
use straylight_ood::{FitOptions, OodModel, ScoreError, parse_arrays};

/// Larger sets are read but not fitted on: that takes too long to find anything.
const MOST_NUMBERS: usize = 400;

pub(crate) fn fuzz(bytes: &[u8]) {
    match parse_arrays(bytes) {
        Ok(file) => {
            let features = file.set.features();
            assert!(features.data().iter().all(|value| value.is_finite()));
            if features.data().len() <= MOST_NUMBERS && file.set.classes() <= MOST_NUMBERS {
                let options = FitOptions {
                    head: file.head,
                    ..FitOptions::default()
                };
                if let Ok((model, _)) = OodModel::fit(&file.set, None, &options, &NoProgress) {
                    match model.score_set(&file.set) {
                        Ok(scores) => assert!(scores.iter().all(|s| (0.0..=1.0).contains(s))),
                        // Numbers whose squares are beyond single precision have no score.
                        Err(error) => assert!(matches!(error, ScoreError::NoScore(_)), "{error}"),
                    }
                }
            }
        }
        Err(reason) => assert!(!reason.is_empty()),
    }
}
