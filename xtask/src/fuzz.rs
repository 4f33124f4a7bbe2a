//! Fuzzing with cargo-fuzz, which needs the nightly toolchain.

use std::process::Command;

use crate::Outcome;
use crate::process::{self, cargo, root};

/// The targets that are run one after the other when a group is named.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "images",
        &["image_decode", "image_deep", "archive", "source_archive"],
    ),
    (
        "annotations",
        &["annotations", "label_filter", "geti_wire", "project_json"],
    ),
    (
        "models",
        &[
            "model_xml",
            "onnx_model",
            "tflite_model",
            "model_description",
            "post_process",
        ],
    ),
    (
        "ood",
        &["ood_arrays", "ood_model", "hook_config", "env_file"],
    ),
    ("server", &["server_request", "server_stranger"]),
];

/// Runs a target, or the targets of a group, each for so many seconds.
pub(crate) fn run(name: &str, seconds: &str) -> Outcome {
    seconds
        .parse::<u32>()
        .map_err(|_| format!("`{seconds}` is no number of seconds"))?;
    process::run(
        cargo()
            .args(["run", "--quiet", "--package", "straylight-fuzz-targets"])
            .args(["--example", "seed"]),
    )?;
    let group = GROUPS.iter().find(|(group, _)| *group == name);
    let targets = group.map_or_else(|| vec![name], |(_, targets)| targets.to_vec());
    targets.iter().try_for_each(|target| fuzz(target, seconds))
}

fn fuzz(target: &str, seconds: &str) -> Outcome {
    // Nearly all of the code cannot corrupt memory; without a sanitizer it is twice as fast.
    let mut command = Command::new("cargo");
    command.args([
        "+nightly",
        "fuzz",
        "run",
        "--sanitizer",
        "none",
        "--fuzz-dir",
        "fuzz",
        target,
    ]);
    command.args(["--", "-timeout=60", "-rss_limit_mb=4096", "-max_len=65536"]);
    command.arg(format!("-max_total_time={seconds}"));
    // That of this toolchain would win.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    process::run(command.current_dir(root())).map_err(|error| {
        format!(
            "{error}; it needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`"
        )
    })
}
