use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use straylight_core::{Color, Label, Pipeline, Project, Task, TaskType};
use straylight_engine::graph::{IrModel, ModelInfo};
use straylight_engine::{CompileOptions, Runtime};
use straylight_tasks::{
    Decoder, FEATURE_VECTOR, Grid, Masks, Planes, Reading, RowLayout, SALIENCY_MAP, Scores, Source,
    Suppression, TaskConfig, TaskError,
};

use super::outputs::{finds_boxes, is_anomaly};
use super::{Axis, Channels, MaskArea, ModelDescription};
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
    ModelDescription::read(path)?.load(path, runtime, options)
}

impl ModelDescription {
    /// Loads what it describes; `path` is where it stands or will stand.
    pub(super) fn load(
        &self,
        path: &Path,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<(Project, Vec<TaskModel>), DeployError> {
        let description = self;
        let project = description.project(path);
        let model = path.with_file_name(&description.model);
        let ir = match model.extension() {
            Some(extension) if extension == "xml" => Some(IrModel::read(&model)?),
            _ => None,
        };
        let info: ModelInfo = description.model_info().into_iter().collect();
        let config = Config::new(&model, Some(&info), &Value::Null);
        config.check_keys().map_err(|error| reworded(error, path))?;
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
}

/// Keys of a description, and what Geti's `model_info` calls them.
const KEYS: [(&str, &str); 11] = [
    ("input.layout", "input_layout"),
    ("input.mean", "mean_values"),
    ("input.scale", "scale_values"),
    ("input.channels", "reverse_input_channels"),
    ("input.resize", "resize_type"),
    ("input.pad_value", "pad_value"),
    ("input.size", "input_size"),
    ("input.shorter_side", "shorter_side"),
    ("input.scaled_size", "scaled_size"),
    ("input.padding_multiple", "padding_multiple"),
    ("input.interpolation", "interpolation"),
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
        let anomaly = is_anomaly(self.task);
        let classes = self.all_labels().enumerate().map(|(place, name)| Label {
            is_anomalous: anomaly && place == 1,
            ..label(place, name, false)
        });
        let empty = self
            .empty_label
            .iter()
            .map(|name| label(self.all_labels().count(), name, true));
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

    /// The names of the classes, then those of the key points.
    fn all_labels(&self) -> impl Iterator<Item = &String> {
        self.labels.iter().chain(&self.outputs.key_points)
    }

    /// The description in the words of a Geti model's `model_info`.
    fn model_info(&self) -> BTreeMap<String, String> {
        let ids = (0..self.all_labels().count())
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
        let model_type = match self.task {
            TaskType::Classification => "Classification",
            TaskType::Segmentation => "Segmentation",
            task if is_anomaly(task) => "AnomalyDetection",
            _ => "SSD",
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
        let layout = self.input.layout.clone().unwrap_or_default();
        let sides = |size: Option<[u32; 2]>| {
            size.map_or_else(String::new, |[width, height]| format!("{width} {height}"))
        };
        let optional =
            |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
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
            ("resize_type", self.input.resize_type().to_owned()),
            ("interpolation", self.input.interpolation.name().to_owned()),
            ("shorter_side", optional(self.input.shorter_side)),
            ("scaled_size", sides(self.input.scaled_size)),
            ("padding_multiple", optional(self.input.padding_multiple)),
            ("input_size", sides(self.input.size)),
            ("pad_value", self.input.pad_value.to_string()),
            ("input_layout", layout),
        ] {
            info.insert(key.to_owned(), value);
        }
        info
    }

    /// Which outputs are used, what post-processing calls them, and how it reads them.
    fn adapter(&self, path: &Path) -> Result<Adapter, DeployError> {
        let outputs = &self.outputs;
        let anomaly = is_anomaly(self.task);
        let [scores, classes, masks] = if anomaly {
            ["pred_score", "pred_label", "pred_mask"]
        } else if finds_boxes(self.task) {
            ["scores", "classes", "masks"]
        } else {
            ["logits", "classes", "masks"]
        };
        let named = [
            (&outputs.detections, "detections"),
            (&outputs.boxes, "boxes"),
            (&outputs.scores, scores),
            (&outputs.classes, classes),
            (&outputs.count, "count"),
            (&outputs.masks, masks),
            (&outputs.prototypes, "prototypes"),
            (&outputs.anomaly_map, "anomaly_map"),
            (&outputs.saliency_map, SALIENCY_MAP),
            (&outputs.features, FEATURE_VECTOR),
        ];
        let names = named
            .into_iter()
            .filter_map(|(output, name)| Some((output.clone()?, name.to_owned())));
        Ok(Adapter {
            names: names.collect(),
            reading: self.reading(path)?,
        })
    }

    /// How post-processing reads the outputs.
    fn reading(&self, path: &Path) -> Result<Reading, DeployError> {
        let outputs = &self.outputs;
        let activation = outputs.activation.map(Into::into);
        match self.task {
            TaskType::Classification => Ok(Reading::Scores(Scores {
                activation,
                one_of_two: outputs.one_score,
            })),
            TaskType::Segmentation => Ok(Reading::Planes(Planes {
                activation: activation.unwrap_or_default(),
                background: outputs.background,
                classes: outputs.classes.is_some(),
                labels: self.labels.len(),
            })),
            task if is_anomaly(task) => Ok(Reading::Usual),
            _ => Ok(Reading::Detector(Box::new(self.decoder(path)?))),
        }
    }

    fn decoder(&self, path: &Path) -> Result<Decoder, DeployError> {
        let outputs = &self.outputs;
        let config =
            TaskConfig::from_model_info(&self.model_info()).map_err(|source| DeployError::Task {
                path: path.to_owned(),
                source,
            });
        let config = config.map_err(|error| reworded(error, path))?;
        let source = if outputs.detections.is_some() {
            let turned = outputs.candidates.map(|axis| axis == Axis::Columns);
            let layout = RowLayout::new(outputs.columns.clone(), turned);
            Source::Rows(
                layout.map_err(|reason| DeployError::config(path, "outputs.columns", reason))?,
            )
        } else {
            Source::Parts(outputs.box_format.into())
        };
        Ok(Decoder {
            source,
            unit: outputs.coordinates.into(),
            activation: outputs.activation.map(Into::into).unwrap_or_default(),
            classes: self.labels.len(),
            first_class: outputs.first_class,
            background: outputs.background,
            several: outputs.several_classes,
            grid: outputs.grid.as_ref().map(|grid| Grid {
                strides: grid.strides.clone(),
                anchors: grid.anchors.clone(),
            }),
            threshold: config.confidence_threshold,
            suppression: config.nms_execute.then_some(Suppression {
                iou_threshold: config.iou_threshold,
                limit: config.nms_max_predictions,
                agnostic: config.agnostic_nms,
                include_edges: false,
            }),
            limit: if config.nms_execute || self.has_limit() {
                config.nms_max_predictions
            } else {
                0
            },
            masks: self.masks(),
            points: outputs.key_points.len(),
        })
    }

    fn has_limit(&self) -> bool {
        self.options.contains_key("nms_max_predictions")
    }

    fn masks(&self) -> Option<Masks> {
        let outputs = &self.outputs;
        if outputs.prototypes.is_some() {
            return Some(Masks::Prototypes);
        }
        outputs.masks.as_ref()?;
        Some(Masks::Each {
            area: match outputs.mask_area {
                MaskArea::Box => straylight_tasks::MaskArea::Box,
                MaskArea::Input => straylight_tasks::MaskArea::Input,
            },
            activation: outputs.mask_activation.map(Into::into).unwrap_or_default(),
        })
    }
}

/// A label with a colour of its own.
pub(crate) fn label(place: usize, name: &str, is_empty: bool) -> Label {
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
