//! Conversions between wire types and the types of `straylight-core`.

use straylight_core::{self as core};

use super::{Connection, Dataset, Label, Open, Pipeline, Project, Task};

/// A project has a task of a type that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "task `{title}` of project `{project}` has the type `{task_type}`, which this version does not know: update Straylight"
)]
pub struct UnknownTaskType {
    /// Name of the project.
    pub project: String,
    /// Title of the task.
    pub title: String,
    /// The type as the server wrote it.
    pub task_type: String,
}

impl TryFrom<Project> for core::Project {
    type Error = UnknownTaskType;

    fn try_from(project: Project) -> Result<Self, UnknownTaskType> {
        let name = project.name;
        let tasks = project
            .pipeline
            .tasks
            .into_iter()
            .map(|task| core_task(&name, task));
        Ok(Self {
            id: project.id,
            creation_time: project.creation_time.map(Into::into),
            pipeline: core::Pipeline {
                tasks: tasks.collect::<Result<_, _>>()?,
                connections: project
                    .pipeline
                    .connections
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            },
            datasets: project
                .datasets
                .into_iter()
                .flatten()
                .map(Into::into)
                .collect(),
            name,
        })
    }
}

fn core_task(project: &str, task: Task) -> Result<core::Task, UnknownTaskType> {
    let task_type = match task.task_type {
        Open::Known(task_type) => task_type,
        Open::Other(task_type) => {
            return Err(UnknownTaskType {
                project: project.to_owned(),
                title: task.title,
                task_type,
            });
        }
    };
    let labels = task.labels.into_iter().flatten().map(Into::into).collect();
    Ok(core::Task {
        id: task.id,
        title: task.title,
        task_type,
        labels,
    })
}

impl From<core::Project> for Project {
    fn from(project: core::Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            creation_time: project.creation_time.map(Into::into),
            creator_id: None,
            pipeline: Pipeline {
                connections: project
                    .pipeline
                    .connections
                    .into_iter()
                    .map(Into::into)
                    .collect(),
                tasks: project.pipeline.tasks.into_iter().map(Into::into).collect(),
            },
            thumbnail: None,
            performance: None,
            storage_info: None,
            datasets: Some(project.datasets.into_iter().map(Into::into).collect()),
        }
    }
}

impl From<core::Task> for Task {
    fn from(task: core::Task) -> Self {
        let labels = task.labels.into_iter().map(Into::into).collect();
        Self {
            id: task.id,
            title: task.title,
            task_type: task.task_type.into(),
            label_schema_id: None,
            labels: task.task_type.is_trainable().then_some(labels),
            keypoint_structure: None,
        }
    }
}

impl From<Connection> for core::Connection {
    fn from(connection: Connection) -> Self {
        Self {
            from: connection.from,
            to: connection.to,
        }
    }
}

impl From<core::Connection> for Connection {
    fn from(connection: core::Connection) -> Self {
        Self {
            from: connection.from,
            to: connection.to,
        }
    }
}

impl From<Dataset> for core::Dataset {
    fn from(dataset: Dataset) -> Self {
        Self {
            id: dataset.id,
            name: dataset.name,
            use_for_training: dataset.use_for_training,
            creation_time: dataset.creation_time.map(Into::into),
        }
    }
}

impl From<core::Dataset> for Dataset {
    fn from(dataset: core::Dataset) -> Self {
        Self {
            id: dataset.id,
            name: dataset.name,
            use_for_training: dataset.use_for_training,
            creation_time: dataset.creation_time.map(Into::into),
        }
    }
}

impl From<Label> for core::Label {
    fn from(label: Label) -> Self {
        Self {
            id: label.id,
            name: label.name,
            color: label.color,
            group: label.group,
            is_empty: label.is_empty,
            is_anomalous: label.is_anomalous,
            hotkey: label.hotkey,
            parent_id: label.parent_id,
        }
    }
}

impl From<core::Label> for Label {
    fn from(label: core::Label) -> Self {
        Self {
            id: label.id,
            name: label.name,
            color: label.color,
            group: label.group,
            hotkey: label.hotkey,
            is_empty: label.is_empty,
            is_anomalous: label.is_anomalous,
            parent_id: label.parent_id,
        }
    }
}
