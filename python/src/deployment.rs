//! A loaded deployment.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use straylight::engine::Precision;
use straylight::{Deployment as CoreDeployment, JpegDecoding, Keep, SavedHooks};

use crate::convert;
use crate::error::{Outcome, Raised};
use crate::frame::frame;
use crate::hooks::{Hook, hook_configs, seconds_to_wait, stats_json};
use crate::interpreter::{let_go, load_options, remember_deployment};
use crate::ood::OodModel;
use crate::stream::Stream;

/// A loaded deployment; `straylight.deployment.Deployment` wraps it.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct Deployment {
    inner: Option<Arc<CoreDeployment>>,
    /// The OOD model as it was handed over, so that it is the same object when asked for.
    ood_model: Mutex<Option<Py<OodModel>>>,
}

impl Deployment {
    /// The deployment of the crates.
    pub(crate) fn core(&self) -> Outcome<&Arc<CoreDeployment>> {
        // Only dropping takes it away.
        self.inner
            .as_ref()
            .ok_or_else(|| Raised::new("InferenceError", "the deployment is closed"))
    }

    fn run<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        name: Option<&str>,
        keep: Keep,
    ) -> PyResult<Bound<'py, PyAny>> {
        let core = self.core()?;
        let frame = frame(image, name, Some(core))?;
        let prediction = py.detach(|| {
            let prediction = core.infer_with(&frame, keep);
            // The pixels are let go here, without the lock.
            drop(frame);
            prediction
        });
        convert::to_python(py, &prediction.map_err(Raised::from)?)
    }
}

/// How JPEG files are decoded, by its name.
fn decoding(name: &str) -> Outcome<JpegDecoding> {
    let known = [JpegDecoding::Scaled, JpegDecoding::Whole];
    let named = known.into_iter().find(|known| known.name() == name);
    named.ok_or_else(|| {
        Raised::value(format!(
            "jpeg_decoding is `scaled` or `whole`, not `{name}`"
        ))
    })
}

#[pymethods]
impl Deployment {
    /// Loads the deployment of a folder.
    #[staticmethod]
    ///
    /// `fast` lets the device choose the precision; else numbers have 32 bits.
    #[pyo3(signature = (
        folder, devices, requests = 0, fast = false, saved_hooks = true, hook_state = None,
        jpeg_decoding = None
    ))]
    fn load(
        py: Python<'_>,
        folder: PathBuf,
        devices: Vec<String>,
        requests: usize,
        fast: bool,
        saved_hooks: bool,
        hook_state: Option<PathBuf>,
        jpeg_decoding: Option<&str>,
    ) -> PyResult<Self> {
        let mut options = load_options();
        options.jpeg_decoding = jpeg_decoding.map(decoding).transpose()?;
        options.devices = devices;
        options.requests = requests;
        options.hook_state = hook_state;
        if fast {
            options.precision = Precision::Device;
        }
        if !saved_hooks {
            options.hooks = SavedHooks::Ignore;
        }
        let loaded = py.detach(|| CoreDeployment::from_folder(&folder, &options));
        let core = Arc::new(loaded.map_err(Raised::from)?);
        remember_deployment(&core);
        Ok(Self {
            inner: Some(core),
            ood_model: Mutex::default(),
        })
    }

    /// Infers one image; the hooks see it.
    #[pyo3(signature = (image, name = None, activations = false))]
    fn infer<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        name: Option<&str>,
        activations: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let keep = if activations {
            Keep::ACTIVATIONS
        } else {
            Keep::NOTHING
        };
        self.run(py, image, name, keep)
    }

    /// Infers one image with saliency maps and activations; the hooks see it.
    #[pyo3(signature = (image, name = None))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        name: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.run(py, image, name, Keep::EVERYTHING)
    }

    /// Starts asynchronous inference; `done` is called with image, prediction and what came
    /// along, on a thread of its own.
    fn stream(&self, workers: usize, done: Py<PyAny>) -> PyResult<Stream> {
        Ok(Stream::start(self.core()?, workers, done)?)
    }

    /// The project as JSON.
    #[getter]
    fn project(&self) -> PyResult<String> {
        let text = serde_json::to_string(self.core()?.project());
        Ok(text.map_err(Raised::from)?)
    }

    /// The folder that holds project.json.
    #[getter]
    fn folder(&self) -> PyResult<PathBuf> {
        Ok(self.core()?.folder().to_owned())
    }

    /// How JPEG files are decoded.
    #[getter]
    fn jpeg_decoding(&self) -> PyResult<&'static str> {
        Ok(self.core()?.jpeg_decoding().name())
    }

    /// Whether predictions can have a feature vector.
    #[getter]
    fn has_features(&self) -> PyResult<bool> {
        Ok(self.core()?.has_features())
    }

    /// How many images may be inferred at once.
    #[getter]
    fn requests(&self) -> PyResult<usize> {
        Ok(self.core()?.requests())
    }

    /// Attaches a hook.
    fn add_hook(&self, py: Python<'_>, hook: &Hook) -> PyResult<()> {
        let core = self.core()?;
        let hook = hook.build();
        Ok(py.detach(|| core.add_hook(hook)).map_err(Raised::from)?)
    }

    /// Removes all hooks after they delivered what they had accepted.
    fn clear_hooks(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.core()?;
        py.detach(|| core.clear_hooks());
        Ok(())
    }

    /// The settings of each hook as JSON; None for one of Python's.
    fn hook_configs(&self, py: Python<'_>) -> PyResult<Vec<Option<String>>> {
        let core = self.core()?;
        Ok(py.detach(|| hook_configs(core.hooks()))?)
    }

    /// What each hook has done, as JSON.
    fn hook_stats(&self, py: Python<'_>) -> PyResult<String> {
        let core = self.core()?;
        Ok(py.detach(|| stats_json(core.hooks())).to_string())
    }

    /// Waits until no hook has anything queued, at most so many seconds.
    fn drain(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let (core, time) = (self.core()?, seconds_to_wait(seconds)?);
        Ok(py.detach(|| core.hooks().drain(time)))
    }

    /// Saves the deployment with its OOD model and hooks, as a whole or not at all.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        let core = self.core()?;
        Ok(py.detach(|| core.save(&folder)).map_err(Raised::from)?)
    }

    /// The OOD model that is saved with the deployment.
    #[getter]
    fn ood_model(&self, py: Python<'_>) -> PyResult<Option<Py<OodModel>>> {
        let Some(model) = self.core()?.ood_model() else {
            return Ok(None);
        };
        let mut slot = self
            .ood_model
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*slot
            && Arc::ptr_eq(&known.get().0, &model)
        {
            return Ok(Some(known.clone_ref(py)));
        }
        let made = Py::new(py, OodModel(model))?;
        *slot = Some(made.clone_ref(py));
        Ok(Some(made))
    }

    /// Sets the OOD model that is saved with the deployment.
    fn set_ood_model(&self, model: &OodModel) -> PyResult<()> {
        let set = self.core()?.set_ood_model(Arc::clone(&model.0));
        Ok(set.map_err(Raised::from)?)
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // Its hooks deliver what is queued, and may need the interpreter for it.
        let_go(self.inner.take());
    }
}
