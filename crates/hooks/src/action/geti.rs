use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use straylight_core::hide_secrets;
use straylight_geti::{
    Certificates, ClientOptions, DatasetSink, ErrorKind, Geti, GetiError, ProxyChoice, RetryPolicy,
    Secret, SecretRef, ServerDetails,
};

use super::file_system::unique_stem;
use super::{Action, ActionError, Delivery};
use crate::clock::lock;
use crate::config::{ActionConfig, GetiConfig};
use crate::event::Event;

/// Uploads images to a dataset of a Geti server.
///
/// The server is contacted when the first event arrives, never before, and the dataset is
/// created when it is missing. Each image has a name of its own, made of name, time, score and
/// the event's key; after a lost answer the server is asked whether it has the name.
pub struct GetiDataCollection {
    config: GetiConfig,
    sink: Mutex<Option<Arc<DatasetSink>>>,
}

impl GetiDataCollection {
    /// Uploads as the settings say; contacts nobody yet.
    pub fn new(config: GetiConfig) -> Self {
        Self {
            config,
            sink: Mutex::default(),
        }
    }

    fn connection(&self) -> Result<Arc<DatasetSink>, ActionError> {
        let mut slot = lock(&self.sink);
        if let Some(sink) = &*slot {
            return Ok(Arc::clone(sink));
        }
        let sink = Arc::new(self.connect().map_err(|error| before_upload(&error))?);
        *slot = Some(Arc::clone(&sink));
        Ok(sink)
    }

    fn connect(&self) -> Result<DatasetSink, GetiError> {
        let session = &self.config.session;
        let token = secret_of(session.token.as_deref().unwrap_or_default())?;
        let mut details = ServerDetails::new(&session.host, token);
        details.workspace_id = Some(self.config.workspace_id.clone()).filter(|id| !id.is_empty());
        details.certificates = match (&session.ca_file, session.has_valid_certificate) {
            (Some(path), _) => Certificates::SignedBy(PathBuf::from(path)),
            (None, true) => Certificates::Public,
            (None, false) => Certificates::Unchecked,
        };
        if let Some(proxies) = &session.proxies {
            details.proxy = match proxies.get("https").or_else(|| proxies.get("http")) {
                Some(address) => ProxyChoice::Through(secret_of(address)?),
                None => ProxyChoice::Direct,
            };
        }
        // Retries are the queue's affair: it knows when the sink should rest.
        let options = ClientOptions {
            retry: RetryPolicy::never(),
            patience: Duration::from_secs_f64(self.config.timeout_seconds.clamp(0.1, 3_600.0)),
            ..ClientOptions::default()
        };
        let geti = Geti::connect_with(&details, options)?;
        match &self.config.dataset {
            Some(dataset) => DatasetSink::in_project(&geti, &self.config.project, dataset),
            None => self.training_dataset(&geti),
        }
    }

    fn training_dataset(&self, geti: &Geti) -> Result<DatasetSink, GetiError> {
        let name = &self.config.project;
        let project = geti.project_named(name)?.ok_or_else(|| {
            GetiError::new(
                ErrorKind::NotFound,
                format!("the server has no project named `{name}`"),
            )
        })?;
        let project = geti.at(&project.id);
        let dataset = project.training_dataset()?;
        Ok(DatasetSink::new(project.dataset(&dataset.id)))
    }

    /// After trouble with the session the next event opens a new one.
    fn forget_session(&self, error: &GetiError) {
        if matches!(error.kind(), ErrorKind::Login | ErrorKind::NotFound) {
            *lock(&self.sink) = None;
        }
    }
}

/// What a reference leads to, or the text itself if it is none.
fn secret_of(text: &str) -> Result<Secret, GetiError> {
    match text.parse::<SecretRef>() {
        Ok(reference) => reference.resolve(),
        Err(_) => Ok(Secret::new(text)),
    }
}

/// The name of the image on the server, without extension.
fn stem(event: &Event) -> String {
    format!("{}-s{:.3}", unique_stem("", event), event.score)
}

/// Trouble before the image was sent concerns the sink, not the event: it may pass.
fn before_upload(error: &GetiError) -> ActionError {
    ActionError::transient(error).with_retry_after(error.retry_after())
}

fn of_upload(error: &GetiError) -> ActionError {
    let failed = match error.kind() {
        ErrorKind::Argument | ErrorKind::Refused | ErrorKind::Conflict => {
            ActionError::permanent(error)
        }
        ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Answer | ErrorKind::Server => {
            ActionError::ambiguous(error)
        }
        _ => ActionError::transient(error),
    };
    failed.with_retry_after(error.retry_after())
}

impl Action for GetiDataCollection {
    fn name(&self) -> &'static str {
        "GetiDataCollection"
    }

    fn sink(&self) -> String {
        format!("Geti server {}", hide_secrets(&self.config.session.host))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let encoded = event.picture.encoded()?;
        let name = format!("{}.{}", stem(event), encoded.format.extension());
        let stored = self
            .connection()?
            .try_store(Arc::clone(&encoded.bytes), &name);
        stored.map(|_| ()).map_err(|error| {
            self.forget_session(&error);
            of_upload(&error)
        })
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        let found = self.connection()?.dataset().image_named(&stem(event));
        match found {
            Ok(Some(_)) => Ok(Delivery::Done),
            Ok(None) => Ok(Delivery::Missing),
            Err(error) => {
                self.forget_session(&error);
                Err(before_upload(&error))
            }
        }
    }

    fn config(&self) -> Option<ActionConfig> {
        Some(ActionConfig::GetiDataCollection(self.config.clone()))
    }
}

impl fmt::Debug for GetiDataCollection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "GetiDataCollection({}, {})",
            self.sink(),
            self.config.project
        )
    }
}
