//! Sinks on real peers: mosquitto, moto and `SeaweedFS`. `cargo xtask test peers` installs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod broker;
mod bucket;
mod program;

use std::path::Path;
use std::time::Duration;

use common::{Watched, inline, on_disk, start};
use straylight_hooks::clock::ManualClock;
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{Action, BreakerOptions, Ledger, PostInferenceHook, QueueFolder};

/// A hook that brings every image to a peer; time passes when it is told to.
struct Hook {
    clock: ManualClock,
    hooks: Watched,
}

impl Hook {
    fn new(folder: &Path, action: impl Action + 'static) -> Self {
        let clock = ManualClock::new(start());
        let hooks = on_disk(folder, &clock);
        // Every event is tried: no test waits for a sink to be asked again.
        let breaker = BreakerOptions {
            failures: u32::MAX,
            ..BreakerOptions::default()
        };
        let mut options = inline();
        options.breaker = breaker;
        let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options);
        hooks.add(hook).unwrap();
        Self { clock, hooks }
    }

    fn submit(&self, names: impl Iterator<Item = String>) {
        names.for_each(|name| self.hooks.submit(&name));
    }

    fn ledger(&self) -> Ledger {
        self.hooks.statistics().ledger
    }

    /// Lets what waits be tried again; whether nothing waits any more.
    fn try_again(&self) -> bool {
        self.clock.advance(Duration::from_secs(3_600));
        self.hooks.drain(Duration::ZERO)
    }
}

/// What the first of the events that wait in a folder failed with.
fn waiting_error(folder: &Path) -> String {
    let queue = QueueFolder::all(folder).unwrap().remove(0);
    queue.events().unwrap().remove(0).error
}
