//! Asynchronous inference with a callback of Python's.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use pyo3::prelude::*;
use straylight::{Deployment, Keep};
use straylight_deploy::{AsyncInference, Input, StreamOptions};

use crate::error::{Outcome, Raised};
use crate::interpreter::{inside, let_go};
use crate::{convert, frame};

/// Images on their way through a deployment.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct Stream {
    deployment: Arc<Deployment>,
    plain: Option<AsyncInference>,
    explaining: Option<AsyncInference>,
    done: Arc<Py<PyAny>>,
    /// The first exception that a callback raised since anybody looked.
    failure: Arc<Mutex<Option<PyErr>>>,
    /// How many images are on their way, and who waits for one of them.
    on_their_way: Arc<(Mutex<usize>, Condvar)>,
}

/// Counts one image for as long as it is on its way.
struct Counted(Arc<(Mutex<usize>, Condvar)>);

impl Counted {
    fn new(count: &Arc<(Mutex<usize>, Condvar)>) -> Self {
        *count.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.1.notify_all();
    }
}

impl Stream {
    /// Starts the threads; 0 workers for as many as the deployment has requests.
    pub(crate) fn start(
        deployment: &Arc<Deployment>,
        workers: usize,
        done: Py<PyAny>,
    ) -> Outcome<Self> {
        let start = |keep| {
            deployment.start_async(StreamOptions {
                workers,
                keep,
                ..StreamOptions::default()
            })
        };
        Ok(Self {
            deployment: Arc::clone(deployment),
            plain: Some(start(Keep::NOTHING)?),
            explaining: Some(start(Keep::EVERYTHING)?),
            done: Arc::new(done),
            failure: Arc::default(),
            on_their_way: Arc::default(),
        })
    }

    fn bound(&self) -> usize {
        self.plain.as_ref().map_or(0, AsyncInference::bound)
    }

    fn closed() -> Raised {
        Raised::new("InferenceError", "the stream is closed")
    }
}

#[pymethods]
impl Stream {
    /// Hands over an image, waiting while too many are on their way.
    #[pyo3(signature = (image, runtime_data, explain))]
    fn submit(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        runtime_data: Py<PyAny>,
        explain: bool,
    ) -> PyResult<()> {
        let input = frame::frame(image, None, Some(&self.deployment))?;
        let given = image.clone().unbind();
        let (done, failure) = (Arc::clone(&self.done), Arc::clone(&self.failure));
        let counted = Counted::new(&self.on_their_way);
        let completed = move |outcome: straylight_deploy::InferenceResult| {
            let _counted = counted;
            inside(|py| {
                let call = || -> PyResult<()> {
                    let (_, prediction) = outcome.map_err(Raised::from)?;
                    let prediction = convert::to_python(py, &prediction)?;
                    done.bind(py).call1((given, prediction, runtime_data))?;
                    Ok(())
                };
                if let Err(error) = call() {
                    let mut slot = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    slot.get_or_insert(error);
                }
            });
        };
        let queue = if explain {
            &self.explaining
        } else {
            &self.plain
        };
        let queue = queue.as_ref().ok_or_else(Self::closed)?;
        let submitted = py.detach(|| queue.submit(Input::Frame(input), completed));
        Ok(submitted.map_err(Raised::from)?)
    }

    /// Whether the next image would wait.
    fn is_full(&self) -> bool {
        let count = self.on_their_way.0.lock();
        *count.unwrap_or_else(PoisonError::into_inner) >= self.bound()
    }

    /// Waits until the next image would not wait.
    fn await_any(&self, py: Python<'_>) {
        let bound = self.bound().max(1);
        py.detach(|| {
            let (count, changed) = &*self.on_their_way;
            let count = count.lock().unwrap_or_else(PoisonError::into_inner);
            drop(changed.wait_while(count, |count| *count >= bound));
        });
    }

    /// Waits until all images are done; raises what a callback or an inference raised first.
    fn await_all(&self, py: Python<'_>) -> PyResult<()> {
        for queue in [&self.plain, &self.explaining].into_iter().flatten() {
            py.detach(|| queue.await_all());
        }
        match self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let_go((self.plain.take(), self.explaining.take()));
    }
}
