use super::project::ProjectApi;
use crate::error::GetiError;
use crate::http::{Request, encode};
use crate::wire::{DatasetStatistics, NewDataset};

/// The calls for one dataset; cheap to clone.
#[derive(Debug, Clone)]
pub struct DatasetApi {
    project: ProjectApi,
    id: String,
}

impl DatasetApi {
    pub(crate) fn new(project: ProjectApi, id: String) -> Self {
        Self { project, id }
    }

    /// The project.
    pub fn project(&self) -> &ProjectApi {
        &self.project
    }

    /// Identifier of the dataset.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Counts of media and annotations.
    pub fn statistics(&self) -> Result<DatasetStatistics, GetiError> {
        self.project
            .geti()
            .transport()
            .json(&Request::get(self.path("/statistics")))
    }

    /// Gives the dataset another name.
    pub fn rename(&self, name: &str) -> Result<(), GetiError> {
        let target = crate::http::Target::Api(self.path(""));
        let body = NewDataset {
            name: name.to_owned(),
        };
        let request = Request::new(crate::http::Method::Put, target).json(&body)?;
        self.project.geti().transport().done(&request)
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        self.project
            .path(&format!("/datasets/{}{rest}", encode(&self.id)))
    }
}
