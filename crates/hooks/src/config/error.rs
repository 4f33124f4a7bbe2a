use std::path::{Path, PathBuf};

use straylight_files::FileError;

use super::HOOK_CONFIG_VERSION;
use crate::trigger::TriggerError;

/// A configuration of hooks cannot be read, built or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not JSON, or a key or value in it is not one that we know.
    #[error("{}, line {line}, column {column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A newer program wrote the file.
    #[error(
        "{}: the hooks have version {found}, and this program knows up to {HOOK_CONFIG_VERSION}: \
         use a newer Straylight",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
    },
    /// The two parts of the file say different things.
    #[error(
        "{}: `post_inference_hooks` and `straylight.hooks` disagree: edit the latter and make \
         the former follow, or remove the one that is wrong",
        path.display()
    )]
    Disagree {
        /// The file.
        path: PathBuf,
    },
    /// A hook with a custom trigger or action is to be saved.
    #[error(
        "the {kind} `{name}` is not one of Straylight's own and cannot be saved: {}",
        HINT
    )]
    Unsaved {
        /// "trigger" or "action".
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The hook needs something that is not there.
    #[error("{what} needs {needs}: {hint}")]
    Unmet {
        /// The trigger or action.
        what: &'static str,
        /// What is missing.
        needs: &'static str,
        /// The way out.
        hint: &'static str,
    },
    /// A value is out of its range.
    #[error("{key}: {what}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong with its value.
        what: String,
    },
    /// The trigger refused its settings.
    #[error(transparent)]
    Trigger(#[from] TriggerError),
    /// A secret is about to be written in clear text.
    #[error("{what} is in clear text and is not written: refer to it as `env:NAME` or `file:PATH`")]
    ClearText {
        /// Which secret.
        what: String,
    },
    /// The configuration could not be turned into JSON.
    #[error("the hooks cannot be written as JSON: {0}")]
    Write(serde_json::Error),
}

const HINT: &str = "remove the hook before saving and add it again after loading";

impl ConfigError {
    /// An error of the JSON reader with its place; `serde_json` repeats the place in its text.
    pub(super) fn syntax(path: &Path, source: &serde_json::Error) -> Self {
        let (line, column) = (source.line(), source.column());
        let text = source.to_string();
        let place = format!(" at line {line} column {column}");
        let message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        Self::Syntax {
            path: path.to_owned(),
            line,
            column,
            message,
        }
    }
}
