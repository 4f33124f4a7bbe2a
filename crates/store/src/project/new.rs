use straylight_core::{Color, TaskType};

/// What a new project shall be; checked by [`crate::Store::create_project`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewProject {
    /// Its name, 1 to 200 characters; need not be unique.
    pub name: String,
    /// Its tasks without the dataset task, in pipeline order, `crop` tasks among them.
    pub tasks: Vec<NewTask>,
}

/// A task of a new project.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Its title, unique in the project.
    pub title: String,
    /// What it does.
    pub task_type: TaskType,
    /// Its labels without the empty one, which is added when the task needs it.
    pub labels: Vec<NewLabel>,
    /// The structure of key points, kept as it is given (key point tasks only).
    pub keypoint_structure: Option<serde_json::Value>,
}

/// A label of a new task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewLabel {
    /// Its name, unique in the project.
    pub name: String,
    /// Its colour; one of [`crate::PALETTE`] when it is not given.
    pub color: Option<Color>,
    /// The group of labels that exclude one another; the task's own group when not given.
    pub group: Option<String>,
    /// Keyboard shortcut in annotation tools, may be empty.
    pub hotkey: String,
    /// The name of the label above it in a hierarchy.
    pub parent: Option<String>,
}

impl NewProject {
    /// A project of one task whose labels exclude one another.
    ///
    /// ```
    /// use straylight_core::TaskType;
    /// use straylight_store::NewProject;
    ///
    /// let project = NewProject::single("birds", TaskType::Classification, &["cube", "sphere"]);
    /// assert_eq!(project.tasks[0].title, "Classification task");
    /// ```
    pub fn single(name: &str, task_type: TaskType, labels: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            tasks: vec![NewTask::new(task_type, labels)],
        }
    }
}

impl NewTask {
    /// A task with the title that the platform gives to its type.
    pub fn new(task_type: TaskType, labels: &[&str]) -> Self {
        Self {
            title: title(task_type).to_owned(),
            task_type,
            labels: labels.iter().map(|&name| NewLabel::named(name)).collect(),
            keypoint_structure: None,
        }
    }
}

impl NewLabel {
    /// A label of which only the name matters.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

fn title(task_type: TaskType) -> &'static str {
    match task_type {
        TaskType::Dataset => "Dataset",
        TaskType::Crop => "Crop task",
        TaskType::Classification => "Classification task",
        TaskType::Detection => "Detection task",
        TaskType::RotatedDetection => "Rotated detection task",
        TaskType::InstanceSegmentation => "Instance segmentation task",
        TaskType::Segmentation => "Segmentation task",
        TaskType::AnomalyClassification => "Anomaly classification task",
        TaskType::AnomalyDetection => "Anomaly detection task",
        TaskType::AnomalySegmentation => "Anomaly segmentation task",
        TaskType::Anomaly => "Anomaly task",
        TaskType::KeypointDetection => "Keypoint detection task",
        _ => "Task",
    }
}
