//! A wall clock that somebody sets again and again.

use std::sync::Mutex;
use std::time::Duration;

use jiff::SignedDuration;
use straylight_core::Timestamp;
use straylight_hooks::clock::{Clock, Signal, SystemClock};

/// Farthest jump, in seconds.
const FARTHEST: i64 = 3 * 86_400;

/// The machine's clocks, of which the wall clock jumps now and then by up to three days.
#[derive(Debug, Default)]
pub(super) struct JumpingClock {
    machine: SystemClock,
    jumps: Mutex<Jumps>,
}

#[derive(Debug, Default)]
struct Jumps {
    random: fastrand::Rng,
    /// Seconds by which the wall clock is wrong.
    off: i64,
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let mut jumps = self.jumps.lock().unwrap();
        if jumps.random.u8(..) < 64 {
            jumps.off = jumps.random.i64(-FARTHEST..FARTHEST);
        }
        let off = SignedDuration::from_secs(jumps.off);
        self.machine.now().checked_add(off).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }

    fn wait(&self, signal: &Signal, seen: u64, until: Option<Duration>) {
        self.machine.wait(signal, seen, until);
    }
}
