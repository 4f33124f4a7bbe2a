//! The short form of the soak under kill -9; the long form is the example `soak`.

use std::time::Duration;

mod soak;

/// Not a test of its own: the process that the test below starts and kills.
#[test]
fn child() {
    soak::run_if_asked();
}

#[test]
fn every_accepted_image_is_in_the_dataset_once_whatever_is_killed() {
    let outcome = soak::run(soak::Plan {
        kills: 6,
        longest_life: Duration::from_millis(700),
        images_per_second: 200,
        faults: 0.25,
        seed: 7,
        child_arguments: &["child", "--exact", "--nocapture"],
    });
    assert!(outcome.accepted > 20 && outcome.spoilt > 5, "{outcome:?}");
    assert!(outcome.stored >= outcome.accepted, "{outcome:?}");
}
