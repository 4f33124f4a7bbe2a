use serde::{Deserialize, Serialize};
use straylight_core::TaskType;

use super::{Id, Open, number};

/// `GET .../supported_algorithms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmList {
    /// The algorithms, in either shape.
    pub supported_algorithms: Vec<Algorithm>,
}

/// An algorithm in the shape of the server's generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Algorithm {
    /// Server 2.12 and later.
    Modern(Box<ModernAlgorithm>),
    /// Servers before 2.12.
    Legacy(Box<LegacyAlgorithm>),
}

impl Algorithm {
    /// The identifier that a model group names as its `model_template_id`.
    pub fn id(&self) -> &str {
        match self {
            Self::Modern(algorithm) => &algorithm.model_manifest_id,
            Self::Legacy(algorithm) => &algorithm.model_template_id,
        }
    }

    /// The name that people see.
    pub fn name(&self) -> &str {
        match self {
            Self::Modern(algorithm) => &algorithm.name,
            Self::Legacy(algorithm) => &algorithm.name,
        }
    }

    /// The kind of task for which it can be trained.
    pub fn task(&self) -> &Open<TaskType> {
        match self {
            Self::Modern(algorithm) => &algorithm.task,
            Self::Legacy(algorithm) => &algorithm.task_type,
        }
    }

    /// Whether the server takes it when none is named.
    pub fn is_default(&self) -> bool {
        match self {
            Self::Modern(algorithm) => algorithm.is_default_model,
            Self::Legacy(algorithm) => algorithm.default_algorithm,
        }
    }
}

/// An algorithm as servers from 2.12 on describe it; every key is required by the SDK.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModernAlgorithm {
    /// Identifier.
    pub model_manifest_id: Id,
    /// The kind of task.
    pub task: Open<TaskType>,
    /// The name that people see.
    pub name: String,
    /// A few sentences.
    #[serde(default, deserialize_with = "number::or_default")]
    pub description: String,
    /// Size and ratings.
    #[serde(default, deserialize_with = "number::or_default")]
    pub stats: AlgorithmStats,
    /// `active`, `deprecated` or `obsolete`.
    #[serde(default, deserialize_with = "number::or_default")]
    pub support_status: String,
    /// On what it can be trained.
    #[serde(default, deserialize_with = "number::or_default")]
    pub supported_gpus: SupportedGpus,
    /// What its models can do.
    #[serde(default, deserialize_with = "number::or_default")]
    pub capabilities: Capabilities,
    /// Whether the server takes it when none is named.
    #[serde(default, deserialize_with = "number::or_default")]
    pub is_default_model: bool,
    /// `balance`, `speed`, `accuracy` or `other`.
    #[serde(default, deserialize_with = "number::or_default")]
    pub performance_category: String,
}

/// Size and ratings of an algorithm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmStats {
    /// Billions of operations for one image.
    #[serde(default, deserialize_with = "number::float")]
    pub gigaflops: f64,
    /// Millions of parameters.
    #[serde(default, deserialize_with = "number::float")]
    pub trainable_parameters: f64,
    /// Ratings from 1 (low) to 3 (high).
    #[serde(default, deserialize_with = "number::or_default")]
    pub performance_ratings: PerformanceRatings,
}

/// Ratings from 1 (low) to 3 (high).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerformanceRatings {
    /// How exact.
    #[serde(default, deserialize_with = "number::count")]
    pub accuracy: u64,
    /// How quickly trained.
    #[serde(default, deserialize_with = "number::count")]
    pub training_time: u64,
    /// How quick.
    #[serde(default, deserialize_with = "number::count")]
    pub inference_speed: u64,
}

/// On which makes of GPU an algorithm can be trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportedGpus {
    /// NVIDIA.
    #[serde(default)]
    pub nvidia: bool,
    /// Intel.
    #[serde(default)]
    pub intel: bool,
}

/// What an algorithm's models can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Feature vectors and saliency maps.
    #[serde(default)]
    pub xai: bool,
    /// Large images in tiles.
    #[serde(default)]
    pub tiling: bool,
}

/// An algorithm as servers before 2.12 describe it; SDK 2.5 accepts exactly these keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegacyAlgorithm {
    /// The name that people see.
    pub name: String,
    /// The kind of task.
    pub task_type: Open<TaskType>,
    /// Size in megabytes, as a number or a text.
    #[serde(default)]
    pub model_size: serde_json::Value,
    /// Identifier.
    pub model_template_id: Id,
    /// Billions of operations for one image.
    #[serde(default, deserialize_with = "number::float")]
    pub gigaflops: f64,
    /// A few sentences.
    #[serde(default, deserialize_with = "number::or_default")]
    pub summary: String,
    /// Whether the server can search for hyper-parameters.
    #[serde(default, deserialize_with = "number::or_default")]
    pub supports_auto_hpo: bool,
    /// Whether the server takes it when none is named.
    #[serde(default, deserialize_with = "number::or_default")]
    pub default_algorithm: bool,
    /// `balance`, `speed`, `accuracy` or `other`.
    #[serde(default, deserialize_with = "number::or_default")]
    pub performance_category: String,
    /// `active` and so on.
    #[serde(default, deserialize_with = "number::or_default")]
    pub lifecycle_stage: String,
}
