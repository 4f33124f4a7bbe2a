//! The long forms of the tests under trouble: `soak [kills|photos|clock|disk|limit] [KILLS] [SEED]`,
//! and `soak hang [SECONDS]`.
//!
//! `kills`: nothing but kills and a proxy that spoils requests; `photos`: the same, and every tenth
//! image is a photo of 12 megapixels with its file; `clock`: the wall clock jumps;
//! `disk`: a small disk is full half of the time; `limit`: writes fail in the middle, for users
//! who may not mount a disk; `hang`: a sink that never answers.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::time::{Duration, Instant};

#[path = "../tests/hang/mod.rs"]
mod hang;
#[path = "../tests/soak/mod.rs"]
mod soak;

use soak::{Disk, Plan, Trouble};
use straylight_hooks::{Overflow, QueueOptions};

fn main() {
    soak::run_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(default, |n| n.parse().unwrap());
    let (kills, seed) = (number(1, 300), number(2, 1));
    let form = arguments.first().map_or("kills", String::as_str);
    let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match form {
        "kills" | "photos" => run(form, kills, seed, Trouble::Nothing),
        "clock" => run(form, kills, seed, Trouble::JumpingClock),
        "limit" => run(form, kills, seed, Trouble::FullDisk(Disk::Limited)),
        "disk" => {
            let on_disk = |disk| run(form, kills, seed, Trouble::FullDisk(disk));
            if !soak::run_on_small_disk(&all, on_disk) {
                eprintln!("disk: this user may not mount a small disk; files are limited instead");
                run("limit", kills, seed, Trouble::FullDisk(Disk::Limited));
            }
        }
        "hang" => run_hanging(number(1, 60)),
        _ => {
            eprintln!("no form `{form}`: kills, photos, clock, disk, limit or hang");
            std::process::exit(2);
        }
    }
}

fn run(form: &str, kills: u64, seed: u64, trouble: Trouble) {
    let start = Instant::now();
    let outcome = soak::run(&Plan {
        kills: kills as u32,
        longest_life: Duration::from_secs(1),
        images_per_second: 200,
        faults: 0.2,
        seed,
        child_arguments: &[],
        trouble,
        photos: form == "photos",
    });
    println!(
        "{form}: {kills} kills in {:.0?}, seed {seed}: {} events accepted, {} images stored, \
         none dropped, {} requests spoilt",
        start.elapsed(),
        outcome.accepted,
        outcome.stored,
        outcome.spoilt
    );
}

/// 200 images a second, each kind of queue in turn.
fn run_hanging(seconds: u64) {
    for (queue, overflow) in [
        (QueueOptions::MEMORY, Overflow::DropOldest),
        (QueueOptions::MEMORY, Overflow::Spill),
        (QueueOptions::DISK, Overflow::DropNewest),
    ] {
        let start = Instant::now();
        let images = 200 * seconds as u32;
        let queue = hang::small(queue, overflow);
        let outcome = hang::run(images, Duration::from_millis(5), queue);
        println!(
            "hang, {:?}, {overflow:?}: {} images in {:.0?}, slowest submission {:.1?}, {} dropped, \
             the process grew by {} KiB",
            queue.storage,
            outcome.images,
            start.elapsed(),
            outcome.slowest,
            outcome.dropped,
            outcome.grown >> 10
        );
    }
}
