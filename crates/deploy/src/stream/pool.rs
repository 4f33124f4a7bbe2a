use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::{InferenceResult, Input, StreamOptions};
use crate::{DeployError, Deployment, Keep};

type Completion = Box<dyn FnOnce(InferenceResult) + Send>;

/// One accepted image; whatever becomes of it, dropping it counts it as completed.
struct Job {
    input: Input,
    done: Completion,
    _count: Counted,
}

/// Workers that infer images asynchronously.
///
/// Dropping it waits until all accepted images are completed.
#[derive(Debug)]
pub struct AsyncInference {
    jobs: Option<SyncSender<Job>>,
    in_flight: Arc<InFlight>,
    workers: Vec<JoinHandle<()>>,
    bound: usize,
}

impl AsyncInference {
    pub(super) fn start(
        deployment: &Arc<Deployment>,
        options: StreamOptions,
    ) -> Result<Self, DeployError> {
        let count = options.workers(deployment);
        let bound = options.in_flight(count);
        let (jobs, queue) = sync_channel(bound - count);
        let queue = Arc::new(Mutex::new(queue));
        let mut workers = Vec::with_capacity(count);
        for index in 0..count {
            let (deployment, queue) = (Arc::clone(deployment), Arc::clone(&queue));
            let work = move || work(&deployment, &queue, options.keep);
            let builder = std::thread::Builder::new().name(format!("infer-{index}"));
            workers.push(builder.spawn(work).map_err(DeployError::Threads)?);
        }
        Ok(Self {
            jobs: Some(jobs),
            in_flight: Arc::default(),
            workers,
            bound,
        })
    }

    /// Most images that are accepted and not yet completed.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Hands over an image, waiting while too many are on their way.
    ///
    /// `done` is called once, on a worker, with the image and its prediction; the worker can
    /// infer nothing else meanwhile. A panic in it is caught and logged.
    pub fn submit(
        &self,
        input: impl Into<Input>,
        done: impl FnOnce(InferenceResult) + Send + 'static,
    ) -> Result<(), DeployError> {
        let jobs = self.jobs.as_ref().ok_or(DeployError::Closed)?;
        jobs.send(self.job(input.into(), Box::new(done)))
            .map_err(|_| DeployError::Closed)
    }

    /// Hands over an image if there is room, else gives it back.
    pub fn try_submit(
        &self,
        input: impl Into<Input>,
        done: impl FnOnce(InferenceResult) + Send + 'static,
    ) -> Result<(), Input> {
        let job = self.job(input.into(), Box::new(done));
        let Some(jobs) = self.jobs.as_ref() else {
            return Err(job.input);
        };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job.input,
        })
    }

    /// Waits until all accepted images are completed.
    pub fn await_all(&self) {
        self.in_flight.wait();
    }

    fn job(&self, input: Input, done: Completion) -> Job {
        Job {
            input,
            done,
            _count: Counted::new(&self.in_flight),
        }
    }
}

impl Drop for AsyncInference {
    fn drop(&mut self) {
        // Without a sender the workers end when the queue is empty.
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its jobs; one that ended all the same has none left.
            let _ = worker.join();
        }
    }
}

fn work(deployment: &Deployment, queue: &Mutex<Receiver<Job>>, keep: Keep) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job {
            input,
            done,
            _count,
        }) = job
        else {
            return;
        };
        let run = || {
            let outcome = input.read(deployment).and_then(|frame| {
                let prediction = deployment.infer_with(&frame, keep)?;
                Ok((frame, prediction))
            });
            done(outcome);
        };
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            tracing::error!("the completion of an asynchronous inference panicked");
        }
    }
}

/// How many images are accepted and not yet completed.
#[derive(Debug, Default)]
struct InFlight {
    count: Mutex<usize>,
    none: Condvar,
}

impl InFlight {
    fn wait(&self) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.none.wait_while(count, |count| *count > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Counts one image for as long as it lives.
struct Counted(Arc<InFlight>);

impl Counted {
    fn new(in_flight: &Arc<InFlight>) -> Self {
        *in_flight
            .count
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(in_flight))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if *count == 0 {
            self.0.none.notify_all();
        }
    }
}
