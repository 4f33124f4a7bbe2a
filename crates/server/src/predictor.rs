use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use straylight_core::{Frame, Prediction};

/// Loads deployments for the server; implemented where the engine is.
pub trait PredictorLoader: Send + Sync {
    /// Loads the deployment in a folder (the one that holds `deployment/`), ready to predict.
    ///
    /// Called once for a deployment, from a thread that may wait; the server keeps what it
    /// returns.
    fn load(&self, folder: &Path) -> Result<Arc<dyn Predictor>, PredictError>;

    /// The counters of the hooks of all loaded deployments, in Prometheus' text format.
    fn hook_metrics(&self) -> String {
        String::new()
    }
}

/// A loaded deployment; called from several threads at the same time.
pub trait Predictor: Send + Sync {
    /// Predicts one image and hands it to the deployment's hooks.
    fn predict(&self, frame: &Frame) -> Result<Predicted, PredictError>;

    /// Predicts one image with saliency maps; hooks are not asked.
    fn explain(&self, frame: &Frame) -> Result<Prediction, PredictError>;

    /// The feature vector that the model gives for one image, `None` when it gives none; hooks
    /// are not asked.
    fn features(&self, frame: &Frame) -> Result<Option<Arc<[f32]>>, PredictError>;

    /// The hooks of the deployment with their counters.
    fn hooks(&self) -> Vec<HookStatus>;
}

/// What came of one image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predicted {
    /// What the model says.
    pub prediction: Prediction,
    /// How far out of distribution the image is, `0..=1`, higher is further; `None` when no
    /// OOD model is fitted.
    pub ood_score: Option<f64>,
    /// From which score on an image counts as out of distribution.
    pub ood_threshold: Option<f64>,
    /// The scores of the single detectors by name; higher is more out of distribution.
    pub scores: BTreeMap<String, f64>,
    /// The names of the hooks that fired.
    pub fired: Vec<String>,
}

/// A hook and its counters since the deployment was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookStatus {
    /// The hook's name.
    pub name: String,
    /// What it does in a few words: trigger and action.
    pub description: String,
    /// Images that it was asked about.
    pub seen: u64,
    /// Images for which it fired.
    pub fired: u64,
    /// Actions that succeeded.
    pub succeeded: u64,
    /// Tries of actions that failed.
    pub failed: u64,
    /// Events that a limit or a full queue dropped.
    pub dropped: u64,
    /// Events that wait for their action.
    pub queued: u64,
    /// Events that were given up, each with its last error, newest first.
    pub dead_letters: Vec<String>,
}

/// Why a deployment could not be loaded or an image not be predicted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// The server or the deployment is at fault; the cause goes into the log.
    #[error("{0}")]
    Failed(String),
    /// The model cannot do what was asked, or not with this image; the caller is told why.
    #[error("{0}")]
    Unfit(String),
}
