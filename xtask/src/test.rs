//! Every test there is.

mod programs;
mod python_package;

use std::process::Command;

use crate::Outcome;
use crate::process::{self, cargo};

/// Runs the tests of all crates and tools, or those of the crates whose names contain one of
/// `filters`; `python`, `sdk` and `pages` name the tests that Cargo does not run.
pub(crate) fn run(filters: &[&str]) -> Outcome {
    match filters {
        ["python"] => return python_package::package(),
        ["sdk"] => return python_package::sdk_flow(),
        ["pages"] => return python_package::pages(),
        _ => {}
    }
    println!("Running every test; the first run compiles them and takes minutes.");
    println!(
        "Tests that need OpenVINO fetch its pinned wheel with pip into the user's cache, once."
    );
    programs::install(&["ffmpeg"])?;
    rust(filters)?;
    if filters.is_empty() {
        optional()?;
        tools()?;
        python_package::package()?;
        python_package::sdk_flow()?;
        python_package::pages()?;
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

/// The actions of hooks that are not compiled in by default.
fn optional() -> Outcome {
    process::run(cargo().args([
        "test",
        "--locked",
        "--package",
        "straylight-hooks",
        "--features",
        "s3,mqtt",
        "--lib",
    ]))
}

/// The scripts that make assets and fixtures; these tests need nothing but Python.
fn tools() -> Outcome {
    process::run(Command::new("python3").args(["-m", "unittest", "discover", "-s", "tools"]))
}
