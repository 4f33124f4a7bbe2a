use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use straylight_core::{Color, Label, Pipeline, Project, Task, TaskType};
use straylight_engine::graph::{IrModel, ModelInfo};
use straylight_engine::{CompileOptions, Runtime};
use straylight_tasks::{FEATURE_VECTOR, SALIENCY_MAP, TaskError};

use super::{Channels, Coordinates, ModelDescription, Rows};
use crate::DeployError;
use crate::config::Config;
use crate::model::{Adapter, TaskModel};

/// Colours that are told apart easily, given to labels in turn.
const COLORS: [[u8; 3]; 6] = [
    [47, 126, 216],
    [192, 57, 43],
    [46, 139, 87],
    [184, 134, 11],
    [142, 68, 173],
    [22, 160, 133],
];

/// Loads the deployment that a description makes of a model.
pub(crate) fn load(
    path: &Path,
    runtime: &Runtime,
    options: &CompileOptions,
) -> Result<(Project, Vec<TaskModel>), DeployError> {
    let description = ModelDescription::read(path)?;
    let project = description.project(path);
    let model = path.with_file_name(&description.model);
    let ir = match model.extension() {
        Some(extension) if extension == "xml" => Some(IrModel::read(&model)?),
        _ => None,
    };
    let info: ModelInfo = description.model_info().into_iter().collect();
    let config = Config::new(&model, Some(&info), &Value::Null);
    let adapter = description.adapter(path)?;
    let in_words_of_description = |error| reworded(error, path);
    let tasks = project.trainable_tasks();
    let models = tasks.map(|task| {
        TaskModel::build(
            task,
            &model,
            &config,
            ir.as_ref(),
            adapter.clone(),
            runtime,
            options,
        )
        .map_err(in_words_of_description)
    });
    let models = models.collect::<Result<_, _>>()?;
    Ok((project, models))
}

/// Keys of a description, and what Geti's `model_info` calls them.
const KEYS: [(&str, &str); 6] = [
    ("input.layout", "input_layout"),
    ("input.mean", "mean_values"),
    ("input.scale", "scale_values"),
    ("input.channels", "reverse_input_channels"),
    ("input.resize", "resize_type"),
    ("input.pad_value", "pad_value"),
];

/// An error about a described model, so that it names the description and its keys.
fn reworded(error: DeployError, description: &Path) -> DeployError {
    let key_of = |key: &str| match KEYS.iter().find(|(_, name)| *name == key) {
        Some((own, _)) => (*own).to_owned(),
        None => format!("options.{key}"),
    };
    match error {
        DeployError::Model { path, reason } => DeployError::DescribedModel { path, reason },
        DeployError::Config { key, reason, .. } => {
            DeployError::config(description, &key_of(&key), reason)
        }
        DeployError::Task {
            source: TaskError::Config { key, value, reason },
            ..
        } => DeployError::config(description, &key_of(key), format!("`{value}`: {reason}")),
        other => other,
    }
}

impl ModelDescription {
    /// The project of one task that stands for the model.
    fn project(&self, path: &Path) -> Project {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let name = if self.name.is_empty() {
            folder.to_string_lossy().into_owned()
        } else {
            self.name.clone()
        };
        let classes = self
            .labels
            .iter()
            .enumerate()
            .map(|(place, name)| label(place, name, false));
        let empty = self
            .empty_label
            .iter()
            .map(|name| label(self.labels.len(), name, true));
        let task = Task {
            id: String::new(),
            title: "Task".to_owned(),
            task_type: self.task,
            labels: classes.chain(empty).collect(),
        };
        let pipeline = Pipeline {
            connections: Vec::new(),
            tasks: vec![task],
        };
        Project {
            id: String::new(),
            name,
            creation_time: None,
            pipeline,
            datasets: Vec::new(),
        }
    }

    /// The description in the words of a Geti model's `model_info`.
    fn model_info(&self) -> BTreeMap<String, String> {
        let ids = (0..self.labels.len())
            .map(identifier)
            .collect::<Vec<_>>()
            .join(" ");
        let numbers = |values: &[f64]| {
            values
                .iter()
                .map(f64::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let model_type = if self.task == TaskType::Detection {
            "SSD"
        } else {
            "Classification"
        };
        let mut info: BTreeMap<String, String> = self
            .options
            .iter()
            .map(|(key, value)| {
                (
                    key.clone(),
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned),
                )
            })
            .collect();
        let resize = self
            .input
            .resize
            .clone()
            .unwrap_or_else(|| "standard".to_owned());
        let layout = self.input.layout.clone().unwrap_or_default();
        for (key, value) in [
            ("model_type", model_type.to_owned()),
            ("labels", ids.clone()),
            ("label_ids", ids),
            ("mean_values", numbers(&self.input.mean)),
            ("scale_values", numbers(&self.input.scale)),
            (
                "reverse_input_channels",
                (self.input.channels == Channels::Bgr).to_string(),
            ),
            ("resize_type", resize),
            ("pad_value", self.input.pad_value.to_string()),
            ("input_layout", layout),
        ] {
            info.insert(key.to_owned(), value);
        }
        info
    }

    /// Which outputs are used, and what post-processing calls them.
    fn adapter(&self, path: &Path) -> Result<Adapter, DeployError> {
        let outputs = &self.outputs;
        let boxes = match outputs.coordinates {
            Coordinates::Pixels => "boxes",
            Coordinates::Fractions => "bboxes",
        };
        let detector = self.task == TaskType::Detection;
        let named = [
            (&outputs.detections, "detections"),
            (&outputs.boxes, boxes),
            (&outputs.scores, if detector { "scores" } else { "logits" }),
            (&outputs.classes, "labels"),
            (&outputs.saliency_map, SALIENCY_MAP),
            (&outputs.features, FEATURE_VECTOR),
        ];
        let names = named
            .into_iter()
            .filter_map(|(output, name)| Some((output.clone()?, name.to_owned())));
        Ok(Adapter {
            names: names.collect(),
            rows: Rows::of(outputs, path)?,
        })
    }
}

fn label(place: usize, name: &str, is_empty: bool) -> Label {
    Label {
        id: identifier(place),
        name: name.to_owned(),
        color: if is_empty {
            Color::BLACK
        } else {
            Color::opaque(COLORS[place % COLORS.len()])
        },
        group: "labels".to_owned(),
        is_empty,
        is_anomalous: false,
        hotkey: String::new(),
        parent_id: None,
    }
}

/// An id that is the same in every program that reads the description.
fn identifier(place: usize) -> String {
    format!("c1a55{place:019x}")
}
