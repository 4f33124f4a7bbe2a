//! Projects and datasets of a server.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde::Deserialize;
use straylight::TaskType;
use straylight_geti::wire::KeypointStructure;
use straylight_geti::{LabelPlan, ProjectDownload, ProjectPlan, ProjectUpload, TaskPlan};

use super::{Client, to_json, warn};
use crate::error::{Outcome, Raised};
use crate::interruptible;

/// A label of a project to be created: its name, or its name and more.
#[derive(Deserialize)]
#[serde(untagged)]
enum LabelWish {
    Name(String),
    More {
        name: String,
        #[serde(default)]
        color: Option<String>,
        #[serde(default)]
        group: Option<String>,
        #[serde(default, alias = "parent_id")]
        parent: Option<String>,
        #[serde(default)]
        hotkey: Option<String>,
    },
}

impl LabelWish {
    fn plan(self) -> Outcome<LabelPlan> {
        Ok(match self {
            Self::Name(name) => name.into(),
            Self::More {
                name,
                color,
                group,
                parent,
                hotkey,
            } => LabelPlan {
                name,
                color: color
                    .map(|text| text.parse().map_err(Raised::value))
                    .transpose()?,
                group,
                parent,
                hotkey,
            },
        })
    }
}

/// Reads `detection_to_classification` and a list of labels for each task.
fn project_plan(
    name: String,
    kind: &str,
    labels: &str,
    keypoints: Option<&str>,
) -> Outcome<ProjectPlan> {
    let keypoints: Option<KeypointStructure> = keypoints.map(serde_json::from_str).transpose()?;
    let mut labels = serde_json::from_str::<Vec<Vec<LabelWish>>>(labels)?.into_iter();
    let mut tasks = Vec::new();
    for kind in kind.split("_to_") {
        let task_type: TaskType = serde_json::from_value(kind.into())
            .map_err(|_| Raised::value(format!("`{kind}` is no type of task")))?;
        let wishes = labels.next().unwrap_or_default().into_iter();
        let plans = wishes.map(LabelWish::plan).collect::<Outcome<Vec<_>>>()?;
        let is_keypoint = task_type == TaskType::KeypointDetection;
        tasks.push(TaskPlan {
            labels: plans,
            keypoints: keypoints.clone().filter(|_| is_keypoint),
            ..TaskPlan::new(task_type, Vec::<String>::new())
        });
    }
    if keypoints.is_some() && tasks.iter().all(|task| task.keypoints.is_none()) {
        return Err(Raised::value(
            "a structure of key points is for a keypoint_detection project alone",
        ));
    }
    Ok(ProjectPlan { name, tasks })
}

#[pymethods]
impl Client {
    /// All projects, without their datasets.
    fn projects(&self, py: Python<'_>) -> PyResult<String> {
        self.json(py, straylight_geti::Geti::projects)
    }

    /// The project of this name; null if there is none.
    fn project_named(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        self.json(py, |geti| geti.project_named(name))
    }

    /// The project of this identifier.
    fn project(&self, py: Python<'_>, id: &str) -> PyResult<String> {
        self.json(py, |geti| geti.project(id))
    }

    /// Creates a project.
    #[pyo3(signature = (name, kind, labels, keypoints = None))]
    fn create_project(
        &self,
        py: Python<'_>,
        name: String,
        kind: &str,
        labels: &str,
        keypoints: Option<&str>,
    ) -> PyResult<String> {
        let plan = project_plan(name, kind, labels, keypoints)?;
        self.json(py, |geti| {
            geti.create_project(&plan.request(geti.version())?)
        })
    }

    /// Deletes a project.
    fn delete_project(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        self.call(py, |geti| geti.delete_project(id))
    }

    /// Writes a project's description to `project.json` in a folder.
    fn download_description(&self, py: Python<'_>, id: &str, folder: PathBuf) -> PyResult<String> {
        self.json(py, |geti| geti.at(id).download_description(&folder))
    }

    /// Makes a project, without media, of a folder's `project.json`; gives the project.
    #[pyo3(signature = (folder, name = None))]
    fn project_like(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        name: Option<&str>,
    ) -> PyResult<String> {
        self.json(py, |geti| geti.project_like(&folder, name))
    }

    /// Switches automatic training on or off; says whether the server has such a switch.
    fn set_auto_training(&self, py: Python<'_>, id: &str, enabled: bool) -> PyResult<bool> {
        self.call(py, |geti| geti.at(id).set_auto_training(enabled))
    }

    /// Downloads a whole project into a folder; gives the project.
    #[pyo3(signature = (id, folder, progress = None))]
    fn download_project(
        &self,
        py: Python<'_>,
        id: &str,
        folder: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let project = self.geti().at(id);
        interruptible::work(py, progress, move |steps| {
            let done = project.download_to(&folder, ProjectDownload::default(), steps)?;
            for (name, error) in done.media.failed.iter().chain(&done.annotations.failed) {
                warn("downloaded", name, error);
            }
            to_json(&done.project)
        })
    }

    /// Makes a project of a folder that was downloaded; gives the project.
    #[pyo3(signature = (folder, name = None, auto_training = true, progress = None))]
    fn upload_project(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        name: Option<String>,
        auto_training: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let geti = self.geti().clone();
        interruptible::work(py, progress, move |steps| {
            let options = ProjectUpload {
                name,
                auto_training,
            };
            let done = geti.upload_project(&folder, &options, steps)?;
            to_json(&done.project)
        })
    }

    /// All datasets of a project, the training dataset first.
    fn datasets(&self, py: Python<'_>, project: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).datasets())
    }

    /// Creates a dataset.
    fn create_dataset(&self, py: Python<'_>, project: &str, name: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).create_dataset(name))
    }

    /// Deletes a dataset.
    fn delete_dataset(&self, py: Python<'_>, project: &str, dataset: &str) -> PyResult<()> {
        self.call(py, |geti| geti.at(project).delete_dataset(dataset))
    }

    /// Counts of media and annotations.
    fn dataset_statistics(&self, py: Python<'_>, project: &str, dataset: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).dataset(dataset).statistics())
    }
}
