use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use straylight_core::{Color, TaskType};

use super::{Dataset, Id, Open, Time, number, time};

/// A project as the server answers it (`GET`, `POST` and `PUT` of a project).
///
/// In the list of projects the datasets are left out; they are then `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Identifier, 24 hexadecimal digits.
    #[serde(default)]
    pub id: Id,
    /// What people call it; several projects may share a name.
    pub name: String,
    /// When it was created.
    #[serde(default, deserialize_with = "time::lenient")]
    pub creation_time: Option<Time>,
    /// Who created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_id: Option<Id>,
    /// Its tasks and their order.
    pub pipeline: Pipeline,
    /// Path of its thumbnail on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// How good its models are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<ProjectPerformance>,
    /// What it takes on disk; empty unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_info: Option<Map<String, Value>>,
    /// Its datasets, the training dataset first; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets: Option<Vec<Dataset>>,
}

/// The tasks of a project and how data flows between them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Edges by task id in answers, by task title in requests.
    #[serde(default, deserialize_with = "number::or_default")]
    pub connections: Vec<Connection>,
    /// All tasks, the dataset task first.
    pub tasks: Vec<Task>,
}

/// An edge of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The task whose output flows on.
    #[serde(alias = "from_")]
    pub from: String,
    /// The task that receives it.
    pub to: String,
}

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identifier.
    #[serde(default)]
    pub id: Id,
    /// Its title.
    pub title: String,
    /// What it does.
    pub task_type: Open<TaskType>,
    /// Identifier of its label schema; trainable tasks only, optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_schema_id: Option<Id>,
    /// Its labels; trainable tasks only, optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// Edges and positions of the key points; keypoint tasks only, optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypoint_structure: Option<KeypointStructure>,
}

impl Task {
    /// Whether the task has a model and labels; an unknown type counts as trainable if it has labels.
    pub fn is_trainable(&self) -> bool {
        match &self.task_type {
            Open::Known(task_type) => task_type.is_trainable(),
            Open::Other(_) => self.labels.is_some(),
        }
    }

    /// Its labels, none if it has none.
    pub fn labels(&self) -> &[Label] {
        self.labels.as_deref().unwrap_or_default()
    }
}

/// How the key points of an object are joined and where the template shows them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeypointStructure {
    /// Pairs of joined key points: `{"nodes": [label, label]}`.
    #[serde(default)]
    pub edges: Vec<Value>,
    /// Places in the template: `{"label", "x", "y"}`, `x` and `y` in `0..=1`.
    #[serde(default)]
    pub positions: Vec<Value>,
}

/// A label of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Identifier, unique in the project.
    #[serde(default)]
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// The colour in which it is drawn.
    pub color: Color,
    /// The group of labels that exclude one another.
    #[serde(default, deserialize_with = "number::or_default")]
    pub group: String,
    /// Keyboard shortcut.
    #[serde(default, deserialize_with = "number::or_default")]
    pub hotkey: String,
    /// Whether it says that nothing is there.
    #[serde(default, deserialize_with = "number::or_default")]
    pub is_empty: bool,
    /// Whether it marks an anomaly.
    #[serde(default, deserialize_with = "number::or_default")]
    pub is_anomalous: bool,
    /// Identifier of the label above it; written as null when there is none.
    #[serde(default)]
    pub parent_id: Option<Id>,
}

/// Scores of a project's models, all in `0..=1`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectPerformance {
    /// Over all tasks; null before a model was trained.
    #[serde(default)]
    pub score: Option<f64>,
    /// Task by task.
    #[serde(default)]
    pub task_performances: Vec<TaskPerformance>,
}

/// The score of one task's active model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskPerformance {
    /// Identifier of the task.
    pub task_id: Id,
    /// Its score, `{"value", "metric_type"}` or null.
    #[serde(default)]
    pub score: Option<Value>,
}

/// `GET .../projects`: a page of project summaries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectList {
    /// The projects of this page, without their datasets.
    pub projects: Vec<Project>,
    /// How many projects there are in all; the SDK reads pages until it has as many.
    #[serde(default, deserialize_with = "number::count")]
    pub project_counts: u64,
    /// How many are in this page.
    #[serde(default, deserialize_with = "number::count")]
    pub project_page_count: u64,
    /// Path of the next page; null or left out on the last.
    #[serde(default)]
    pub next_page: Option<String>,
}

/// The answer to a deletion: `{"result":"success"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// `success`, exactly; the SDK compares it.
    pub result: String,
}

impl Done {
    /// The answer of a deletion that was carried out.
    pub fn success() -> Self {
        Self {
            result: "success".to_owned(),
        }
    }
}
