//! The `straylight` program inside the interpreter.

use pyo3::prelude::*;

/// Runs the program with these arguments, the first of which is its name; gives the exit code.
#[pyfunction]
pub(crate) fn run_program(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| straylight_cli::main_with(arguments))
}
