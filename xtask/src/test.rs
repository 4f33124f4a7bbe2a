//! Every test there is.

use crate::Outcome;
use crate::process::{self, cargo};

/// Runs the tests of all crates, or those whose names contain one of `filters`.
pub(crate) fn run(filters: &[&str]) -> Outcome {
    println!("Running the tests of every crate; the first run compiles them and takes minutes.");
    println!(
        "Tests that need OpenVINO fetch its pinned wheel with pip into the user's cache, once."
    );
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
