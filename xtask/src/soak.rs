//! Hooks under trouble for a long time; a short form of each is among the tests.

use crate::Outcome;
use crate::process::{self, cargo};

/// Kills of each form that is killed.
const KILLS: &str = "300";

/// Runs one form with its own arguments, or all of them one after the other.
pub(crate) fn run(arguments: &[&str]) -> Outcome {
    if !arguments.is_empty() {
        return run_form(arguments);
    }
    for form in ["kills", "photos", "clock", "disk"] {
        run_form(&[form, KILLS])?;
    }
    run_form(&["hang"])
}

fn run_form(arguments: &[&str]) -> Outcome {
    process::run(
        cargo()
            .args([
                "run",
                "--quiet",
                "--release",
                "--package",
                "straylight-hooks",
            ])
            .args(["--example", "soak", "--"])
            .args(arguments),
    )
}
