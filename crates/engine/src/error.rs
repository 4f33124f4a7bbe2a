use std::path::PathBuf;

use crate::Version;

/// What went wrong between Straylight and OpenVINO.
///
/// The message says what and where; [`EngineError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No OpenVINO runtime is installed and none may or can be fetched.
    #[error(
        "no OpenVINO runtime was found ({reason}); searched:\n{}",
        lines(searched)
    )]
    NoRuntime {
        /// Why none was fetched.
        reason: String,
        /// The places that were searched, with what was found there.
        searched: Vec<String>,
    },
    /// A library was found but cannot be loaded.
    #[error("the OpenVINO library {} cannot be loaded: {reason}", path.display())]
    Load {
        /// The library.
        path: PathBuf,
        /// What the linker says.
        reason: String,
    },
    /// The runtime is older than the program that wrote the model, and cannot read it.
    #[error(
        "{} was written by OpenVINO {written_by} and cannot be read by the runtime {runtime}: {reason}",
        path.display()
    )]
    RuntimeTooOld {
        /// The model.
        path: PathBuf,
        /// Version in the model's `rt_info`.
        written_by: Version,
        /// Version of the loaded runtime.
        runtime: Version,
        /// What OpenVINO says.
        reason: String,
    },
    /// The wheel could not be fetched, or is not what it should be.
    #[error("OpenVINO could not be fetched: {reason}")]
    Fetch {
        /// What failed, with pip's own words if it spoke.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "create", ...
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A model file does not hold what its format demands.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line or layer if it is known.
        reason: String,
    },
    /// OpenVINO refused something.
    #[error("OpenVINO cannot {action}: {reason}")]
    OpenVino {
        /// What was asked of it.
        action: String,
        /// Its own words, or the name of its status.
        reason: String,
    },
    /// A tensor does not have the element type, shape or name that the caller expects.
    #[error("tensor `{name}`: {reason}")]
    Tensor {
        /// Name of the tensor, or its index.
        name: String,
        /// What does not fit.
        reason: String,
    },
}

fn lines(searched: &[String]) -> String {
    searched
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

impl EngineError {
    /// What the user can do, in one sentence; empty when the message already says it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoRuntime { .. } | Self::Fetch { .. } => {
                "Install OpenVINO (`python3 -m pip install openvino`), or set STRAYLIGHT_OPENVINO to \
                 the folder of its libraries; python3 with pip and access to a package index lets \
                 Straylight fetch it itself."
            }
            Self::Load { .. } => {
                "Set STRAYLIGHT_OPENVINO to the library folder of a working OpenVINO of 2025.1 or later \
                 for this machine."
            }
            Self::RuntimeTooOld { .. } => {
                "Install an OpenVINO at least as new as the model, or unset STRAYLIGHT_OPENVINO and \
                 leave the Python environment so that Straylight fetches its own."
            }
            Self::Io { .. } => "Check that the file exists and that you may read it.",
            Self::Model { .. } => "Export the model again, or download the deployment again.",
            Self::OpenVino { .. } | Self::Tensor { .. } => "",
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Names the tensor that an error is about.
    pub(crate) fn of_tensor(self, name: &str) -> Self {
        match self {
            Self::Tensor { reason, .. } => Self::tensor(name, reason),
            other => other,
        }
    }

    pub(crate) fn tensor(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Tensor {
            name: name.into(),
            reason: reason.into(),
        }
    }
}
