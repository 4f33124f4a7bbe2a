use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Id, number};

/// `GET .../status`: what a project is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectStatus {
    /// Whether a model is being trained.
    pub is_training: bool,
    /// How many more annotations automatic training needs; may be negative.
    #[serde(default)]
    pub n_required_annotations: i64,
    /// Progress of the running work.
    #[serde(default)]
    pub status: WorkProgress,
    /// Task by task; may be empty.
    #[serde(default, deserialize_with = "number::or_default")]
    pub tasks: Vec<TaskStatus>,
}

/// Progress in per cent; -1 when nothing runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorkProgress {
    /// 0 to 100, or -1.
    pub progress: f64,
}

impl Default for WorkProgress {
    fn default() -> Self {
        Self { progress: -1.0 }
    }
}

/// The status of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// Identifier of the task.
    pub id: Id,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Whether its model is being trained.
    #[serde(default)]
    pub is_training: bool,
    /// How many more annotations automatic training needs.
    #[serde(default)]
    pub required_annotations: RequiredAnnotations,
    /// Progress of the running work.
    #[serde(default)]
    pub status: WorkProgress,
}

/// How many annotations are still needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequiredAnnotations {
    /// In all.
    #[serde(default)]
    pub value: i64,
    /// Label by label, as the server gives it.
    #[serde(default)]
    pub details: Vec<Value>,
}
