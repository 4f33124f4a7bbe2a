//! Triggers.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use straylight::hooks::config::{BuildContext, TriggerConfig};
use straylight::hooks::trigger::{AndTrigger, NotTrigger, OodScorer, OrTrigger};
use straylight::hooks::{self as core, Needs, TriggerError};
use straylight::{Frame, Prediction};

use super::{class_name, said};
use crate::error::Raised;
use crate::interpreter::inside;
use crate::ood::OodModel;
use crate::{convert, frame};

/// A trigger, ready to decide.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct Trigger(pub(crate) Arc<dyn core::Trigger>);

#[pymethods]
impl Trigger {
    /// Builds a trigger of its settings, as JSON with the name of its class as only key.
    #[staticmethod]
    #[pyo3(signature = (config, ood_model = None))]
    fn of_config(config: &str, ood_model: Option<&OodModel>) -> PyResult<Self> {
        let config: TriggerConfig = serde_json::from_str(config).map_err(Raised::from)?;
        let model = ood_model.map(|model| Arc::clone(&model.0) as Arc<dyn OodScorer>);
        let context = BuildContext {
            ood_model: model,
            ..BuildContext::default()
        };
        let built = config.build(&context).map_err(Raised::from)?;
        Ok(Self(Arc::from(built)))
    }

    /// A trigger that calls an object of Python's.
    #[staticmethod]
    fn of_python(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let needs = object.getattr_opt("needs_activations")?;
        let needs = needs.map_or(Ok(false), |it| it.is_truthy())?;
        Ok(Self(Arc::new(PythonTrigger {
            name: class_name(object),
            object: object.clone().unbind(),
            needs: if needs {
                Needs::ACTIVATIONS
            } else {
                Needs::NOTHING
            },
        })))
    }

    /// Several triggers as one: `and`, `or`, or `not` for a single one.
    #[staticmethod]
    fn of_triggers(relation: &str, triggers: Vec<Bound<'_, Self>>) -> PyResult<Self> {
        let mut parts = triggers.iter().map(|it| it.get().boxed());
        Ok(Self(match relation {
            "and" => Arc::new(AndTrigger(parts.collect())),
            "or" => Arc::new(OrTrigger(parts.collect())),
            _ => match parts.next() {
                Some(only) => Arc::new(NotTrigger(only)),
                None => return Err(Raised::value("a NotTrigger needs a trigger").into()),
            },
        }))
    }

    /// How much reason to act an image gives; higher is more.
    fn score(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        prediction: &Bound<'_, PyAny>,
    ) -> PyResult<f64> {
        let image = frame::frame(image, None, None)?;
        let prediction = convert::from_python(prediction)?;
        let score = py.detach(|| self.0.score(&image, &prediction));
        Ok(score.map_err(Raised::from)?)
    }

    /// Whether a score calls for the action.
    fn decide(&self, py: Python<'_>, score: f64) -> bool {
        py.detach(|| self.0.decide(score))
    }

    /// Its settings as JSON; None for a trigger of Python's.
    #[getter]
    fn config(&self) -> PyResult<Option<String>> {
        let config = self.0.config().map(|config| serde_json::to_string(&config));
        Ok(config.transpose().map_err(Raised::from)?)
    }
}

impl Trigger {
    /// The trigger for a hook of its own.
    pub(crate) fn boxed(&self) -> Box<dyn core::Trigger> {
        Box::new(Shared(Arc::clone(&self.0)))
    }
}

/// A trigger that several hooks share.
struct Shared(Arc<dyn core::Trigger>);

impl core::Trigger for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        self.0.score(frame, prediction)
    }

    fn decide(&self, score: f64) -> bool {
        self.0.decide(score)
    }

    fn reason(&self, score: f64) -> String {
        self.0.reason(score)
    }

    fn ood_score(&self, score: f64) -> Option<f64> {
        self.0.ood_score(score)
    }

    fn config(&self) -> Option<TriggerConfig> {
        self.0.config()
    }
}

/// A trigger written in Python: called with `image` and `prediction`, then `get_decision`.
struct PythonTrigger {
    name: String,
    object: Py<PyAny>,
    needs: Needs,
}

impl PythonTrigger {
    fn failed(&self, message: impl std::fmt::Display) -> TriggerError {
        TriggerError::failed(&self.name, message)
    }

    fn call(&self, py: Python<'_>, frame: &Frame, prediction: &Prediction) -> PyResult<f64> {
        let arguments = PyDict::new(py);
        arguments.set_item("image", frame::array(py, frame.image().clone())?)?;
        arguments.set_item("prediction", convert::to_python(py, prediction)?)?;
        let score: f64 = self.object.bind(py).call((), Some(&arguments))?.extract()?;
        // Asked here as well, so that an exception in it counts as a failure.
        self.decision(py, score)?;
        Ok(score)
    }

    fn decision(&self, py: Python<'_>, score: f64) -> PyResult<bool> {
        let decision = self
            .object
            .bind(py)
            .call_method1("get_decision", (score,))?;
        decision.is_truthy()
    }
}

impl core::Trigger for PythonTrigger {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn score(&self, frame: &Frame, prediction: &Prediction) -> Result<f64, TriggerError> {
        let called = inside(|py| {
            let called = self.call(py, frame, prediction);
            called.map_err(|error| self.failed(said(py, &error)))
        });
        called.unwrap_or_else(|| Err(self.failed("the interpreter is ending")))
    }

    fn decide(&self, score: f64) -> bool {
        inside(|py| self.decision(py, score).unwrap_or(false)).unwrap_or(false)
    }
}
