//! Actions.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use straylight::hooks::action::Delivery;
use straylight::hooks::config::{
    ActionConfig, AlwaysTriggerConfig, BuildContext, FolderVault, HookConfig, TriggerConfig,
    move_secrets_out,
};
use straylight::hooks::{self as core, ActionError, Begun, DeliveryProgress, Event};

use super::{class_name, said};
use crate::error::Raised;
use crate::interpreter::inside;
use crate::{convert, frame};

/// An action, ready to deliver.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct Action(pub(crate) Arc<dyn core::Action>);

#[pymethods]
impl Action {
    /// Builds an action of its settings, as JSON with the name of its class as only key.
    ///
    /// Secrets in clear text are used as they are; when the action is saved, they are put into
    /// `vault`, a folder for this user alone, and the file holds references.
    #[staticmethod]
    fn of_config(config: &str, vault: PathBuf) -> PyResult<Self> {
        let is_loud = says_info(config).map_err(Raised::from)?;
        let config: ActionConfig = serde_json::from_str(config).map_err(Raised::from)?;
        let inner = config
            .build(&BuildContext::default())
            .map_err(Raised::from)?;
        Ok(Self(Arc::new(Vaulted {
            inner,
            vault: FolderVault(vault),
            is_loud,
        })))
    }

    /// Its settings as JSON, with references in the place of secrets, which are in the vault from
    /// then on; None for an action of Python's.
    #[getter]
    fn config(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let config = py.detach(|| self.0.config());
        let text = config.map(|config| serde_json::to_string(&config));
        Ok(text.transpose().map_err(Raised::from)?)
    }

    /// An action that calls an object of Python's.
    #[staticmethod]
    fn of_python(object: &Bound<'_, PyAny>) -> Self {
        let name = class_name(object);
        Self(Arc::new(PythonAction {
            sink: format!("{name} at {:p}", object.as_ptr()),
            object: object.clone().unbind(),
            name,
        }))
    }
}

impl Action {
    /// The action for a hook of its own.
    pub(crate) fn boxed(&self) -> Box<dyn core::Action> {
        Box::new(Shared(Arc::clone(&self.0)))
    }
}

/// An action that several hooks share, and its connection with it.
struct Shared(Arc<dyn core::Action>);

impl core::Action for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn sink(&self) -> String {
        self.0.sink()
    }

    fn is_remote(&self) -> bool {
        self.0.is_remote()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        self.0.perform(event)
    }

    fn begin(&self, event: &Event) -> Result<DeliveryProgress, ActionError> {
        self.0.begin(event)
    }

    fn finish(&self, begun: &[&Begun]) -> Vec<Result<(), ActionError>> {
        self.0.finish(begun)
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        self.0.is_delivered(event)
    }

    fn config(&self) -> Option<ActionConfig> {
        self.0.config()
    }
}

/// Whether the settings of an action ask for a line of the log for each delivery.
fn says_info(config: &str) -> serde_json::Result<bool> {
    let value: serde_json::Value = serde_json::from_str(config)?;
    let settings = value.as_object().and_then(|named| named.values().next());
    let level = settings.and_then(|settings| settings.get("log_level"));
    Ok(level.is_some_and(|level| level == "info"))
}

/// An action whose settings come out without secrets, and which tells of its deliveries.
struct Vaulted {
    inner: Box<dyn core::Action>,
    vault: FolderVault,
    is_loud: bool,
}

/// What a loud action has begun, and why the hook fired.
struct Told {
    begun: Begun,
    reason: Arc<str>,
}

impl Vaulted {
    fn tell(&self, reason: &str) {
        let (name, sink) = (self.inner.name(), self.inner.sink());
        tracing::info!("{name}: an image is in the {sink} ({reason})");
    }
}

impl core::Action for Vaulted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn sink(&self) -> String {
        self.inner.sink()
    }

    fn is_remote(&self) -> bool {
        self.inner.is_remote()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        self.inner.perform(event)?;
        if self.is_loud {
            self.tell(&event.reason);
        }
        Ok(())
    }

    fn begin(&self, event: &Event) -> Result<DeliveryProgress, ActionError> {
        Ok(match self.inner.begin(event)? {
            DeliveryProgress::Delivered => {
                if self.is_loud {
                    self.tell(&event.reason);
                }
                DeliveryProgress::Delivered
            }
            DeliveryProgress::Begun(begun) => DeliveryProgress::Begun(Begun::new(Told {
                begun,
                reason: Arc::clone(&event.reason),
            })),
        })
    }

    fn finish(&self, begun: &[&Begun]) -> Vec<Result<(), ActionError>> {
        let told: Vec<&Told> = begun.iter().filter_map(|one| one.get()).collect();
        let inner: Vec<&Begun> = told.iter().map(|one| &one.begun).collect();
        let results = self.inner.finish(&inner);
        for (one, result) in told.iter().zip(&results) {
            if self.is_loud && result.is_ok() {
                self.tell(&one.reason);
            }
        }
        results
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        self.inner.is_delivered(event)
    }

    fn config(&self) -> Option<ActionConfig> {
        let mut hooks = [hook_of(self.inner.config()?)];
        match move_secrets_out(&mut hooks, &self.vault) {
            Ok(moved) => {
                for secret in moved {
                    let (what, now) = (&secret.what, &secret.reference);
                    tracing::warn!("{what} is not saved with the hook; it is now {now}");
                }
                let [hook] = hooks;
                Some(hook.action)
            }
            // What cannot be kept is refused, in its own words, by whoever writes the file.
            Err(error) => {
                tracing::warn!(%error, "a secret cannot be kept");
                self.inner.config()
            }
        }
    }
}

fn hook_of(action: ActionConfig) -> HookConfig {
    HookConfig {
        name: None,
        trigger: TriggerConfig::AlwaysTrigger(AlwaysTriggerConfig {}),
        action,
        max_threads: 0,
        limits: core::LimitOptions::default(),
        queue: None,
        when_full: core::Overflow::Auto,
        queue_size: None,
        retry: core::RetryOptions::default().into(),
        breaker: core::BreakerOptions::default().into(),
        key_policy: core::KeyPolicy::default(),
    }
}

/// An action written in Python.
struct PythonAction {
    name: String,
    sink: String,
    object: Py<PyAny>,
}

impl PythonAction {
    fn call(&self, py: Python<'_>, event: &Event) -> PyResult<Result<(), ActionError>> {
        let arguments = PyDict::new(py);
        let image = match event.picture.image() {
            Ok(image) => frame::array(py, image.clone())?,
            Err(error) => return Ok(Err(error.into())),
        };
        arguments.set_item("image", image)?;
        arguments.set_item("prediction", convert::to_python(py, &event.prediction)?)?;
        arguments.set_item("score", event.score)?;
        arguments.set_item("name", &*event.name)?;
        arguments.set_item("timestamp", local_time(py, event)?)?;
        self.object.bind(py).call((), Some(&arguments))?;
        Ok(Ok(()))
    }
}

/// The time at which the image was taken, without a zone, as the SDK gives it.
fn local_time<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyAny>> {
    let seconds = event.captured_at.as_microsecond() as f64 / 1e6;
    let datetime = py.import("datetime")?.getattr("datetime")?;
    datetime.call_method1("fromtimestamp", (seconds,))
}

/// Trouble with a file or a network may pass; any other exception would come again.
fn action_error(py: Python<'_>, error: &PyErr, said: impl Display) -> ActionError {
    if error.is_instance_of::<PyOSError>(py) {
        ActionError::transient(said)
    } else {
        ActionError::permanent(said)
    }
}

impl core::Action for PythonAction {
    fn name(&self) -> &str {
        &self.name
    }

    fn sink(&self) -> String {
        self.sink.clone()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let called = inside(|py| {
            let called = self.call(py, event);
            called.unwrap_or_else(|error| Err(action_error(py, &error, said(py, &error))))
        });
        called.unwrap_or_else(|| Err(ActionError::transient("the interpreter is ending")))
    }
}
