//! A sink that takes one event and never comes back: inference goes on at full speed, memory
//! stays within what the configuration allows, and the statistics tell the rest.

#![allow(clippy::unwrap_used, reason = "a test's own program")]

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use straylight_core::{Frame, Prediction, RgbImage, Timestamp};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Action, ActionError, Event, HookOptions, HookSet, HookSetOptions, Overflow, PostInferenceHook,
    QueueOptions, SourceKind,
};

/// Most bytes of the queue, in memory and on the way to the disk.
const QUEUE_BYTES: u64 = 4 << 20;

/// What the process may take besides: threads, the database, what the allocator keeps.
const SLACK_BYTES: u64 = 24 << 20;

/// Width and height of the images: 48 KiB of pixels.
const SIDE: u32 = 128;

/// What came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Images that were submitted.
    pub images: u32,
    /// Longest time that one submission took.
    pub slowest: Duration,
    /// Events that were dropped by policy.
    pub dropped: u64,
    /// By how many bytes the process grew; 0 where the system does not say.
    pub grown: u64,
}

struct Hanging {
    gate: Mutex<()>,
    opened: Condvar,
}

impl Action for Hanging {
    fn name(&self) -> &'static str {
        "Hanging"
    }

    fn sink(&self) -> String {
        "hanging".to_owned()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn perform(&self, _: &Event) -> Result<(), ActionError> {
        let guard = self.gate.lock().unwrap();
        drop(self.opened.wait_while(guard, |()| true).unwrap());
        Ok(())
    }
}

/// Submits so many images, one each `pause`, to hooks whose queues have this form.
pub(crate) fn run(images: u32, pause: Duration, queue: QueueOptions) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let hooks = HookSet::new(HookSetOptions {
        state_folder: Some(folder.path().to_owned()),
        drain_time: Duration::ZERO,
        source: SourceKind::Live,
        ..HookSetOptions::default()
    });
    hooks.add(hook(queue)).unwrap();
    let before = resident_bytes();
    let mut slowest = Duration::ZERO;
    for n in 0..images {
        let mut image = RgbImage::filled(SIDE, SIDE, [9; 3]).unwrap();
        image.data_mut()[..4].copy_from_slice(&n.to_le_bytes());
        let frame = Frame::new(image, n.to_string(), Timestamp::UNIX_EPOCH);
        let start = Instant::now();
        hooks.submit(&frame, &Prediction::default());
        slowest = slowest.max(start.elapsed());
        std::thread::sleep(pause);
    }
    let grown = resident_bytes().saturating_sub(before);
    let stats = hooks.stats().remove(0);
    assert!(stats.balances(), "{stats:?}");
    assert_eq!(stats.ledger.fired, u64::from(images));
    assert_eq!((stats.ledger.delivered, stats.ledger.dead), (0, 0));
    assert!(stats.memory_bytes <= QUEUE_BYTES + queue.max_staged_bytes);
    assert!(grown <= QUEUE_BYTES + SLACK_BYTES, "{grown} bytes more");
    Outcome {
        images,
        slowest,
        dropped: stats.ledger.total_dropped(),
        grown,
    }
}

/// A queue that is full after less than a hundred images.
pub(crate) fn small(queue: QueueOptions, overflow: Overflow) -> QueueOptions {
    QueueOptions {
        overflow,
        max_bytes: QUEUE_BYTES,
        max_events: 64,
        max_staged_bytes: QUEUE_BYTES,
        max_spilled_bytes: QUEUE_BYTES,
        ..queue
    }
}

fn hook(queue: QueueOptions) -> PostInferenceHook {
    let action = Hanging {
        gate: Mutex::new(()),
        opened: Condvar::new(),
    };
    let options = HookOptions {
        name: Some("hanging".to_owned()),
        queue: Some(queue),
        ..HookOptions::default()
    };
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options)
}

/// Bytes of memory that this process has in use.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}
