//! Every test there is.

use std::process::Command;

use crate::Outcome;
use crate::process::{self, cargo};

/// Runs the tests of all crates and tools, or those of the crates whose names contain one of
/// `filters`.
pub(crate) fn run(filters: &[&str]) -> Outcome {
    println!("Running every test; the first run compiles them and takes minutes.");
    println!(
        "Tests that need OpenVINO fetch its pinned wheel with pip into the user's cache, once."
    );
    rust(filters)?;
    if filters.is_empty() {
        tools()?;
    }
    Ok(())
}

fn rust(filters: &[&str]) -> Outcome {
    let mut command = cargo();
    command
        .args(["test", "--workspace", "--locked"])
        .args(filters);
    if std::env::var_os("CI").is_some() {
        // Nothing is edited between the builds of one run, and incremental state costs gigabytes.
        command.env("CARGO_INCREMENTAL", "0");
    }
    process::run(&mut command)
}

/// The scripts that make assets and fixtures; these tests need nothing but Python.
fn tools() -> Outcome {
    process::run(Command::new("python3").args(["-m", "unittest", "discover", "-s", "tools"]))
}
