use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Label;

/// A project as the Geti REST API and a deployment's `project.json` describe it.
///
/// Only what Straylight uses is kept; other keys are ignored when read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Identifier, 24 hexadecimal digits on a Geti server.
    #[serde(default)]
    pub id: String,
    /// What people call it; need not be unique on a server.
    pub name: String,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<Timestamp>,
    /// Its tasks and their order.
    pub pipeline: Pipeline,
    /// Its datasets; the training dataset comes first.
    #[serde(default)]
    pub datasets: Vec<Dataset>,
}

/// The tasks of a project and how data flows between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Edges from task to task, by task id.
    #[serde(default)]
    pub connections: Vec<Connection>,
    /// All tasks, the dataset task among them, in pipeline order.
    pub tasks: Vec<Task>,
}

/// An edge of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Id of the task whose output flows on.
    #[serde(alias = "from_")]
    pub from: String,
    /// Id of the task that receives it.
    pub to: String,
}

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identifier.
    #[serde(default)]
    pub id: String,
    /// Its title; a deployment keeps a trainable task in the folder of this name.
    pub title: String,
    /// What it does.
    pub task_type: TaskType,
    /// Its labels, none for tasks that are not trained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

/// The kinds of task of the Geti platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskType {
    /// Where images come from.
    Dataset,
    /// Cuts detected objects out for the next task.
    Crop,
    /// One or more labels for the whole image.
    Classification,
    /// Objects as upright boxes.
    Detection,
    /// Objects as turned boxes.
    RotatedDetection,
    /// Objects as polygons.
    InstanceSegmentation,
    /// Regions of the image as polygons.
    Segmentation,
    /// Normal or anomalous, for the whole image.
    AnomalyClassification,
    /// Anomalous places as boxes.
    AnomalyDetection,
    /// Anomalous places as polygons.
    AnomalySegmentation,
    /// Normal or anomalous, as newer servers name it.
    Anomaly,
    /// Named points of an object.
    KeypointDetection,
}

impl TaskType {
    /// Whether the task has a model and labels.
    pub fn is_trainable(self) -> bool {
        !matches!(self, Self::Dataset | Self::Crop)
    }
}

/// A named set of media of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Identifier.
    #[serde(default)]
    pub id: String,
    /// What people call it, unique in the project.
    pub name: String,
    /// Whether models are trained on it; true for exactly one dataset of a project.
    #[serde(default)]
    pub use_for_training: bool,
    /// When it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<Timestamp>,
}

impl Project {
    /// The tasks that have a model, in pipeline order.
    pub fn trainable_tasks(&self) -> impl Iterator<Item = &Task> {
        self.pipeline
            .tasks
            .iter()
            .filter(|task| task.task_type.is_trainable())
    }
}
