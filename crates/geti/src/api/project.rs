use std::time::Duration;

use super::dataset::DatasetApi;
use super::session::{Geti, gone_is_deleted};
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, encode};
use crate::wire::{Dataset, DatasetList, ErrorCode, NewDataset, Project, ProjectStatus};

/// How often a new project is asked whether it is ready, once a second.
const READY_ATTEMPTS: u32 = 6;

/// The calls for one project; cheap to clone.
#[derive(Debug, Clone)]
pub struct ProjectApi {
    geti: Geti,
    id: String,
}

impl ProjectApi {
    pub(crate) fn new(geti: Geti, id: String) -> Self {
        Self { geti, id }
    }

    /// The session.
    pub fn geti(&self) -> &Geti {
        &self.geti
    }

    /// Identifier of the project.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The project as it is now.
    pub fn get(&self) -> Result<Project, GetiError> {
        self.geti.project(&self.id)
    }

    /// What the project is doing.
    pub fn status(&self) -> Result<ProjectStatus, GetiError> {
        self.geti
            .transport()
            .json(&Request::get(self.path("/status")))
    }

    /// All datasets, the training dataset first.
    pub fn datasets(&self) -> Result<Vec<Dataset>, GetiError> {
        let list: DatasetList = self
            .geti
            .transport()
            .json(&Request::get(self.path("/datasets")))?;
        let mut datasets = list.datasets;
        datasets.sort_by_key(|dataset| !dataset.use_for_training);
        Ok(datasets)
    }

    /// The dataset of this name; `None` if there is none.
    pub fn dataset_named(&self, name: &str) -> Result<Option<Dataset>, GetiError> {
        Ok(self
            .datasets()?
            .into_iter()
            .find(|dataset| dataset.name == name))
    }

    /// The dataset on which models are trained.
    pub fn training_dataset(&self) -> Result<Dataset, GetiError> {
        let first = self
            .datasets()?
            .into_iter()
            .find(|dataset| dataset.use_for_training);
        first
            .ok_or_else(|| GetiError::new(ErrorKind::Answer, "the project has no training dataset"))
    }

    /// Creates a dataset.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the name is taken.
    pub fn create_dataset(&self, name: &str) -> Result<Dataset, GetiError> {
        let body = NewDataset {
            name: name.to_owned(),
        };
        self.geti
            .transport()
            .json(&Request::post(self.path("/datasets")).json(&body)?)
    }

    /// The dataset of this name, created if it is missing.
    ///
    /// Two programs may do this at once: the one that comes second takes what the first made.
    pub fn ensure_dataset(&self, name: &str) -> Result<Dataset, GetiError> {
        if let Some(dataset) = self.dataset_named(name)? {
            return Ok(dataset);
        }
        let error = match self.create_dataset(name) {
            Ok(dataset) => return Ok(dataset),
            Err(error) => error,
        };
        // The name is taken by now, or the answer was lost: in both cases it may be there.
        let taken = error.kind() == ErrorKind::Conflict && !error.is(ErrorCode::TooManyDatasets);
        if !taken && !error.may_pass() {
            return Err(error);
        }
        match self.dataset_named(name)? {
            Some(dataset) => Ok(dataset),
            None => Err(error),
        }
    }

    /// Deletes a dataset with its media; one that is gone already is no error.
    pub fn delete_dataset(&self, id: &str) -> Result<(), GetiError> {
        let path = self.path(&format!("/datasets/{}", encode(id)));
        gone_is_deleted(self.geti.transport().done(&Request::delete(path)))
    }

    /// The calls for one dataset.
    pub fn dataset(&self, dataset_id: &str) -> DatasetApi {
        DatasetApi::new(self.clone(), dataset_id.to_owned())
    }

    /// Waits until a new project answers, at most a few seconds.
    pub(crate) fn wait_until_ready(&self) -> Result<(), GetiError> {
        let mut attempt = 1;
        loop {
            match self.status() {
                Ok(_) => return Ok(()),
                Err(error) if attempt >= READY_ATTEMPTS || error.is_fatal() => return Err(error),
                Err(_) => self.geti.clock().sleep(Duration::from_secs(1)),
            }
            attempt += 1;
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.geti.project_path(&self.id))
    }
}
