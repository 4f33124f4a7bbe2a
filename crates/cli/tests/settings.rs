//! Settings, bare models and the table of what hooks cost.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use serde_json::Value;
use support::{Scratch, snapshot};

const DEPLOYMENT: &str = "assets/demo";

#[test]
fn settings_come_from_flag_environment_file_and_default_in_this_order() {
    let scratch = Scratch::new();
    std::fs::write(
        scratch.path().join("straylight.toml"),
        "deployment = \"assets/demo\"\nstore = \"from-file\"\ndevice = \"AUTO\"\n",
    )
    .unwrap();
    let mut command = scratch.command();
    command
        .args(["config", "show"])
        .env("STRAYLIGHT_STORE", "from-environment");
    let shown = support::Ran::of(command.output().unwrap()).expect(0).out;
    snapshot("config-show", &scratch.normal(&shown));
    // The deployment comes from the file, the device from the flag.
    let source = "assets/demo/photos/fish/fish1.webp";
    scratch
        .run(&["predict", source, "--device", "CPU"])
        .expect(0);
    scratch
        .run(&["predict", source, "--device", "TPU9"])
        .expect(1);
}

#[test]
fn a_bare_model_becomes_a_deployment() {
    let scratch = Scratch::new();
    let model = support::repository().join("assets/demo/deployment/Classification task/model");
    let own = scratch.path().join("own");
    std::fs::create_dir(&own).unwrap();
    for file in ["model.xml", "model.bin"] {
        std::fs::copy(model.join(file), own.join(file)).unwrap();
    }
    std::fs::write(own.join("labels.txt"), "fish\nmonument\nrenewable\ntool\n").unwrap();
    let init = scratch
        .run(&["deployment", "init", "own/model.xml"])
        .expect(0);
    snapshot("deployment-init", &scratch.normal(&init.all()));
    scratch
        .run(&["deployment", "init", "own/model.xml"])
        .expect(1);
    let check = [
        "deployment",
        "check",
        "own",
        "assets/demo/photos/fish/fish1.webp",
        "--json",
    ];
    let found: Value = serde_json::from_str(&scratch.run(&check).expect(0).out).unwrap();
    assert_eq!(found["labels"].as_array().map(Vec::len), Some(1), "{found}");
    let shown = scratch
        .run(&["deployment", "show", DEPLOYMENT])
        .expect(0)
        .out;
    snapshot("deployment-show", &scratch.normal(&shown));
}

#[test]
fn overhead_is_a_table_and_a_plot() {
    let scratch = Scratch::new();
    let image = "assets/demo/photos/fish/fish1.webp";
    let start = [
        "bench",
        "--deployment",
        DEPLOYMENT,
        "--table",
        "--seconds",
        "0.2",
    ];
    let rest = ["--plot", "overhead.svg", "--json", "-", image];
    let rows = scratch.run(&[&start[..], &rest[..]].concat()).expect(0).out;
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["mode"].as_str().unwrap(),
                row["decode"] == true,
                row["hook"] == true,
            )
        })
        .collect();
    let wanted = ["sync", "async"].map(|mode| {
        [(false, false), (true, false), (false, true), (true, true)].map(|(d, h)| (mode, d, h))
    });
    assert_eq!(kinds, wanted.concat());
    for row in &rows {
        let value = |key: &str| row[key].as_f64().unwrap();
        assert!(value("images_per_second") > 0.0, "{row}");
        assert!(
            value("latency_median_ms") <= value("latency_p99_ms"),
            "{row}"
        );
    }
    let plot = std::fs::read_to_string(scratch.path().join("overhead.svg")).unwrap();
    assert_eq!(plot.matches("<rect").count(), 9, "{plot}");
}
