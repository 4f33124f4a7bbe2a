//! Memory stays flat over many inferences.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use straylight_deploy::Keep;

/// How many inferences are watched; `STRAYLIGHT_TEST_INFERENCES` asks for more.
const INFERENCES: usize = 5_000;
/// Bytes by which the process may grow: allocators keep some pages more than they give back.
const MAY_GROW: usize = 4 << 20;

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn memory_does_not_grow_with_the_number_of_inferences() {
    let (_root, deployment) = common::load_case(&common::case("single_explain"));
    let frame = common::picture(40, 30, 0, "picture");
    let infer = |count: usize| {
        for _ in 0..count {
            deployment.infer_with(&frame, Keep::ACTIVATIONS).unwrap();
        }
    };
    let wanted = std::env::var("STRAYLIGHT_TEST_INFERENCES").ok();
    let count = wanted
        .and_then(|text| text.parse().ok())
        .unwrap_or(INFERENCES);
    infer(1000);
    let before = resident();
    infer(count);
    let grown = resident().saturating_sub(before);
    assert!(grown < MAY_GROW, "{count} inferences took {grown} bytes");
}
