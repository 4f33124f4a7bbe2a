//! Actions: where the images that a hook picked go.

mod event_json;
mod file_system;
mod geti;
mod http;
mod local_dataset;
#[cfg(feature = "mqtt")]
mod mqtt;
mod prediction_json;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
mod tests;
mod trust;

use std::any::Any;
use std::fmt;
use std::time::Duration;

pub use file_system::{FileSystemDataCollection, FileSystemOptions, PictureFormat};
pub use geti::GetiDataCollection;
pub use http::{HttpBody, HttpRequestAction};
pub use local_dataset::{LocalDatasetCollection, LocalStore};
#[cfg(feature = "mqtt")]
pub use mqtt::MqttPublish;
pub use prediction_json::PredictionJson;
#[cfg(feature = "s3")]
pub use s3::S3Collection;
use straylight_geti::SecretRef;

use crate::config::ActionConfig;
use crate::event::{Event, PictureError};

/// Brings one event to its sink.
///
/// A worker of the hook calls [`Action::begin`] for each event, from several threads at a time, and
/// [`Action::finish`] for those that were only begun, by one thread at a time, until the event is
/// delivered or an error comes that no retry can help. Most actions need [`Action::perform`]
/// alone. It must be idempotent in [`Event::key`] where the sink allows it: after a crash or a
/// time-out it is called again for an event that may have arrived. Where the sink cannot tell,
/// [`Action::is_delivered`] is asked first. It should return in bounded time: a call that hangs
/// occupies one worker for good, and one of [`Action::finish`] ends all deliveries that are begun
/// and finished apart.
pub trait Action: Send + Sync {
    /// The action's name in logs and configuration.
    fn name(&self) -> &str;

    /// Which sink it writes to, without secrets; actions with the same sink share a breaker.
    fn sink(&self) -> String;

    /// Whether the sink may be out of reach while this machine is well.
    ///
    /// Events for such a sink are kept on disk unless the user chose otherwise.
    fn is_remote(&self) -> bool {
        false
    }

    /// Delivers the event as a whole, or fails and leaves nothing half done.
    fn perform(&self, event: &Event) -> Result<(), ActionError>;

    /// Does what each delivery needs for itself, and says whether that was all.
    ///
    /// For sinks where the end of many deliveries can be shared, such as syncing a disk. What was
    /// only begun comes back as a value, and counts as delivered once [`Action::finish`] says so
    /// of that value; the event may be gone by then. A value that is dropped was given up.
    fn begin(&self, event: &Event) -> Result<DeliveryProgress, ActionError> {
        self.perform(event).map(|()| DeliveryProgress::Delivered)
    }

    /// Delivers events that were begun: a result for each, in order.
    ///
    /// One that fails is as if it had never been begun. After a panic each event is finished once
    /// more, alone.
    fn finish(&self, begun: &[&Begun]) -> Vec<Result<(), ActionError>> {
        let none = |_| {
            Err(ActionError::permanent(
                "the action begins and never finishes",
            ))
        };
        begun.iter().map(none).collect()
    }

    /// How many events were delivered whose image was at the sink before, from another run.
    fn already_there(&self) -> u64 {
        0
    }

    /// Whether an event whose delivery ended unclear is at the sink.
    fn is_delivered(&self, _event: &Event) -> Result<Delivery, ActionError> {
        Ok(Delivery::Unknown)
    }

    /// The configuration that rebuilds the action, `None` for one that cannot be saved.
    fn config(&self) -> Option<ActionConfig> {
        None
    }
}

/// How far a delivery is.
#[derive(Debug)]
pub enum DeliveryProgress {
    /// The event is at its sink.
    Delivered,
    /// The rest is for [`Action::finish`].
    Begun(Begun),
}

/// What an action has begun and not finished; only that action knows what is inside.
pub struct Begun(Box<dyn Any + Send + Sync>);

impl Begun {
    /// Keeps what the action needs to finish the delivery.
    pub fn new<T: Send + Sync + 'static>(value: T) -> Self {
        Self(Box::new(value))
    }

    /// What the action kept, if it is of this type.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}

/// What a sink says about an event whose delivery ended unclear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It is there.
    Done,
    /// It is not there.
    Missing,
    /// The sink cannot tell; performing the action again is idempotent or a risk worth taking.
    Unknown,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionErrorKind {
    /// The sink refused this event and will refuse it again.
    Permanent,
    /// The sink did not take the event this time.
    Transient,
    /// The sink may or may not have taken the event.
    Ambiguous,
}

/// Longest rest that a sink gets because it asks for it.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// An action did not deliver an event.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ActionError {
    kind: ActionErrorKind,
    message: String,
    retry_after: Option<Duration>,
}

impl ActionError {
    /// A failure that no retry can fix; `message` must hold no secret.
    pub fn permanent(message: impl fmt::Display) -> Self {
        Self::new(ActionErrorKind::Permanent, message)
    }

    /// A failure that may pass; `message` must hold no secret.
    pub fn transient(message: impl fmt::Display) -> Self {
        Self::new(ActionErrorKind::Transient, message)
    }

    /// A failure after which nobody knows whether the sink has the event.
    pub fn ambiguous(message: impl fmt::Display) -> Self {
        Self::new(ActionErrorKind::Ambiguous, message)
    }

    fn new(kind: ActionErrorKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            retry_after: None,
        }
    }

    /// Adds the least time that the sink asked to be left alone, of which an hour counts at most.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait.map(|wait| wait.min(LONGEST_REST));
        self
    }

    /// Whether trying again can help.
    pub fn kind(&self) -> ActionErrorKind {
        self.kind
    }

    /// The least time that the sink asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<PictureError> for ActionError {
    fn from(error: PictureError) -> Self {
        Self::permanent(error)
    }
}

/// A value that may be a reference to a secret (`env:NAME`, `file:PATH`), looked up if it is.
///
/// A reference that leads nowhere is no fault of the event: somebody may yet set the variable
/// or write the file.
pub(crate) fn resolve_secret(what: &str, value: &str) -> Result<String, ActionError> {
    match value.parse::<SecretRef>() {
        Err(_) => Ok(value.to_owned()),
        Ok(reference) => match reference.resolve() {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(error) => Err(ActionError::transient(format!("`{what}`: {error}"))),
        },
    }
}
