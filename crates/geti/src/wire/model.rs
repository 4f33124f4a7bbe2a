use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Id, Open, Time, number, time};

/// `GET .../model_groups`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelGroupList {
    /// The groups; may be empty.
    pub model_groups: Vec<ModelGroup>,
}

/// All models of one architecture for one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelGroup {
    /// Identifier.
    pub id: Id,
    /// Name of the architecture.
    pub name: String,
    /// Identifier of the algorithm.
    #[serde(default, deserialize_with = "number::or_default")]
    pub model_template_id: Id,
    /// Identifier of the task; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Id>,
    /// How it is trained; `fully_supervised` or another; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_approach: Option<String>,
    /// Its models, oldest first.
    #[serde(default)]
    pub models: Vec<ModelSummary>,
}

/// A model in its group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Identifier.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// When it was trained; the latest model counts.
    #[serde(default, deserialize_with = "time::lenient")]
    pub creation_date: Option<Time>,
    /// Whether the score is that of the present dataset.
    #[serde(default, deserialize_with = "number::or_default")]
    pub score_up_to_date: bool,
    /// Whether predictions come from it.
    #[serde(default, deserialize_with = "number::or_default")]
    pub active_model: bool,
    /// Bytes on disk.
    #[serde(default, deserialize_with = "number::count")]
    pub size: u64,
    /// How good it is; null or without a score while it is not trained.
    #[serde(default)]
    pub performance: Option<Performance>,
    /// Whether it knows all labels of the task.
    #[serde(default, deserialize_with = "number::or_default")]
    pub label_schema_in_sync: bool,
    /// Counts up with every training.
    #[serde(default, deserialize_with = "number::count")]
    pub version: u64,
    /// Whether its files were deleted; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge_info: Option<PurgeInfo>,
}

/// The score of a model in `0..=1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Accuracy or the like; null while it is not known.
    #[serde(default)]
    pub score: Option<f64>,
}

/// Whether and when a model's files were deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeInfo {
    /// Whether they were.
    #[serde(default)]
    pub is_purged: bool,
    /// When.
    #[serde(default, deserialize_with = "time::lenient")]
    pub purge_time: Option<Time>,
    /// By whom.
    #[serde(default)]
    pub user_uid: Option<Id>,
}

/// `GET .../models/{m}`: a model with its optimized forms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Identifier.
    #[serde(default)]
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Name of the architecture.
    #[serde(default, deserialize_with = "number::or_default")]
    pub architecture: String,
    /// Counts up with every training.
    #[serde(default, deserialize_with = "number::count")]
    pub version: u64,
    /// When it was trained.
    #[serde(default, deserialize_with = "time::lenient")]
    pub creation_date: Option<Time>,
    /// Bytes of the model.
    #[serde(default, deserialize_with = "number::count")]
    pub size: u64,
    /// Bytes with all optimized forms.
    #[serde(default, deserialize_with = "number::count")]
    pub total_disk_size: u64,
    /// How good it is.
    #[serde(default)]
    pub performance: Option<Performance>,
    /// Number formats, such as `FP32`.
    #[serde(default, deserialize_with = "number::or_default")]
    pub precision: Vec<String>,
    /// Whether it knows all labels of the task.
    #[serde(default, deserialize_with = "number::or_default")]
    pub label_schema_in_sync: bool,
    /// Its optimized forms.
    #[serde(default, deserialize_with = "number::or_default")]
    pub optimized_models: Vec<OptimizedModel>,
    /// Labels that it knows.
    #[serde(default, deserialize_with = "number::or_default")]
    pub labels: Vec<LabelRef>,
    /// What it was trained on; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_dataset_info: Option<TrainingDatasetInfo>,
    /// What trained it; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_framework: Option<TrainingFramework>,
    /// Whether its files were deleted; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge_info: Option<PurgeInfo>,
    /// How it was trained; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_approach: Option<String>,
    /// Measured frames a second, 0 when not measured.
    #[serde(
        default,
        deserialize_with = "number::float",
        serialize_with = "number::whole"
    )]
    pub fps_throughput: f64,
    /// Measured milliseconds a frame, 0 when not measured.
    #[serde(
        default,
        deserialize_with = "number::float",
        serialize_with = "number::whole"
    )]
    pub latency: f64,
    /// For which device it was made.
    #[serde(default)]
    pub target_device: Option<String>,
    /// Which kind of it.
    #[serde(default)]
    pub target_device_type: Option<String>,
    /// The model before it; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_revision_id: Option<Id>,
    /// The trained model before it; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_trained_revision_id: Option<Id>,
}

/// A label as a model names it: all keys of a project's label that a server sent are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelRef {
    /// Identifier of the project's label.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The other keys; the SDK wants `color`, `group` and `is_empty` among them.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a model was trained on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingDatasetInfo {
    /// Identifier of the dataset.
    #[serde(default, deserialize_with = "number::or_default")]
    pub dataset_storage_id: Id,
    /// Identifier of its state at that time.
    #[serde(default, deserialize_with = "number::or_default")]
    pub dataset_revision_id: Id,
    /// Images and frames together.
    #[serde(default, deserialize_with = "number::count")]
    pub n_samples: u64,
    /// Images.
    #[serde(default, deserialize_with = "number::count")]
    pub n_images: u64,
    /// Videos.
    #[serde(default, deserialize_with = "number::count")]
    pub n_videos: u64,
    /// Video frames.
    #[serde(default, deserialize_with = "number::count")]
    pub n_frames: u64,
}

/// What trained a model: exactly these keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingFramework {
    /// Its name, such as `OTX`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its version.
    #[serde(default, deserialize_with = "number::or_default")]
    pub version: String,
}

/// How a model was made smaller or faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OptimizationType {
    /// Converted to OpenVINO.
    Mo,
    /// Compressed while it was trained.
    Nncf,
    /// Quantized after training.
    Pot,
    /// Exported to ONNX.
    Onnx,
    /// As it was trained.
    None,
}

/// An optimized form of a model; also the `model.json` of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizedModel {
    /// Identifier.
    #[serde(default)]
    pub id: Id,
    /// Its name; the SDK looks for the precision in it ("... OpenVINO FP16 with XAI head").
    pub name: String,
    /// Version of the model.
    #[serde(default, deserialize_with = "number::count")]
    pub version: u64,
    /// When it was made.
    #[serde(default, deserialize_with = "time::lenient")]
    pub creation_date: Option<Time>,
    /// `OpenVINO`, `ONNX` or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_format: Option<String>,
    /// Number formats, such as `FP16`.
    #[serde(default, deserialize_with = "number::or_default")]
    pub precision: Vec<String>,
    /// Whether it gives feature vectors and saliency maps.
    #[serde(default, deserialize_with = "number::or_default")]
    pub has_xai_head: bool,
    /// `SUCCESS` when it can be used.
    #[serde(default, deserialize_with = "number::or_default")]
    pub model_status: String,
    /// How it was made.
    #[serde(default = "unoptimized")]
    pub optimization_type: Open<OptimizationType>,
    /// Names of the methods.
    #[serde(default, deserialize_with = "number::or_default")]
    pub optimization_methods: Vec<String>,
    /// What was to be reached.
    #[serde(default, deserialize_with = "number::or_default")]
    pub optimization_objectives: Map<String, Value>,
    /// How good it is.
    #[serde(default)]
    pub performance: Option<Performance>,
    /// Bytes on disk.
    #[serde(default, deserialize_with = "number::count")]
    pub size: u64,
    /// Measured milliseconds a frame, 0 when not measured.
    #[serde(
        default,
        deserialize_with = "number::float",
        serialize_with = "number::whole"
    )]
    pub latency: f64,
    /// Measured frames a second, 0 when not measured.
    #[serde(
        default,
        deserialize_with = "number::float",
        serialize_with = "number::whole"
    )]
    pub fps_throughput: f64,
    /// For which device it was made.
    #[serde(default)]
    pub target_device: Option<String>,
    /// Which kind of it.
    #[serde(default)]
    pub target_device_type: Option<String>,
    /// The model from which it was made.
    #[serde(default)]
    pub previous_revision_id: Option<Id>,
    /// The trained model from which it was made.
    #[serde(default)]
    pub previous_trained_revision_id: Option<Id>,
    /// Settings of the optimization.
    #[serde(default, deserialize_with = "number::or_default")]
    pub configurations: Vec<Value>,
}

fn unoptimized() -> Open<OptimizationType> {
    Open::Known(OptimizationType::None)
}
