//! Every task against the Python SDK, on the cases of `fixtures/tasks`.
//!
//! Shapes and their order are equal within one pixel, probabilities within 0.001, saliency maps
//! within one grey level. A case with `differs` is one where the SDK is wrong or fails; its
//! expectation is ours.

#![allow(clippy::unwrap_used, clippy::panic)] // A panic is how a test fails.

mod case;
mod compare;
mod run;

use case::read;

fn check(group: &str, least: usize) {
    let cases = read(group);
    assert!(cases.len() >= least, "{group}: only {} cases", cases.len());
    for case in cases {
        compare::check(group, &case, run::run(&case));
    }
}

#[test]
fn classification() {
    check("classification", 35);
}

#[test]
fn detection() {
    check("detection", 40);
}

#[test]
fn instance_segmentation() {
    check("instance_segmentation", 20);
}

#[test]
fn rotated_detection() {
    check("rotated_detection", 10);
}

#[test]
fn segmentation() {
    check("segmentation", 15);
}

#[test]
fn anomaly() {
    check("anomaly", 15);
}

#[test]
fn keypoint_detection() {
    check("keypoint_detection", 8);
}

#[test]
fn chain() {
    check("chain", 8);
}

#[test]
fn tiling() {
    check("tiling", 10);
}
