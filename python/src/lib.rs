//! The extension module `straylight._native`: what the Python package calls.
//!
//! Nothing is decided here. Each function takes Python values apart, lets go of the interpreter
//! lock, calls the crates that the command line calls, and puts the answer together again.
//!
//! # Locks
//!
//! The interpreter lock is never held while a lock of the crates is waited for: every call into
//! them runs inside [`pyo3::Python::detach`]. Threads of the crates that call triggers, actions
//! or callbacks of Python's take the interpreter lock for that call alone ([`interpreter`]), and
//! what they have to say reaches Python's `logging` over a channel ([`log`]).

mod convert;
mod deployment;
mod error;
mod formats;
mod frame;
mod geti;
mod hooks;
mod interpreter;
mod interruptible;
mod log;
mod ood;
mod program;
mod stream;
mod visualizer;

use pyo3::prelude::*;

/// Fills the module.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<deployment::Deployment>()?;
    module.add_class::<formats::Annotations>()?;
    module.add_class::<geti::Client>()?;
    module.add_class::<hooks::Action>()?;
    module.add_class::<hooks::Hook>()?;
    module.add_class::<hooks::HookSet>()?;
    module.add_class::<hooks::Trigger>()?;
    module.add_class::<ood::OodModel>()?;
    module.add_class::<stream::Stream>()?;
    module.add_function(wrap_pyfunction!(geti::server_details, module)?)?;
    module.add_function(wrap_pyfunction!(hooks::perform, module)?)?;
    module.add_function(wrap_pyfunction!(interpreter::shut_down, module)?)?;
    module.add_function(wrap_pyfunction!(interpreter::use_runtime, module)?)?;
    module.add_function(wrap_pyfunction!(log::start_log, module)?)?;
    module.add_function(wrap_pyfunction!(ood::calibrate, module)?)?;
    module.add_function(wrap_pyfunction!(ood::fit_arrays, module)?)?;
    module.add_function(wrap_pyfunction!(ood::fit_folder, module)?)?;
    module.add_function(wrap_pyfunction!(ood::fit_project, module)?)?;
    module.add_function(wrap_pyfunction!(program::run_program, module)?)?;
    module.add_function(wrap_pyfunction!(visualizer::draw, module)?)?;
    module.add_function(wrap_pyfunction!(visualizer::draw_saliency, module)?)?;
    module.add_function(wrap_pyfunction!(visualizer::png, module)?)?;
    module.add_function(wrap_pyfunction!(visualizer::write_image, module)?)?;
    Ok(())
}
