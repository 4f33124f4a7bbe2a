use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use straylight_files::FileError;

use crate::project::InvalidProject;

/// What can go wrong in the store; each message names the place and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or directory could not be used.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried, as a verb: "read", "create".
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full; nothing of the failed change was kept.
    #[error("the disk of `{path}` is full: free some space or move the store; nothing was changed")]
    DiskFull {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// The project may not take more of the disk; nothing of the failed change was kept.
    #[error(
        "the project `{project}` uses {used} of {limit} bytes and has no room for {more} more: delete something in it, or raise its limit (`straylight store limit`)"
    )]
    ProjectFull {
        /// Name of the project.
        project: String,
        /// Bytes that its files take.
        used: u64,
        /// Bytes that they may take.
        limit: u64,
        /// Bytes that were to be added.
        more: u64,
    },
    /// The image was deleted after it had been decided to add it.
    #[error("the image was deleted from the dataset since it was sent: it is not added again")]
    Deleted,
    /// A backup is damaged or incomplete.
    #[error("the backup `{path}` cannot be restored: {detail}")]
    BadBackup {
        /// The file or folder that is wrong.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The directory or the database may not be written.
    #[error("`{path}` cannot be written: give this user the right to, or choose another directory")]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
    },
    /// The database file is damaged or is no database.
    #[error(
        "`{path}` is not a sound store database ({detail}): restore it from a backup, or move it away to begin anew"
    )]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What the database engine said.
        detail: String,
    },
    /// A newer Straylight wrote the store.
    #[error(
        "`{path}` has schema version {found}, this program knows up to {known}: use a newer Straylight"
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The version that was found.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Another process kept the store locked for too long.
    #[error("`{path}` is locked by another process: wait for it to end, or stop it")]
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// The file of an image is gone although its row is there.
    #[error("image {id} has lost its file `{path}`: restore it from a backup, or delete the image")]
    MissingFile {
        /// Identifier of the image.
        id: String,
        /// The file that should be there.
        path: PathBuf,
    },
    /// There is no such thing.
    #[error("there is no {what} `{id}` in the store")]
    NotFound {
        /// The kind of thing: "project", "dataset", "image".
        what: &'static str,
        /// The identifier or name that was asked for.
        id: String,
    },
    /// The project has a dataset of this name already.
    #[error("the project has a dataset named `{name}` already: choose another name")]
    DatasetExists {
        /// The name.
        name: String,
    },
    /// The training dataset of a project cannot be deleted.
    #[error("`{name}` is the training dataset: only the whole project can be deleted")]
    TrainingDataset {
        /// The dataset's name.
        name: String,
    },
    /// A name is empty or too long.
    #[error("`{value}` is no valid {what}: give it 1 to {limit} characters")]
    BadName {
        /// What is being named.
        what: &'static str,
        /// The name that was given, shortened.
        value: String,
        /// The greatest length in characters.
        limit: usize,
    },
    /// A project was described wrongly.
    #[error(transparent)]
    Invalid(#[from] InvalidProject),
    /// A JSON value in the database could not be read or written.
    #[error("`{path}` holds a value that is not as expected: {source}")]
    Json {
        /// The database file.
        path: PathBuf,
        /// What was wrong.
        source: serde_json::Error,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// Another error of the database engine.
    #[error("the database `{path}` failed: {source}")]
    Database {
        /// The database file.
        path: PathBuf,
        /// What the engine said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Wraps an I/O error, telling apart a full disk and missing rights.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    /// Whether waiting and trying again can help: the disk may be freed, the lock released.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. } | Self::ProjectFull { .. } | Self::Busy { .. }
        )
    }

    pub(crate) fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound {
            what,
            id: id.chars().take(200).collect(),
        }
    }
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::io(error.action, &error.path, error.source)
    }
}

/// An error inside a transaction, before the database's path is known.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Json(serde_json::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// Adds the path of the database and sorts the engine's codes into our kinds.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Store(error) => error,
            Self::Json(source) => StoreError::Json { path, source },
            Self::Sql(source) => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => StoreError::DiskFull { path },
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                    StoreError::ReadOnly { path }
                }
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt {
                    path,
                    detail: source.to_string(),
                },
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    StoreError::Busy { path }
                }
                _ => StoreError::Database { path, source },
            },
        }
    }
}
