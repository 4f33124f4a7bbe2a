//! The long form of the test under kill -9: `soak [KILLS] [SEED]`, 300 kills by default.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

#[path = "../tests/soak/mod.rs"]
mod soak;

fn main() {
    soak::run_if_asked();
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let kills = arguments.next().unwrap_or(300);
    let seed = arguments.next().unwrap_or(1);
    let start = Instant::now();
    let outcome = soak::run(soak::Plan {
        kills: kills as u32,
        longest_life: Duration::from_secs(1),
        images_per_second: 200,
        faults: 0.2,
        seed,
        child_arguments: &[],
    });
    println!(
        "{kills} kills in {:?}, seed {seed}: {} events accepted, {} images stored, {} requests spoilt",
        start.elapsed(),
        outcome.accepted,
        outcome.stored,
        outcome.spoilt
    );
}
