//! What the extension knows of the interpreter around it, and how its threads call into it.
//!
//! Worker threads of the crates may run code of Python's. Two things must hold: no such call
//! begins once the interpreter ends, and the interpreter does not end during one (a thread that
//! then waits for the interpreter lock is ended in the middle of its stack). So every call is
//! counted, and [`shut_down`], which the package registers with `atexit`, first lets the hooks
//! deliver what they hold, then closes the door, and then waits until nobody is inside.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pyo3::prelude::*;
use straylight::hooks::HookSet;
use straylight::{Deployment, LoadOptions, engine};

/// Folder of the OpenVINO that came with the package's dependencies.
static RUNTIME: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Who is inside the interpreter, and whether anybody may still go in.
static DOOR: Mutex<Door> = Mutex::new(Door {
    inside: 0,
    is_closed: false,
});

/// Raised when somebody comes out.
static LEFT: Condvar = Condvar::new();

/// Everything that may still have something to deliver when the interpreter ends.
static ALIVE: Mutex<Vec<Holder>> = Mutex::new(Vec::new());

struct Door {
    inside: usize,
    is_closed: bool,
}

enum Holder {
    Deployment(Weak<Deployment>),
    Hooks(Weak<HookSet>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names the folder of the OpenVINO libraries to use.
#[pyfunction]
pub(crate) fn use_runtime(folder: PathBuf) {
    *lock(&RUNTIME) = Some(folder);
}

/// Load options with the runtime of the package, unless the user named one.
pub(crate) fn load_options() -> LoadOptions {
    let mut options = LoadOptions::default();
    let runtime = lock(&RUNTIME).clone();
    let environment = engine::env::Environment::of_process();
    if let Some(folder) = runtime
        && environment.path(engine::env::STRAYLIGHT_OPENVINO).is_none()
    {
        options.runtime.environment =
            environment.with(engine::env::STRAYLIGHT_OPENVINO, OsString::from(folder));
    }
    options
}

/// Calls into the interpreter from a thread of the crates; `None` once it is ending.
pub(crate) fn inside<T>(call: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    {
        let mut door = lock(&DOOR);
        if door.is_closed {
            return None;
        }
        door.inside += 1;
    }
    let _leave = Leave;
    Python::try_attach(call)
}

/// Counts somebody out, also when the call panicked.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&DOOR).inside -= 1;
        LEFT.notify_all();
    }
}

/// Drops what may wait for threads that need the interpreter, without holding its lock.
pub(crate) fn let_go<T: Send>(value: T) {
    let mut slot = Some(value);
    Python::try_attach(|py| {
        let value = slot.take();
        py.detach(|| drop(value));
    });
}

/// Remembers a deployment until it is dropped.
pub(crate) fn remember_deployment(deployment: &Arc<Deployment>) {
    remember(Holder::Deployment(Arc::downgrade(deployment)));
}

/// Remembers a set of hooks until it is dropped.
pub(crate) fn remember_hooks(hooks: &Arc<HookSet>) {
    remember(Holder::Hooks(Arc::downgrade(hooks)));
}

fn remember(holder: Holder) {
    let mut alive = lock(&ALIVE);
    alive.retain(|holder| match holder {
        Holder::Deployment(weak) => weak.strong_count() > 0,
        Holder::Hooks(weak) => weak.strong_count() > 0,
    });
    alive.push(holder);
}

/// Delivers what hooks hold, and lets no thread into the interpreter any more.
///
/// Waits for calls that are running, as Python's own executors do at the end; Ctrl-C ends that.
#[pyfunction]
pub(crate) fn shut_down(py: Python<'_>) -> PyResult<()> {
    let alive = std::mem::take(&mut *lock(&ALIVE));
    py.detach(|| {
        for holder in alive {
            match holder {
                Holder::Deployment(weak) => weak.upgrade().inspect(|it| it.clear_hooks()).is_some(),
                Holder::Hooks(weak) => weak.upgrade().inspect(|it| it.clear()).is_some(),
            };
        }
    });
    crate::log::flush(py);
    lock(&DOOR).is_closed = true;
    while py.detach(somebody_is_inside) {
        py.check_signals()?;
    }
    Ok(())
}

/// Waits a moment for those inside to leave; says whether one is still there.
fn somebody_is_inside() -> bool {
    let door = lock(&DOOR);
    let waited = LEFT.wait_timeout_while(door, Duration::from_millis(50), |door| door.inside > 0);
    let (door, _) = waited.unwrap_or_else(PoisonError::into_inner);
    door.inside > 0
}
