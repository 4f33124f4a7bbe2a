//! Models whose own `model_info` says all that is needed: what Geti 3 exports, and a bare IR of
//! Geti 2.
//!
//! `reverse_input_channels` counts from the images that the exporter's own program feeds: Geti
//! feeds red, green, blue; everybody else's `model_info` is read by ModelAPI, whose images come
//! from OpenCV as blue, green, red. Here images are red, green, blue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use straylight_core::{Pipeline, Project, Task, TaskType};
use straylight_engine::graph::{IrModel, ModelDetail, ModelFacts, ModelInfo};
use straylight_engine::{CompileOptions, Runtime};
use straylight_tasks::EMPTY_NAMES;

use crate::config::Config;
use crate::model::{Adapter, TaskModel};
use crate::{DeployError, custom, folder};

/// Names of a model that describes itself.
const FILES: [&str; 2] = ["model.xml", "model.onnx"];
/// Keys that only Geti's exporters write.
const OF_GETI: [&str; 4] = ["getitune_version", "otx_version", "label_info", "label_ids"];
/// Names of the background's entry, which is no label.
const BACKGROUND: [&str; 2] = ["getitune_background_lbl", "otx_background_lbl"];

/// What a model's `model_info` says, checked.
#[derive(Debug)]
pub(crate) struct Stated {
    path: PathBuf,
    ir: Option<IrModel>,
    /// The task.
    pub(crate) task: TaskType,
    /// Names and ids of the classes, in the model's order.
    pub(crate) labels: Vec<StatedLabel>,
    /// All entries; `reverse_input_channels` counts from red, green, blue.
    pub(crate) entries: BTreeMap<String, String>,
    /// Whether a program of Geti's wrote it.
    pub(crate) is_geti: bool,
}

/// A class of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatedLabel {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    /// Whether it stands for "nothing is there".
    pub(crate) is_empty: bool,
}

/// The model in a folder that describes itself; one that cannot be read counts.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    let paths = FILES.iter().map(|name| folder.join(name));
    let mut files = paths.filter(|path| path.is_file());
    files.find(|path| {
        let facts = ModelFacts::read(path).map(|facts| facts.model_info());
        facts.map_or(true, |info| {
            info.is_some_and(|info| info.get("model_type").is_some())
        })
    })
}

/// Reads what the model in a folder says.
pub(crate) fn read(folder: &Path) -> Result<Stated, DeployError> {
    let path = find(folder).unwrap_or_else(|| folder.join(FILES[0]));
    let facts = ModelFacts::read(&path)?;
    let stated = Stated::of(facts)?.ok_or_else(|| {
        let reason = "has no model_info: what its outputs mean is not known".to_owned();
        DeployError::BareModel {
            path: path.clone(),
            reason,
        }
    })?;
    if stated.is_geti {
        return Ok(stated);
    }
    let reason = "its model_info was not written by Geti, so that the order of its colours is a \
                  guess: `straylight deployment init` proposes a description to check"
        .to_owned();
    Err(DeployError::BareModel { path, reason })
}

/// What a deployment without a name is called: as its folder or zip file.
pub(crate) fn name_of(path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = if full.is_dir() {
        full.file_name()
    } else {
        full.file_stem()
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

impl Stated {
    /// What a model file says; `None` when it has no `model_info` with a type.
    ///
    /// # Errors
    ///
    /// [`DeployError::Config`] for a key that is not understood or has a value that cannot be.
    pub(crate) fn of(facts: ModelFacts) -> Result<Option<Self>, DeployError> {
        let Some(info) = facts
            .model_info()
            .filter(|info| info.get("model_type").is_some())
        else {
            return Ok(None);
        };
        let config = Config::new(&facts.path, Some(&info), &Value::Null);
        config.check_keys()?;
        let is_geti = OF_GETI.iter().any(|key| config.text(key).is_some());
        let mut entries = config.entries().clone();
        if !is_geti {
            let reverse = config.switch("reverse_input_channels", false)?;
            entries.insert("reverse_input_channels".to_owned(), (!reverse).to_string());
        }
        let labels = labels(&config)?;
        Ok(Some(Self {
            task: task(&config)?,
            labels,
            entries,
            is_geti,
            ir: match facts.detail {
                ModelDetail::Ir(ir) => Some(ir),
                _ => None,
            },
            path: facts.path,
        }))
    }

    /// Loads the model as a deployment of one task.
    pub(crate) fn load(
        self,
        name: &str,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<(Project, Vec<TaskModel>), DeployError> {
        let task = self.task();
        let mut info = self.entries;
        let names = |text: fn(&StatedLabel) -> String| -> String {
            self.labels.iter().map(text).collect::<Vec<_>>().join(" ")
        };
        if !self.labels.is_empty() {
            let of_label = names(|label| label.name.replace(' ', "_"));
            // Hierarchies refer to the names of `labels`.
            info.entry("labels".to_owned()).or_insert(of_label);
            let ids = task.labels.iter().take(self.labels.len());
            let ids: Vec<&str> = ids.map(|label| label.id.as_str()).collect();
            info.insert("label_ids".to_owned(), ids.join(" "));
        }
        let info: ModelInfo = info.into_iter().collect();
        // A Geti 2 model may have settings beside it.
        let beside = self.path.with_file_name("config.json");
        let beside = beside
            .exists()
            .then(|| folder::read_json(&beside))
            .transpose()?;
        let config = Config::new(&self.path, Some(&info), &beside.unwrap_or(Value::Null));
        let ir = self.ir.as_ref();
        let adapter = Adapter::default();
        let model = TaskModel::build(&task, &self.path, &config, ir, adapter, runtime, options)?;
        let pipeline = Pipeline {
            connections: Vec::new(),
            tasks: vec![task],
        };
        let project = Project {
            id: String::new(),
            name: name.to_owned(),
            creation_time: None,
            pipeline,
            datasets: Vec::new(),
        };
        Ok((project, vec![model]))
    }

    /// The task with a label for each class, and one for images without objects.
    fn task(&self) -> Task {
        let classes = self.labels.iter().enumerate().map(|(place, stated)| {
            let name = if stated.is_empty {
                NO_OBJECT
            } else {
                &stated.name
            };
            let mut label = custom::label(place, name, stated.is_empty);
            if let Some(id) = &stated.id {
                label.id.clone_from(id);
            }
            label.is_anomalous = is_anomaly(self.task) && is_anomalous(&stated.name);
            label
        });
        let mut labels: Vec<_> = classes.collect();
        if finds_objects(self.task) && !labels.iter().any(|label| label.is_empty) {
            labels.push(custom::label(labels.len(), NO_OBJECT, true));
        }
        Task {
            id: String::new(),
            title: "Task".to_owned(),
            task_type: self.task,
            labels,
        }
    }
}

/// Name of the label for images in which nothing is.
const NO_OBJECT: &str = "No object";

fn finds_objects(task: TaskType) -> bool {
    matches!(
        task,
        TaskType::Detection
            | TaskType::RotatedDetection
            | TaskType::InstanceSegmentation
            | TaskType::Segmentation
    )
}

fn is_anomaly(task: TaskType) -> bool {
    matches!(
        task,
        TaskType::Anomaly
            | TaskType::AnomalyClassification
            | TaskType::AnomalyDetection
            | TaskType::AnomalySegmentation
    )
}

fn is_anomalous(name: &str) -> bool {
    ["anomaly", "anomalous"].contains(&name.to_ascii_lowercase().as_str())
}

/// The task that `task_type` names, or that the model's family does.
fn task(config: &Config) -> Result<TaskType, DeployError> {
    let of_family = |family: &str| {
        Some(match family {
            "classification" => TaskType::Classification,
            "ssd" | "yolo11" | "yolov5" | "yolov8" | "yolox" | "yolo" => TaskType::Detection,
            "maskrcnn" | "detrinstseg" | "yolo-seg" => TaskType::InstanceSegmentation,
            "segmentation" => TaskType::Segmentation,
            "anomalydetection" => TaskType::Anomaly,
            "keypoint_detection" => TaskType::KeypointDetection,
            _ => return None,
        })
    };
    let of_task = |task: &str| {
        Some(match task {
            "classification" => TaskType::Classification,
            "detection" => TaskType::Detection,
            "rotated_detection" => TaskType::RotatedDetection,
            "instance_segmentation" => TaskType::InstanceSegmentation,
            "segmentation" | "semantic_segmentation" => TaskType::Segmentation,
            "anomaly" => TaskType::Anomaly,
            "anomaly_classification" => TaskType::AnomalyClassification,
            "anomaly_detection" => TaskType::AnomalyDetection,
            "anomaly_segmentation" => TaskType::AnomalySegmentation,
            "keypoint_detection" => TaskType::KeypointDetection,
            _ => return None,
        })
    };
    let lower = |key| config.text(key).map(str::to_ascii_lowercase);
    let (key, found, text) = match (lower("task_type"), lower("model_type")) {
        (Some(task), _) => ("task_type", of_task(&task), task),
        (None, family) => {
            let family = family.unwrap_or_default();
            ("model_type", of_family(&family), family)
        }
    };
    found.ok_or_else(|| config.wrong(key, format!("`{text}` is no task that is known")))
}

/// `label_info`, as far as it is read.
#[derive(Debug, Deserialize)]
struct LabelInfo {
    label_names: Vec<String>,
    #[serde(default)]
    label_ids: Vec<Option<String>>,
}

/// Names and ids of the classes: names from `label_info`, whose blanks are still blanks.
fn labels(config: &Config) -> Result<Vec<StatedLabel>, DeployError> {
    let words = |key| config.words(key).into_iter().map(str::to_owned);
    let in_list: Vec<String> = words("labels").collect();
    let mut ids: Vec<Option<String>> = words("label_ids").map(Some).collect();
    let mut names = in_list.clone();
    if let Some(text) = config.text("label_info") {
        let info: LabelInfo = serde_json::from_str(text)
            .map_err(|error| config.wrong("label_info", error.to_string()))?;
        names = info.label_names;
        if ids.is_empty() {
            ids = info.label_ids;
        }
    }
    names.retain(|name| !BACKGROUND.contains(&name.as_str()));
    let in_list = in_list
        .iter()
        .filter(|name| !BACKGROUND.contains(&name.as_str()));
    let listed = in_list.count();
    for (key, count) in [("labels", listed), ("label_ids", ids.len())] {
        if count != 0 && count != names.len() {
            let reason = format!("has {count} entries for {} labels", names.len());
            return Err(config.wrong(key, reason));
        }
    }
    ids.resize(names.len(), None);
    let stated = names.into_iter().zip(ids).map(|(name, id)| StatedLabel {
        is_empty: EMPTY_NAMES.contains(&name.as_str()),
        name,
        id: id.filter(|id| !id.eq_ignore_ascii_case("none")),
    });
    Ok(stated.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(entries: &[(&str, &str)]) -> Result<Vec<StatedLabel>, String> {
        let info: ModelInfo = entries.iter().copied().collect();
        let config = Config::new(Path::new("model.xml"), Some(&info), &Value::Null);
        labels(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn names_come_from_label_info() {
        let found = stated(&[
            ("labels", "getitune_empty_lbl big_fish"),
            ("label_ids", "None 7"),
            (
                "label_info",
                r#"{"label_names": ["getitune_empty_lbl", "big fish"], "label_ids": ["None", "7"]}"#,
            ),
        ]);
        let [empty, fish] = found.unwrap().try_into().unwrap();
        assert_eq!((empty.is_empty, empty.id), (true, None));
        assert_eq!(
            (fish.name.as_str(), fish.id.as_deref()),
            ("big fish", Some("7"))
        );
    }

    #[test]
    fn the_background_is_no_label() {
        let found = stated(&[("labels", "otx_background_lbl dark_red")]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "dark_red");
    }

    #[test]
    fn lists_that_disagree_are_refused() {
        for entries in [
            [("labels", "a b c"), ("label_ids", "1 2")],
            [
                ("labels", "a b"),
                ("label_info", r#"{"label_names": ["a"]}"#),
            ],
            [("labels", "a b"), ("label_info", "{")],
        ] {
            let error = stated(&entries).unwrap_err();
            assert!(
                error.contains("label") && error.contains("model.xml"),
                "{error}"
            );
        }
    }
}
