use serde::{Deserialize, Serialize};

use super::ModelKind;
use crate::{LeftOut, Metrics, Threshold};

/// What a fit did: on which images, with which detectors, and how good it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitReport {
    /// The kind of model.
    pub kind: ModelKind,
    /// How the in-distribution images were parted.
    pub in_distribution: ImageCounts,
    /// How the outliers were parted; all zero without outliers.
    pub outliers: ImageCounts,
    /// The detectors of the model.
    pub detectors: Vec<DetectorReport>,
    /// The detectors that are not part of it, and why.
    pub left_out: Vec<LeftOut>,
    /// The threshold and what it promises.
    pub threshold: Threshold,
    /// How the model does on the images that it was fitted on, cross-fitted; with outliers only.
    pub train: Option<Metrics>,
    /// How the model does on the images that the threshold was found on; with outliers only.
    pub validation: Option<Metrics>,
    /// How the model does on images that nothing was chosen on; with outliers only.
    pub test: Option<Metrics>,
    /// What the user should know: degraded settings, weak grounds.
    pub notes: Vec<String>,
}

/// How many images were used for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImageCounts {
    /// Detectors and combination were fitted on these.
    pub fit: usize,
    /// The threshold was found on these.
    pub calibration: usize,
    /// The model was judged on these.
    pub test: usize,
}

/// One detector of a fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorReport {
    /// Its name.
    pub name: String,
    /// Median of its scores on the fitted images, cross-fitted, in its own unit.
    pub median: f64,
    /// Robust spread of those scores, in its own unit; 0 when they are all the same.
    pub spread: f64,
    /// How well it does alone on the test images, if there are test images and outliers.
    pub test_auroc: Option<f64>,
}
