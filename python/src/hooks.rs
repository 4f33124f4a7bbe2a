//! Hooks: triggers, actions and sets of them, of the crates and of Python's.

mod action;
mod set;
mod trigger;

pub(crate) use action::Action;
pub(crate) use set::{Hook, HookSet, hook_configs, perform, seconds_to_wait, stats_json};
pub(crate) use trigger::Trigger;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

/// What an exception that a trigger or an action raised says, in one line.
///
/// An exception that asks the program to end (Ctrl-C) is passed on to the main thread.
fn said(py: Python<'_>, error: &PyErr) -> String {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        let interrupt = py
            .import("_thread")
            .and_then(|it| it.call_method0("interrupt_main"));
        // Without a main thread there is nobody to interrupt.
        drop(interrupt);
    }
    error.to_string()
}

/// The name of an object's class.
fn class_name(object: &Bound<'_, PyAny>) -> String {
    let name = object.get_type().name();
    name.map_or_else(|_| "object".to_owned(), |name| name.to_string())
}
