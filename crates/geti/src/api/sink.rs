use std::sync::Arc;
use std::time::Duration;

use super::dataset::DatasetApi;
use super::session::Geti;
use crate::error::{ErrorKind, GetiError};
use crate::settings::ServerDetails;
use crate::wire::Media;

/// How often an upload is tried whose answers are lost.
const ATTEMPTS: u32 = 3;

/// Whether an image was stored now or found to be there.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It was uploaded.
    New(Media),
    /// An upload whose answer was lost had arrived.
    AlreadyThere(Media),
}

impl Stored {
    /// The image on the server.
    pub fn media(&self) -> &Media {
        match self {
            Self::New(media) | Self::AlreadyThere(media) => media,
        }
    }
}

/// A dataset that collects images, each exactly once.
///
/// Every image is given a name that no other has. When the answer to an upload is lost, nobody
/// knows whether the image arrived; the sink then looks for its name before it sends it again.
#[derive(Debug, Clone)]
pub struct DatasetSink {
    dataset: DatasetApi,
}

impl DatasetSink {
    /// Connects to a server and finds the project by its name, and the dataset, which is
    /// created if it is missing.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such project.
    pub fn open(details: &ServerDetails, project: &str, dataset: &str) -> Result<Self, GetiError> {
        Self::in_project(&Geti::connect(details)?, project, dataset)
    }

    /// The same over an open session.
    pub fn in_project(geti: &Geti, project: &str, dataset: &str) -> Result<Self, GetiError> {
        let found = geti.project_named(project)?.ok_or_else(|| {
            let message = format!("the server has no project named `{project}`");
            GetiError::new(ErrorKind::NotFound, message).with_hint("check the name and the server")
        })?;
        let api = geti.at(&found.id);
        let dataset = api.ensure_dataset(dataset)?;
        Ok(Self {
            dataset: api.dataset(&dataset.id),
        })
    }

    /// A sink into a dataset that is known.
    pub fn new(dataset: DatasetApi) -> Self {
        Self { dataset }
    }

    /// The dataset.
    pub fn dataset(&self) -> &DatasetApi {
        &self.dataset
    }

    /// Stores an encoded image under a name that no other image of the dataset has.
    ///
    /// # Errors
    /// As [`DatasetApi::upload_image`]. After [`GetiError::may_pass`] the same call may be made
    /// again with the same name: it will not store the image twice.
    pub fn store(&self, bytes: impl Into<Arc<[u8]>>, name: &str) -> Result<Stored, GetiError> {
        self.store_known(&bytes.into(), name, false)
    }

    /// Tries once to store an image under a name that no other image of the dataset has.
    ///
    /// For callers that wait and look by themselves: after an error that leaves doubt, ask
    /// [`DatasetApi::image_named`] before trying again.
    pub fn try_store(&self, bytes: impl Into<Arc<[u8]>>, name: &str) -> Result<Media, GetiError> {
        self.dataset.upload_unique(bytes.into(), name)
    }

    /// Stores an image which an earlier call may have stored already; looks for it first.
    pub fn store_again(
        &self,
        bytes: impl Into<Arc<[u8]>>,
        name: &str,
    ) -> Result<Stored, GetiError> {
        self.store_known(&bytes.into(), name, true)
    }

    fn store_known(
        &self,
        bytes: &Arc<[u8]>,
        name: &str,
        mut look_first: bool,
    ) -> Result<Stored, GetiError> {
        let mut attempt = 1;
        loop {
            if look_first && let Some(media) = self.find(name)? {
                return Ok(Stored::AlreadyThere(media));
            }
            let error = match self.dataset.upload_unique(Arc::clone(bytes), name) {
                Ok(media) => return Ok(Stored::New(media)),
                Err(error) => error,
            };
            if !is_ambiguous(&error) {
                return Err(error);
            }
            if attempt >= ATTEMPTS {
                // The last answer was lost as well: look once more before giving up.
                return self.find(name)?.map(Stored::AlreadyThere).ok_or(error);
            }
            let wait = Duration::from_secs(1 << attempt);
            self.dataset.project().geti().clock().sleep(wait);
            look_first = true;
            attempt += 1;
        }
    }

    /// The image that a file name of ours became: the server drops the extension.
    fn find(&self, name: &str) -> Result<Option<Media>, GetiError> {
        let stem = crate::media_names::stem_of(name);
        self.dataset.image_named(stem)
    }
}

/// Whether the image may have arrived although an error came back.
fn is_ambiguous(error: &GetiError) -> bool {
    match error.kind() {
        ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Answer => true,
        ErrorKind::Server => !matches!(error.status(), Some(503 | 507)),
        _ => false,
    }
}
