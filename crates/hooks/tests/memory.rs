//! Memory stays bounded whatever a sink does; the long form is `cargo xtask soak hang`.
//!
//! One test, as it measures its process.

mod hang;

use std::time::Duration;

use straylight_hooks::{Overflow, QueueOptions};

/// 240 MiB of pixels, sixty times what the queue may hold.
const IMAGES: u32 = 5_000;

#[test]
fn a_sink_that_hangs_for_ever_takes_no_memory_beyond_the_queue() {
    for (queue, overflow) in [
        (QueueOptions::MEMORY, Overflow::DropOldest),
        (QueueOptions::MEMORY, Overflow::DropNewest),
        (QueueOptions::MEMORY, Overflow::Spill),
        (QueueOptions::DISK, Overflow::DropOldest),
    ] {
        let outcome = hang::run(IMAGES, Duration::ZERO, hang::small(queue, overflow));
        assert_eq!(outcome.images, IMAGES);
        // What spills waits as PNG, of which most of these plain images find room on the disk.
        let least = if overflow == Overflow::Spill {
            100
        } else {
            4_000
        };
        assert!(outcome.dropped > least, "{overflow:?}: {outcome:?}");
        // Far more than a submission takes on the busiest machine, far less than for ever.
        assert!(outcome.slowest < Duration::from_secs(120), "{outcome:?}");
        #[cfg(target_os = "linux")]
        assert!(outcome.grown > 0, "the memory of the process is not known");
    }
}
