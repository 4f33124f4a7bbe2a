//! The demo through the real program.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn straylight(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_straylight"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_demo_finds_and_collects_strays() {
    let folder = tempfile::tempdir().unwrap();
    let output = straylight(&["demo", "--json", "report.json"], folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = std::fs::read(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();

    let count = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("no {key}"));
    let names = |key: &str| report[key].as_array().map_or(0, |all| all.len() as u64);
    assert_eq!(
        (count("images"), count("known"), count("strange")),
        (102, 61, 41)
    );
    assert_eq!(
        count("collected"),
        41 - names("misses") + names("false_alarms")
    );
    assert!(report["auroc"].as_f64().unwrap() >= 0.9, "{report}");

    let demo = folder.path().join("straylight-demo");
    let sheet = std::fs::read(demo.join("contact-sheet.png")).unwrap();
    assert!(sheet.starts_with(b"\x89PNG"));
    for part in ["images", "predictions", "scores", "overlays"] {
        let files = std::fs::read_dir(demo.join("collected").join(part))
            .unwrap()
            .count();
        assert_eq!(files as u64, count("collected"), "{part}");
    }
    assert!(text(&output.stdout).contains("False alarms"));
    the_saved_deployment_has_its_hooks_and_collects_again(&demo);
}

fn the_saved_deployment_has_its_hooks_and_collects_again(demo: &Path) {
    use straylight::{Deployment, LoadOptions};
    let deployment = Deployment::from_folder(demo, &LoadOptions::default()).unwrap();
    assert_eq!(deployment.hooks().len(), 2);
    assert!(deployment.ood_model().is_some());
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let output = straylight(&["demo", "--dir", "."], folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("was not made by the demo"),
        "{}",
        text(&output.stderr)
    );
    assert!(folder.path().join("thesis.txt").exists());
}

#[test]
fn missing_assets_are_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let output = straylight(&["demo", "--assets", "nowhere"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("nowhere/split.json") && error.contains("check the path"),
        "{error}"
    );
}

/// Runs the demo on a disk of its own of this size, in a name space where anybody may mount one.
#[cfg(target_os = "linux")]
fn demo_on_a_disk_of(megabytes: u32, folder: &Path) -> Output {
    let script = format!(
        "mount -t tmpfs -o size={megabytes}m none disk && {} demo --dir disk/demo --json report.json; \
         status=$?; find disk/demo -size 0 ! -path '*/pending/*' ! -name '*.lock'; exit $status",
        env!("CARGO_BIN_EXE_straylight")
    );
    std::fs::create_dir_all(folder.join("disk")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]);
    command.current_dir(folder).output().unwrap()
}

/// 3 MB are full while photos are imported, 14 MB when the deployment is saved.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_leaves_nothing_by_halves() {
    let probe = Command::new("unshare")
        .args(["--map-root-user", "--mount", "true"])
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("not tested: this system lets nobody mount a small disk (unshare)");
        return;
    }
    for megabytes in [3, 14] {
        let folder = tempfile::tempdir().unwrap();
        let output = demo_on_a_disk_of(megabytes, folder.path());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("disk/demo/"), "{error}");
        assert!(error.contains("ree some space"), "{error}");
        assert_eq!(text(&output.stdout), "", "no empty file, no half report");
        assert!(!folder.path().join("report.json").exists());
    }
}
