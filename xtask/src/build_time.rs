//! How long a release build from nothing takes.

use std::time::Instant;

use crate::Outcome;
use crate::process::{self, cargo, root};

/// What a newcomer should wait for at most, in seconds, on two cores.
const GOAL_SECONDS: f64 = 360.0;

/// Builds the default features into an empty folder and prints the time.
///
/// The time is reported, not judged: a busy machine must not fail a build.
pub(crate) fn run() -> Outcome {
    let folder = root().join("target").join("build-time");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    process::run(cargo().args(["fetch", "--locked"]))?;
    let start = Instant::now();
    process::run(
        cargo()
            .args(["build", "--release", "--locked", "--target-dir"])
            .arg(&folder),
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let verdict = if seconds <= GOAL_SECONDS {
        "within"
    } else {
        "OVER"
    };
    println!("release build from nothing: {seconds:.0} s ({verdict} the goal of {GOAL_SECONDS} s)");
    Ok(())
}
