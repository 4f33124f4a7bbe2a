use std::path::{Path, PathBuf};

use straylight_engine::EngineError;
use straylight_files::FileError;
use straylight_hooks::HookError;
use straylight_hooks::config::ConfigError;
use straylight_tasks::TaskError;

/// What went wrong with a deployment.
///
/// The message says what and where; [`DeployError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// A folder holds no deployment.
    #[error("{} holds no deployment: there is no {missing} in it", path.display())]
    NotADeployment {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
    /// A zip file cannot be unpacked.
    #[error("{}: {reason}", path.display())]
    Zip {
        /// The zip file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A deployment in a zip file was to be changed.
    #[error("{} is a zip file, which is read only", path.display())]
    Zipped {
        /// The zip file.
        path: PathBuf,
    },
    /// An image is not of the kind that the model was trained on.
    #[error("the image does not fit the model: {reason}")]
    OtherImage {
        /// Why not, and what would fit.
        reason: String,
    },
    /// JPEG files were to be decoded otherwise than when the OOD model was fitted.
    #[error(
        "the OOD model was fitted on JPEG files that were decoded `{fitted}`, and `{asked}` is asked for: scores would mean something else; leave the choice out, or fit again with it"
    )]
    OtherJpegDecoding {
        /// How JPEG files were decoded for the fit.
        fitted: String,
        /// How they were to be decoded now.
        asked: &'static str,
    },
    /// A file of the deployment cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is not the JSON that it should be.
    #[error("{}: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the reader says, with line and column.
        reason: String,
    },
    /// A configuration key is missing or has a value that cannot be used.
    #[error("{}: {key}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// A model does not fit the task that it is deployed for.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The model.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A model without a description cannot be made a deployment.
    #[error("{}: {reason}", path.display())]
    BareModel {
        /// The model.
        path: PathBuf,
        /// What a classifier or a detector has and the model has not.
        reason: String,
    },
    /// A model can be read in several ways that give different numbers; the user must say which.
    #[error("{}: {key}: {reason}\nSay which, by one of these lines:\n{lines}", path.display())]
    Undecided {
        /// The model.
        path: PathBuf,
        /// The key of the description that decides.
        key: String,
        /// Why it cannot be found out.
        reason: String,
        /// Commands to copy, each with its meaning.
        lines: String,
    },
    /// A model does not fit the description beside it.
    #[error("{}: {reason}", path.display())]
    DescribedModel {
        /// The model.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A model cannot be given a feature vector.
    #[error("{}: no feature vector can be added: {reason}", path.display())]
    NoFeatures {
        /// The model, or the deployment's folder.
        path: PathBuf,
        /// Why not, and what can be done instead.
        reason: String,
    },
    /// The engine cannot load or run a model.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model's configuration or its outputs do not fit its task.
    #[error("{}: {source}", path.display())]
    Task {
        /// The model.
        path: PathBuf,
        /// What does not fit.
        source: TaskError,
    },
    /// The model has no output that explains its predictions.
    #[error("the model of task `{task}` has no saliency_map output and cannot explain")]
    NoExplanation {
        /// Title of the task.
        task: String,
    },
    /// The saved hooks cannot be read, or a hook cannot be saved.
    #[error(transparent)]
    HookConfig(#[from] ConfigError),
    /// A saved hook cannot run.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The OOD model saved with the deployment cannot be read, written, or is another model's.
    #[error(transparent)]
    OodModel(#[from] straylight_ood::ModelFileError),
    /// An image file cannot be read.
    #[error(transparent)]
    Image(#[from] straylight_image::ImageError),
    /// The system gives no more threads.
    #[error("cannot start a thread for inference: {0}")]
    Threads(std::io::Error),
    /// Inference was asked of a stream that was closed.
    #[error("the inference stream is closed")]
    Closed,
}

impl DeployError {
    /// What the user can do, in one sentence; empty when the message already says it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotADeployment { .. } => {
                "Give the folder that holds project.json, the folder above it, or the downloaded zip \
                 file. A bare model (IR, ONNX, TFLite) becomes one by `straylight \
                 deployment init MODEL`."
            }
            Self::Json { .. } | Self::Model { .. } => {
                "Download the deployment again, or export the model again."
            }
            Self::BareModel { .. } => {
                "Export it with one RGB image as its input and with class scores or boxes as its \
                 outputs, or write straylight.json beside it by hand."
            }
            Self::DescribedModel { .. } => {
                "Correct the description beside the model; `straylight deployment init --force` \
                 proposes a new one."
            }
            Self::Config { .. } | Self::Task { .. } => {
                "Correct the value, or export the model again."
            }
            Self::Engine(error) => error.hint(),
            Self::NoExplanation { .. } => {
                "Deploy a model version with an explainability (XAI) head."
            }
            Self::Image(error) => error.hint(),
            Self::Threads(_) => "Use fewer workers.",
            Self::Zip { .. } => "Download the deployment again.",
            Self::Zipped { .. } => "Unzip it, and give the folder.",
            Self::File(_)
            | Self::Closed
            | Self::OtherImage { .. }
            | Self::OtherJpegDecoding { .. }
            | Self::HookConfig(_)
            | Self::Hook(_)
            | Self::NoFeatures { .. }
            | Self::Undecided { .. }
            | Self::OodModel(_) => "",
        }
    }

    pub(crate) fn config(path: &Path, key: &str, reason: impl Into<String>) -> Self {
        Self::Config {
            path: path.to_owned(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn model(path: &Path, reason: impl Into<String>) -> Self {
        Self::Model {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
