use serde::{Deserialize, Serialize};
use straylight_core::{Color, TaskType};

use super::{Id, KeypointStructure, Open};

/// `POST .../projects`: a project to be created; also read by a server.
///
/// Keys without a value are left out: the platform refuses null and empty texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewProject {
    /// Its name, not empty.
    pub name: String,
    /// Its tasks; connections name them by title.
    pub pipeline: NewPipeline,
}

/// The tasks of a project to be created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewPipeline {
    /// Edges from title to title.
    #[serde(default)]
    pub connections: Vec<NewConnection>,
    /// All tasks, the dataset task first.
    pub tasks: Vec<NewTask>,
}

/// An edge by task titles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewConnection {
    /// Title of the task whose output flows on.
    #[serde(alias = "from_")]
    pub from: String,
    /// Title of the task that receives it.
    pub to: String,
}

/// A task to be created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTask {
    /// Its title, unique in the project.
    pub title: String,
    /// What it does.
    pub task_type: Open<TaskType>,
    /// Its labels; trainable tasks only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<NewLabel>>,
    /// Keypoint tasks only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypoint_structure: Option<KeypointStructure>,
}

/// A label to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLabel {
    /// Identifier; only in `PUT` of a project, for labels that exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Its name, unique in the project.
    pub name: String,
    /// The group of labels that exclude one another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its colour; the server picks one when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// Keyboard shortcut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hotkey: Option<String>,
    /// In a request to create, the **name** of the label above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Whether it says that nothing is there; the server adds such labels itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_empty: Option<bool>,
    /// Whether it marks an anomaly; the server sets it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_anomalous: Option<bool>,
    /// Only in `PUT`: whether annotations that a new label may concern are to be looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revisit_affected_annotations: Option<bool>,
}
