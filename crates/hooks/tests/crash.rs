//! The short forms of the soak under kill -9; the long forms are `cargo xtask soak`.

#![allow(clippy::print_stderr, reason = "a test says what it could not run")]

use std::time::Duration;

mod soak;

use soak::{Disk, Outcome, Plan, Trouble};

/// Not a test of its own: the process that the tests below start and kill.
#[test]
#[ignore = "a process that other tests start"]
fn child() {
    soak::run_if_asked();
    panic!("nobody asked");
}

fn run(trouble: Trouble) -> Outcome {
    soak::run(&Plan {
        kills: 6,
        longest_life: Duration::from_millis(700),
        images_per_second: 200,
        faults: 0.25,
        seed: 7,
        child_arguments: &["child", "--exact", "--ignored", "--nocapture"],
        trouble,
        photos: false,
    })
}

#[test]
fn every_accepted_image_is_in_the_dataset_once_whatever_is_killed() {
    let outcome = run(Trouble::Nothing);
    assert!(outcome.accepted > 20 && outcome.spoilt > 5, "{outcome:?}");
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let outcome = run(Trouble::JumpingClock);
    assert!(outcome.accepted > 20, "{outcome:?}");
}

#[test]
fn writes_that_fail_in_the_middle_lose_nothing_that_was_accepted() {
    let outcome = run(Trouble::FullDisk(Disk::Limited));
    assert!(outcome.accepted > 20 && outcome.stored > 20, "{outcome:?}");
}

#[test]
fn a_full_disk_loses_nothing_that_was_accepted() {
    let arguments = [
        "a_full_disk_loses_nothing_that_was_accepted",
        "--exact",
        "--nocapture",
    ];
    let has_run = soak::run_on_small_disk(&arguments, |disk| {
        let outcome = run(Trouble::FullDisk(disk));
        assert!(outcome.accepted > 20, "{outcome:?}");
    });
    if !has_run {
        eprintln!("this user may not mount a small file system: only the limit was tested");
    }
}
