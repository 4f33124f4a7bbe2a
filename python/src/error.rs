//! Errors of the crates as exceptions of the package.
//!
//! The classes are written in Python (`straylight.exceptions`); each derives from
//! `StraylightError` and from the builtin exception that its kind of trouble has.

use pyo3::prelude::*;
use pyo3::types::PyType;
use straylight::fit::OodFitError;
use straylight::hooks::config::ConfigError;
use straylight::hooks::{ActionError, HookError, TriggerError};
use straylight::image::{ImageError, ImageErrorKind};
use straylight::ood::{FitError, ModelFileError, ScoreError, SetError, ShapeError};
use straylight::platform::ExchangeError;
use straylight::{DeployError, engine};
use straylight_formats::{FilterError, FormatError, UnknownFormatName};
use straylight_geti::{ErrorKind, GetiError};

/// An error on its way to Python: the name of its class, what happened, and what to do.
#[derive(Debug)]
pub(crate) struct Raised {
    class: &'static str,
    message: String,
    hint: String,
}

/// What the functions of this crate return.
pub(crate) type Outcome<T> = Result<T, Raised>;

impl Raised {
    /// An error of a class of `straylight.exceptions`.
    pub(crate) fn new(class: &'static str, message: impl std::fmt::Display) -> Self {
        Self {
            class,
            message: message.to_string(),
            hint: String::new(),
        }
    }

    fn with_hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }

    /// A wrong value.
    pub(crate) fn value(message: impl std::fmt::Display) -> Self {
        Self::new("InvalidValueError", message)
    }

    /// Something that was asked for is not there.
    pub(crate) fn missing(message: impl std::fmt::Display) -> Self {
        Self::new("NotFoundError", message)
    }
}

/// Makes the exception; a package that lacks the class is told of that instead.
fn exception(py: Python<'_>, raised: &Raised) -> PyResult<PyErr> {
    let class = py
        .import("straylight.exceptions")?
        .getattr(raised.class)?
        .cast_into::<PyType>()?;
    let text = if raised.hint.is_empty() {
        raised.message.clone()
    } else {
        format!("{} ({})", raised.message, raised.hint.trim_end_matches('.'))
    };
    let value = class.call1((text,))?;
    value.setattr("hint", &raised.hint)?;
    Ok(PyErr::from_value(value))
}

impl From<Raised> for PyErr {
    fn from(raised: Raised) -> Self {
        Python::attach(|py| exception(py, &raised).unwrap_or_else(|error| error))
    }
}

/// The class for trouble with a file of this kind.
fn file_class(kind: std::io::ErrorKind) -> &'static str {
    match kind {
        std::io::ErrorKind::NotFound => "MissingFileError",
        _ => "FileError",
    }
}

impl From<DeployError> for Raised {
    fn from(error: DeployError) -> Self {
        let class = match &error {
            DeployError::NotADeployment { .. } => "MissingFileError",
            DeployError::File(file) => file_class(file.kind()),
            DeployError::Json { .. }
            | DeployError::Config { .. }
            | DeployError::Model { .. }
            | DeployError::Task { .. }
            | DeployError::HookConfig(_)
            | DeployError::Hook(_)
            | DeployError::OodModel(_) => "ConfigurationError",
            DeployError::Image(_) => "ImageError",
            _ => "InferenceError",
        };
        Self::new(class, &error).with_hint(error.hint())
    }
}

impl From<ImageError> for Raised {
    fn from(error: ImageError) -> Self {
        let class = match error.kind() {
            ImageErrorKind::Read(source) => file_class(source.kind()),
            _ => "ImageError",
        };
        Self::new(class, &error).with_hint(error.hint())
    }
}

impl From<GetiError> for Raised {
    fn from(error: GetiError) -> Self {
        let class = match error.kind() {
            ErrorKind::Settings => "ConfigurationError",
            ErrorKind::Argument => "InvalidValueError",
            ErrorKind::NotFound => "NotFoundError",
            ErrorKind::Unsupported => "NotSupportedError",
            ErrorKind::Login => "LoginError",
            ErrorKind::File => "FileError",
            ErrorKind::Timeout => "ServerTimeoutError",
            _ => "ServerError",
        };
        // The text has the hint already.
        Self::new(class, &error)
    }
}

impl From<ModelFileError> for Raised {
    fn from(error: ModelFileError) -> Self {
        let class = match &error {
            ModelFileError::File(file) => file_class(file.kind()),
            _ => "ConfigurationError",
        };
        Self::new(class, error)
    }
}

impl From<OodFitError> for Raised {
    fn from(error: OodFitError) -> Self {
        match error {
            OodFitError::Deploy(error) => error.into(),
            other => Self::new("FitFailedError", other),
        }
    }
}

impl From<ExchangeError> for Raised {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Format(error) => error.into(),
            ExchangeError::Geti(error) => error.into(),
            ExchangeError::File(error) => Self::new(file_class(error.kind()), error),
            other => Self::value(other),
        }
    }
}

/// Errors whose class does not depend on what they say.
macro_rules! raised_as {
    ($($error:ty => $class:literal),+ $(,)?) => {
        $(impl From<$error> for Raised {
            fn from(error: $error) -> Self {
                Self::new($class, error)
            }
        })+
    };
}

raised_as! {
    engine::EngineError => "InferenceError",
    ConfigError => "ConfigurationError",
    HookError => "ConfigurationError",
    TriggerError => "HookFailedError",
    ActionError => "HookFailedError",
    FitError => "FitFailedError",
    SetError => "InvalidValueError",
    ShapeError => "InvalidValueError",
    ScoreError => "InvalidValueError",
    FormatError => "ConfigurationError",
    FilterError => "InvalidValueError",
    UnknownFormatName => "InvalidValueError",
    serde_json::Error => "InvalidValueError",
}
