//! Long work that shows its progress and that Ctrl-C ends.
//!
//! The work runs on a thread of its own; the calling thread looks for signals and tells the
//! progress twenty times a second. When a signal raises, the call ends at once; the work ends
//! at its next step, by unwinding: nothing of it is kept.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use straylight::Progress;

use crate::error::{Outcome, Raised};

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// What unwinds through work that was given up.
struct GivenUp;

/// The progress of work that may be given up.
#[derive(Default)]
pub(crate) struct Steps {
    what: Mutex<String>,
    total: AtomicU64,
    done: AtomicU64,
    is_given_up: AtomicBool,
}

impl Progress for Steps {
    fn begin(&self, what: &str, total: u64) {
        what.clone_into(&mut self.what.lock().unwrap_or_else(PoisonError::into_inner));
        self.done.store(0, Relaxed);
        self.total.store(total, Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Relaxed);
        if self.is_given_up.load(Relaxed) {
            resume_unwind(Box::new(GivenUp));
        }
    }

    fn finish(&self) {
        self.done.store(self.total.load(Relaxed), Relaxed);
    }
}

type Finished<T> = Result<Outcome<T>, Box<dyn Any + Send>>;

/// Does the work with the interpreter lock released; `progress` is called with what is done,
/// how many steps, and of how many.
pub(crate) fn work<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    task: impl FnOnce(&dyn Progress) -> Outcome<T> + Send + 'static,
) -> PyResult<T> {
    let steps = Arc::new(Steps::default());
    let (sender, receiver) = channel::<Finished<T>>();
    let theirs = Arc::clone(&steps);
    let thread = std::thread::Builder::new().name("straylight-work".to_owned());
    let body = move || {
        let result = catch_unwind(AssertUnwindSafe(|| task(&*theirs)));
        // Nobody listens any more when it was given up.
        let _ = sender.send(result);
    };
    thread.spawn(body).map_err(Raised::value)?;
    let finished = wait(py, progress, &steps, receiver);
    if finished.is_err() {
        steps.is_given_up.store(true, Relaxed);
    }
    match finished? {
        Ok(outcome) => Ok(outcome?),
        Err(panic) => resume_unwind(panic),
    }
}

fn wait<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    steps: &Steps,
    receiver: Receiver<Finished<T>>,
) -> PyResult<Finished<T>> {
    // A receiver is for one thread at a time; behind the lock it may cross the boundary.
    let receiver = Mutex::new(receiver);
    loop {
        let got = py.detach(|| {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv_timeout(LOOK)
        });
        py.check_signals()?;
        if let Some(progress) = progress {
            tell(progress, steps)?;
        }
        match got {
            Ok(finished) => return Ok(finished),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Raised::new("StraylightError", "the work ended without a word").into());
            }
        }
    }
}

fn tell(progress: &Bound<'_, PyAny>, steps: &Steps) -> PyResult<()> {
    let what = steps
        .what
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    progress.call1((what, steps.done.load(Relaxed), steps.total.load(Relaxed)))?;
    Ok(())
}
