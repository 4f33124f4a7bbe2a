//! What a new project shall be, and the request that creates it.

use std::collections::HashSet;

use straylight_core::{Color, TaskType};

use crate::api::ServerVersion;
use crate::error::{ErrorKind, GetiError};
use crate::wire::{
    KeypointStructure, MAX_TEXT, NewConnection, NewLabel, NewPipeline, NewProject, NewTask,
};

/// Names that servers give to the label which says that nothing is there; they add it themselves.
const EMPTY_LABELS: [&str; 4] = ["no object", "no class", "empty", "no label"];

/// How the labels of a task relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelGroups {
    /// All in one group: at most one of them holds (single-label classification, detection).
    #[default]
    Exclusive,
    /// Each in a group of its own: any number of them may hold (multi-label classification).
    Independent,
}

/// A label of a project to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelPlan {
    /// Its name, unique in the project.
    pub name: String,
    /// Its colour; the server picks one when there is none.
    pub color: Option<Color>,
    /// Its group; as [`LabelGroups`] says when there is none.
    pub group: Option<String>,
    /// The name of the label above it in a hierarchy.
    pub parent: Option<String>,
    /// Keyboard shortcut.
    pub hotkey: Option<String>,
}

impl<T: Into<String>> From<T> for LabelPlan {
    fn from(name: T) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// A trainable task of a project to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPlan {
    /// What it does.
    pub task_type: TaskType,
    /// Its labels; none for anomaly tasks, which have theirs from the server.
    pub labels: Vec<LabelPlan>,
    /// How labels without a group relate.
    pub groups: LabelGroups,
    /// For keypoint tasks, and only for them.
    pub keypoints: Option<KeypointStructure>,
}

impl TaskPlan {
    /// A task with labels that exclude one another.
    pub fn new<L: Into<LabelPlan>>(
        task_type: TaskType,
        labels: impl IntoIterator<Item = L>,
    ) -> Self {
        let labels = labels.into_iter().map(Into::into).collect();
        Self {
            task_type,
            labels,
            groups: LabelGroups::Exclusive,
            keypoints: None,
        }
    }

    /// The same task with labels of which any number may hold.
    #[must_use]
    pub fn multi_label(mut self) -> Self {
        self.groups = LabelGroups::Independent;
        self
    }

    /// The same task with key points.
    #[must_use]
    pub fn with_keypoints(mut self, keypoints: KeypointStructure) -> Self {
        self.keypoints = Some(keypoints);
        self
    }
}

/// A project to be created: one trainable task, or two of which the second looks at what the
/// first found.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectPlan {
    /// Its name; servers allow several projects of one name.
    pub name: String,
    /// Its trainable tasks, one or two.
    pub tasks: Vec<TaskPlan>,
}

impl ProjectPlan {
    /// A project of one task.
    pub fn single(name: impl Into<String>, task: TaskPlan) -> Self {
        Self {
            name: name.into(),
            tasks: vec![task],
        }
    }

    /// A project of two tasks; where the first finds objects, they are cut out for the second.
    pub fn chain(name: impl Into<String>, first: TaskPlan, second: TaskPlan) -> Self {
        Self {
            name: name.into(),
            tasks: vec![first, second],
        }
    }

    /// The request that creates the project on a server of this version.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for what every server refuses: an empty name, too many tasks,
    /// too few labels, two labels of one name, a parent that is no label, the name of an empty
    /// label (servers add that label themselves), missing or unwanted key points.
    pub fn request(&self, version: &ServerVersion) -> Result<NewProject, GetiError> {
        check_text("the project", &self.name)?;
        if !(1..=2).contains(&self.tasks.len()) {
            return Err(bad("a project has one or two trainable tasks"));
        }
        check_names(self.tasks.iter().flat_map(|task| &task.labels))?;
        let mut pipeline = NewPipeline {
            connections: vec![],
            tasks: vec![dataset_task()],
        };
        for (index, plan) in self.tasks.iter().enumerate() {
            if index > 0
                && self
                    .tasks
                    .first()
                    .is_some_and(|first| is_local(first.task_type))
            {
                connect(&mut pipeline, crop_task());
            }
            let task = plan.task(index, &pipeline, version)?;
            connect(&mut pipeline, task);
        }
        Ok(NewProject {
            name: self.name.clone(),
            pipeline,
        })
    }
}

impl TaskPlan {
    fn task(
        &self,
        index: usize,
        pipeline: &NewPipeline,
        version: &ServerVersion,
    ) -> Result<NewTask, GetiError> {
        let task_type = actual_type(self.task_type, version);
        let title = unique_title(
            title(task_type).ok_or_else(|| no_task(task_type))?,
            pipeline,
        );
        self.check(task_type, index)?;
        let group = format!("{} label group", title.to_lowercase());
        let labels = self
            .labels
            .iter()
            .map(|label| self.label(label, &group))
            .collect();
        let keypoint_structure = self.keypoints.clone();
        Ok(NewTask {
            title,
            task_type: task_type.into(),
            labels: Some(labels),
            keypoint_structure,
        })
    }

    fn label(&self, label: &LabelPlan, group: &str) -> NewLabel {
        let own = match self.groups {
            LabelGroups::Exclusive => group.to_owned(),
            LabelGroups::Independent => format!("{group}: {}", label.name),
        };
        // Children of one parent exclude one another, and not the labels beside their parent.
        let below = label
            .parent
            .as_ref()
            .map(|parent| format!("{group}: below {parent}"));
        NewLabel {
            name: label.name.clone(),
            group: Some(label.group.clone().or(below).unwrap_or(own)),
            color: label.color,
            hotkey: label.hotkey.clone(),
            parent_id: label.parent.clone(),
            ..NewLabel::default()
        }
    }

    fn check(&self, task_type: TaskType, index: usize) -> Result<(), GetiError> {
        if is_anomaly(task_type) && !self.labels.is_empty() {
            return Err(bad(
                "an anomaly task has its labels from the server: give none",
            ));
        }
        let keypoint = task_type == TaskType::KeypointDetection;
        if keypoint != self.keypoints.is_some() {
            return Err(bad(
                "a keypoint task, and no other, needs its structure of key points",
            ));
        }
        let top = self
            .labels
            .iter()
            .filter(|label| label.parent.is_none())
            .count();
        let needed = match task_type {
            // A single top-level label would always hold, unless an empty one is beside it.
            TaskType::Classification if index == 0 => 2,
            _ if is_anomaly(task_type) => 0,
            _ => 1,
        };
        if top < needed {
            return Err(bad(&format!("this task needs at least {needed} labels")));
        }
        let known = |name: &String| self.labels.iter().any(|label| label.name == *name);
        match self
            .labels
            .iter()
            .filter_map(|l| l.parent.as_ref())
            .find(|name| !known(name))
        {
            Some(parent) => Err(bad(&format!("there is no label `{parent}` to be a parent"))),
            None => Ok(()),
        }
    }
}

fn check_names<'a>(labels: impl Iterator<Item = &'a LabelPlan>) -> Result<(), GetiError> {
    let mut seen = HashSet::new();
    for label in labels {
        check_text("a label", &label.name)?;
        if EMPTY_LABELS.contains(&label.name.to_lowercase().as_str()) {
            let message = format!(
                "`{}` is kept for the label that says nothing is there",
                label.name
            );
            return Err(bad(&message).with_hint("leave it out; the server adds it"));
        }
        if !seen.insert(label.name.as_str()) {
            return Err(bad(&format!("two labels are named `{}`", label.name)));
        }
    }
    Ok(())
}

fn check_text(what: &str, text: &str) -> Result<(), GetiError> {
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
        return Err(bad(&format!(
            "{what} needs a name of 1 to {MAX_TEXT} characters"
        )));
    }
    Ok(())
}

fn bad(message: &str) -> GetiError {
    GetiError::new(ErrorKind::Argument, message)
}

fn no_task(task_type: TaskType) -> GetiError {
    bad(&format!("{task_type:?} is no task that can be trained"))
}

/// Adds a task after the last one.
fn connect(pipeline: &mut NewPipeline, task: NewTask) {
    if let Some(last) = pipeline.tasks.last() {
        let connection = NewConnection {
            from: last.title.clone(),
            to: task.title.clone(),
        };
        pipeline.connections.push(connection);
    }
    pipeline.tasks.push(task);
}

fn dataset_task() -> NewTask {
    plain_task("Dataset", TaskType::Dataset)
}

fn crop_task() -> NewTask {
    plain_task("Crop task", TaskType::Crop)
}

fn plain_task(title: &str, task_type: TaskType) -> NewTask {
    let title = title.to_owned();
    NewTask {
        title,
        task_type: task_type.into(),
        labels: None,
        keypoint_structure: None,
    }
}

fn unique_title(title: &str, pipeline: &NewPipeline) -> String {
    let taken = |title: &str| pipeline.tasks.iter().any(|task| task.title == title);
    if taken(title) {
        format!("{title} 2")
    } else {
        title.to_owned()
    }
}

/// Newer servers have one kind of anomaly task.
fn actual_type(task_type: TaskType, version: &ServerVersion) -> TaskType {
    match task_type {
        kind if is_anomaly(kind) && version.has_one_anomaly_task() => TaskType::Anomaly,
        TaskType::Anomaly => TaskType::AnomalyClassification,
        kind => kind,
    }
}

fn is_anomaly(task_type: TaskType) -> bool {
    matches!(
        task_type,
        TaskType::Anomaly
            | TaskType::AnomalyClassification
            | TaskType::AnomalyDetection
            | TaskType::AnomalySegmentation
    )
}

/// Whether a task finds objects, each of which can be cut out for a task behind it.
fn is_local(task_type: TaskType) -> bool {
    matches!(
        task_type,
        TaskType::Detection
            | TaskType::RotatedDetection
            | TaskType::Segmentation
            | TaskType::InstanceSegmentation
            | TaskType::KeypointDetection
    )
}

/// The title that the SDK gives a task; `None` for what is not trained.
fn title(task_type: TaskType) -> Option<&'static str> {
    Some(match task_type {
        TaskType::Classification => "Classification task",
        TaskType::Detection => "Detection task",
        TaskType::RotatedDetection => "Rotated detection task",
        TaskType::InstanceSegmentation => "Instance segmentation task",
        TaskType::Segmentation => "Segmentation task",
        TaskType::AnomalyClassification => "Anomaly classification task",
        TaskType::AnomalyDetection => "Anomaly detection task",
        TaskType::AnomalySegmentation => "Anomaly segmentation task",
        TaskType::Anomaly => "Anomaly",
        TaskType::KeypointDetection => "Keypoint detection task",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
