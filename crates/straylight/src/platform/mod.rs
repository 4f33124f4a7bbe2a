//! Projects, datasets and deployments of a Geti server or of the local store.
//!
//! The local store is spoken to as a server is: through our own server on loopback with a token
//! of its own, for as long as the [`Platform`] lives. So both have the same operations, the same
//! checks and the same errors, and one implementation.

mod annotate;
mod exchange;
mod export;
mod frames;
mod import;
mod imported;
mod keypoints;
mod local;
mod upload;

use std::path::Path;

use straylight_geti::wire::{Dataset, Project};
use straylight_geti::{DatasetApi, ErrorKind, Geti, GetiError, ProjectApi, ServerDetails};
use straylight_server::ServerError;
use straylight_store::StoreError;

pub use exchange::ExchangeError;
pub use export::{ExportOptions, Exported, download, export};
pub use frames::dataset_frames;
pub use import::{ImportOptions, Imported, add_labels, import};
pub use keypoints::{keypoint_task, parse_edge};
pub use upload::{Uploaded, upload};

/// A server or the local store cannot be reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// The server, or the client.
    #[error(transparent)]
    Geti(#[from] GetiError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The local server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A thread could not be started.
    #[error("the local store cannot be opened: {0}")]
    Thread(std::io::Error),
}

/// A Geti server, or the local store.
#[derive(Debug)]
pub struct Platform {
    geti: Geti,
    /// Ends with the platform.
    _local: Option<local::LocalServer>,
}

impl Platform {
    /// Logs in to a server.
    pub fn connect(details: &ServerDetails) -> Result<Self, PlatformError> {
        Ok(Self {
            geti: Geti::connect(details)?,
            _local: None,
        })
    }

    /// Opens the local store in a folder, which is made if it is missing.
    pub fn open_store(folder: &Path) -> Result<Self, PlatformError> {
        let (local, details) = local::LocalServer::start(folder)?;
        Ok(Self {
            geti: Geti::connect(&details)?,
            _local: Some(local),
        })
    }

    /// The session.
    pub fn geti(&self) -> &Geti {
        &self.geti
    }

    /// The project of this name or identifier, with its datasets.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the names that there are.
    pub fn project(&self, name_or_id: &str) -> Result<Project, GetiError> {
        if let Some(project) = self.geti.project_named(name_or_id)? {
            return Ok(project);
        }
        let all = self.geti.projects()?;
        if all.iter().any(|project| project.id == name_or_id) {
            return self.geti.project(name_or_id);
        }
        let names = all.iter().map(|project| project.name.as_str());
        Err(not_found("project", name_or_id, names))
    }

    /// The calls for the project of this name or identifier.
    pub fn project_api(&self, name_or_id: &str) -> Result<ProjectApi, GetiError> {
        Ok(self.geti.at(&self.project(name_or_id)?.id))
    }

    /// The dataset that a user names: `PROJECT/DATASET`, or `PROJECT` for its training dataset.
    pub fn target(&self, text: &str) -> Result<DatasetApi, GetiError> {
        let (project, dataset) = split_target(text);
        self.dataset(project, dataset)
    }

    /// The dataset of this name or identifier; the training dataset when `None`.
    pub fn dataset(&self, project: &str, name: Option<&str>) -> Result<DatasetApi, GetiError> {
        let api = self.project_api(project)?;
        let Some(name) = name else {
            let training = api.training_dataset()?;
            return Ok(api.dataset(&training.id));
        };
        let all = api.datasets()?;
        let fits = |dataset: &&Dataset| dataset.name == name || dataset.id == name;
        match all.iter().find(fits) {
            Some(dataset) => Ok(api.dataset(&dataset.id)),
            None => Err(not_found(
                "dataset",
                name,
                all.iter().map(|dataset| dataset.name.as_str()),
            )),
        }
    }
}

/// Project and dataset in `PROJECT/DATASET` or `PROJECT`.
pub fn split_target(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('/') {
        Some((project, dataset)) => (project, Some(dataset)),
        None => (text, None),
    }
}

fn not_found<'a>(what: &str, name: &str, there: impl Iterator<Item = &'a str>) -> GetiError {
    let there: Vec<&str> = there.collect();
    let hint = if there.is_empty() {
        format!("there is no {what} at all")
    } else {
        format!("there are: {}", there.join(", "))
    };
    GetiError::new(ErrorKind::NotFound, format!("there is no {what} `{name}`")).with_hint(hint)
}
