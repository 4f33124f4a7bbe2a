//! Asynchronous inference: many images on their way at once.
//!
//! Each of a few worker threads takes an image (decoding it if it is a file), infers it in a
//! request of its own, and hands the prediction to the completion that came with the image.
//! Image and prediction travel together and are owned, so one can never meet another's. On a
//! CPU this reaches the throughput of OpenVINO's own asynchronous requests, and decoding and
//! post-processing run in parallel as well; synchronous inference stays possible at any time.
//!
//! The number of images that were accepted and not yet completed is bounded: whoever submits
//! more waits ([`AsyncInference::submit`]) or is told ([`AsyncInference::try_submit`]).

mod pool;
mod results;

use std::path::PathBuf;
use std::sync::Arc;

use straylight_core::{Frame, Prediction};

pub use pool::AsyncInference;
pub use results::{Inferred, OrderedStream, UnorderedStream};

use crate::{DeployError, Deployment, Keep};

/// An image to be inferred.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// A decoded image.
    Frame(Frame),
    /// An image file, read and decoded by the worker that infers it.
    File(PathBuf),
}

impl From<Frame> for Input {
    fn from(frame: Frame) -> Self {
        Self::Frame(frame)
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl Input {
    fn read(self, deployment: &Deployment) -> Result<Frame, DeployError> {
        match self {
            Self::Frame(frame) => Ok(frame),
            Self::File(path) => Ok(deployment.read_frame(&path)?),
        }
    }
}

/// How images are inferred asynchronously.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamOptions {
    /// Threads that infer; 0 for as many as the deployment can infer images at once.
    pub workers: usize,
    /// Most images that are accepted and not yet completed; 0 for twice the workers. Never
    /// fewer than the workers.
    pub in_flight: usize,
    /// What predictions hold besides what hooks need.
    pub keep: Keep,
}

impl StreamOptions {
    fn workers(&self, deployment: &Deployment) -> usize {
        if self.workers == 0 {
            deployment.requests()
        } else {
            self.workers
        }
        .max(1)
    }

    fn in_flight(&self, workers: usize) -> usize {
        if self.in_flight == 0 {
            2 * workers
        } else {
            self.in_flight.max(workers)
        }
    }
}

/// An image with its prediction.
pub type InferenceResult = Result<(Frame, Prediction), DeployError>;

impl Deployment {
    /// Starts workers that infer images asynchronously.
    ///
    /// # Errors
    ///
    /// [`DeployError::Threads`] when the system gives no more threads.
    pub fn start_async(
        self: &Arc<Self>,
        options: StreamOptions,
    ) -> Result<AsyncInference, DeployError> {
        AsyncInference::start(self, options)
    }

    /// Infers images asynchronously; the results come in the order of the images.
    ///
    /// The iterator is lazy: images are taken from `inputs` as results are taken from it, at
    /// most [`StreamOptions::in_flight`] ahead.
    pub fn infer_ordered<I>(
        self: &Arc<Self>,
        inputs: I,
        options: StreamOptions,
    ) -> Result<OrderedStream<I::IntoIter>, DeployError>
    where
        I: IntoIterator,
        I::Item: Into<Input>,
    {
        Ok(OrderedStream::new(
            self.start_async(options)?,
            inputs.into_iter(),
        ))
    }

    /// Infers images asynchronously; the results come as they are ready.
    pub fn infer_unordered<I>(
        self: &Arc<Self>,
        inputs: I,
        options: StreamOptions,
    ) -> Result<UnorderedStream<I::IntoIter>, DeployError>
    where
        I: IntoIterator,
        I::Item: Into<Input>,
    {
        Ok(UnorderedStream::new(
            self.start_async(options)?,
            inputs.into_iter(),
        ))
    }
}
