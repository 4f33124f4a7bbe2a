mod connector;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutPayload, RetryConfig};
use straylight_core::hide_secrets;
use tokio::runtime::{Builder, Runtime};

use self::connector::Connector;
use super::file_system::unique_stem;
use super::{Action, ActionError, Delivery, PredictionJson, resolve_secret, trust};
use crate::config::{ActionConfig, S3Config};
use crate::event::Event;

/// Puts image, prediction and score of each event into a bucket.
///
/// The keys are `<prefix>images/<stem>.<extension>`, `<prefix>predictions/<stem>.json` and
/// `<prefix>scores/<stem>.txt`. The image is put last and says that the others are there. The
/// stem is the event's own, so that a repetition replaces what it had put.
pub struct S3Collection {
    config: S3Config,
    client: OnceLock<Client>,
}

struct Client {
    store: AmazonS3,
    runtime: Runtime,
}

impl S3Collection {
    /// Collects as the settings say; contacts nobody yet.
    pub fn new(config: S3Config) -> Self {
        Self {
            config,
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> Result<&Client, ActionError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let store = self.builder()?.build().map_err(|error| of_error(&error))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ActionError::transient)?;
        Ok(self.client.get_or_init(|| Client { store, runtime }))
    }

    fn builder(&self) -> Result<AmazonS3Builder, ActionError> {
        let config = &self.config;
        // Another part of the process may have chosen a provider before: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connector = Connector {
            ca_file: config.ca_file.as_ref().map(PathBuf::from),
            timeout: Duration::from_secs_f64(config.timeout_seconds.clamp(0.1, 3_600.0)),
        };
        // Retries are the queue's affair: it knows when the sink should rest.
        let retry = RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(&config.region)
            .with_http_connector(connector)
            .with_retry(retry);
        if let Some(endpoint) = &config.endpoint {
            let is_plain = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint).with_allow_http(is_plain);
        }
        if let Some(id) = &config.access_key_id {
            builder = builder.with_access_key_id(resolve_secret("access_key_id", id)?);
        }
        if let Some(key) = &config.secret_access_key {
            builder = builder.with_secret_access_key(resolve_secret("secret_access_key", key)?);
        }
        if let Some(token) = &config.session_token {
            builder = builder.with_token(resolve_secret("session_token", token)?);
        }
        Ok(builder)
    }

    fn key(&self, folder: &str, event: &Event, extension: &str) -> Path {
        let stem = unique_stem("", event);
        Path::from(format!("{}{folder}/{stem}.{extension}", self.config.prefix))
    }

    fn put(&self, key: &Path, bytes: Vec<u8>) -> Result<(), ActionError> {
        let client = self.client()?;
        let put = client.store.put(key, PutPayload::from(bytes));
        client
            .runtime
            .block_on(put)
            .map(|_| ())
            .map_err(|error| of_error(&error))
    }

    fn image_key(&self, event: &Event) -> Result<Path, ActionError> {
        let extension = event.picture.encoded()?.format.extension();
        Ok(self.key("images", event, extension))
    }
}

/// A bucket or a permission that is missing may be fixed while the event waits.
fn of_error(error: &Error) -> ActionError {
    if let Some(complaint) = complaint(error) {
        return ActionError::transient(complaint);
    }
    match error {
        Error::InvalidPath { .. } | Error::NotSupported { .. } | Error::NotImplemented { .. } => {
            ActionError::permanent(error)
        }
        _ => ActionError::transient(error),
    }
}

/// What is wrong with the server's certificate, if that is at the bottom of the error.
fn complaint(error: &Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(complaint) = error.downcast_ref().and_then(trust::complaint) {
            return Some(complaint);
        }
        cause = error.source();
    }
    None
}

impl Action for S3Collection {
    fn name(&self) -> &'static str {
        "S3Collection"
    }

    fn sink(&self) -> String {
        let endpoint = self
            .config
            .endpoint
            .as_deref()
            .map_or("s3".to_owned(), hide_secrets);
        format!("{endpoint} bucket {}", self.config.bucket)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let score = self.key("scores", event, "txt");
        self.put(&score, event.score.to_string().into_bytes())?;
        let json = serde_json::to_vec(&PredictionJson::of(&event.prediction));
        let prediction = self.key("predictions", event, "json");
        self.put(&prediction, json.map_err(ActionError::permanent)?)?;
        let image = event.picture.encoded()?;
        self.put(&self.image_key(event)?, image.bytes.to_vec())
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        let key = self.image_key(event)?;
        let client = self.client()?;
        match client.runtime.block_on(client.store.head(&key)) {
            Ok(_) => Ok(Delivery::Done),
            Err(Error::NotFound { .. }) => Ok(Delivery::Missing),
            Err(error) => Err(of_error(&error)),
        }
    }

    fn config(&self) -> Option<ActionConfig> {
        Some(ActionConfig::S3Collection(self.config.clone()))
    }
}

impl fmt::Debug for S3Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Collection({})", self.sink())
    }
}
