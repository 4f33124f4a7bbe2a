//! What the demo found, as data.

use std::path::PathBuf;

use serde::Serialize;

/// The result of one run of the demo; every number is computed in that run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DemoReport {
    /// How many held-out photos the model met.
    pub images: usize,
    /// How many of them show one of the model's classes.
    pub known: usize,
    /// How many of them show something else.
    pub strange: usize,
    /// How many photos the hook collected into the dataset.
    pub collected: usize,
    /// The score above which a photo is collected, in `0..=1`.
    pub threshold: f64,
    /// Share of the known photos whose class the model got right.
    pub accuracy: f64,
    /// Area under the ROC curve of strange against known photos; 0.5 is chance, 1 is perfect.
    pub auroc: f64,
    /// Share of known photos scored above the threshold that finds 95 % of the strange ones.
    pub fpr_at_95_tpr: f64,
    /// Known photos that were collected.
    pub false_alarms: Vec<String>,
    /// Strange photos that were not collected.
    pub misses: Vec<String>,
    /// Wall-clock seconds of the whole demo.
    pub seconds: f64,
    /// Decoding, inference, scoring and collecting: photos a second, until the last is collected.
    pub images_per_second_with_hooks: f64,
    /// Decoding and inference alone: photos a second.
    pub images_per_second_without_hooks: f64,
    /// The local store.
    pub store: PathBuf,
    /// Project of the store that holds the dataset.
    pub project: String,
    /// Dataset of the collected photos.
    pub dataset: String,
    /// Folder of the file-system hook.
    pub folder: PathBuf,
    /// The deployment with its hooks and its OOD model, ready to be loaded again.
    pub deployment: PathBuf,
    /// The contact sheet (PNG): all held-out photos sorted by score.
    pub contact_sheet: PathBuf,
}
