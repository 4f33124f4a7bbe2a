use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Id, Time, number, time};

/// A named set of media of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Identifier.
    #[serde(default)]
    pub id: Id,
    /// What people call it, unique in the project.
    pub name: String,
    /// True for exactly one dataset of a project.
    #[serde(default)]
    pub use_for_training: bool,
    /// When it was created; must not change between two answers.
    #[serde(default, deserialize_with = "time::lenient")]
    pub creation_time: Option<Time>,
}

/// `GET .../datasets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetList {
    /// All datasets of the project, the training dataset first.
    pub datasets: Vec<Dataset>,
}

/// `POST .../datasets` and `PUT .../datasets/{d}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDataset {
    /// The name, not empty, at most [`super::MAX_TEXT`] characters.
    pub name: String,
}

/// `GET .../datasets/{d}/statistics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetStatistics {
    /// Counts over the whole dataset.
    #[serde(default)]
    pub overview: StatisticsOverview,
    /// Statistics of each task as the server gives them (label counts, sizes, heat maps).
    #[serde(default)]
    pub tasks: Vec<Value>,
}

/// Counts of media and annotations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsOverview {
    /// Images in the dataset.
    #[serde(default, deserialize_with = "number::count")]
    pub images: u64,
    /// Videos in the dataset.
    #[serde(default, deserialize_with = "number::count")]
    pub videos: u64,
    /// Images that have an annotation.
    #[serde(default, deserialize_with = "number::count")]
    pub annotated_images: u64,
    /// Video frames that have an annotation.
    #[serde(default, deserialize_with = "number::count")]
    pub annotated_frames: u64,
    /// Videos of which at least one frame has an annotation.
    #[serde(default, deserialize_with = "number::count")]
    pub annotated_videos: u64,
}
