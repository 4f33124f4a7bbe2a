//! Hooks make progress on a busy machine.
//!
//! The usual workers give way to everything else on the machine (see [`super::priority`]), so they
//! stand still while other programs want all cores. A thread that has begun to give way cannot go
//! back without privileges, and nobody can take over what it has begun; so at most two of a hook's
//! workers give way, and none of a hook that may have one thread only. A watcher of normal
//! priority looks at the queue from time to time:
//! what has waited for [`LONGEST_WAIT`] is delivered, or written to the disk, by workers of normal
//! priority, which end when nothing is due any more. They also come at once where giving way helps
//! nobody: when a source waits for room, when somebody waits for the hooks to end, and for a large
//! image, which a worker that gives way could not finish in time once it has begun.
//!
//! The watcher sleeps by the clock alone: while the hooks keep up, it wakes every other second,
//! and while nothing fires it does not wake.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::Runner;
use super::deliver::Step;
use super::threads::Priority;

/// How long an event may wait for workers that give way.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How long workers of normal priority wait for the next thing to do before they end.
const SHORT: Duration = Duration::from_millis(500);

/// Looks at an empty queue after which the watcher sleeps until something fires.
const QUIET_LOOKS: u32 = 3;

impl Runner {
    /// Makes sure that somebody watches how long events wait.
    pub(super) fn wake_watcher(self: &Arc<Self>) {
        if self.hook.options.max_threads == 0 {
            return;
        }
        self.start(&self.threads.watchers, 1, "hook-watcher", Self::watch);
        if self.threads.watcher_sleeps.swap(false, SeqCst) {
            self.threads.watch.raise();
        }
    }

    fn watch(self: &Arc<Self>) {
        let mut quiet = 0;
        while !self.threads.stopping.load(SeqCst) {
            let seen = self.threads.watch.seen();
            let now = self.world.clock.monotonic();
            let since = self.waits_since();
            let until = match since.map(|since| since + LONGEST_WAIT) {
                Some(due) if due <= now => {
                    self.hurry();
                    now + SHORT
                }
                Some(due) => due,
                None => now + LONGEST_WAIT,
            };
            quiet = if since.is_some() { 0 } else { quiet + 1 };
            let sleeps = quiet >= QUIET_LOOKS;
            self.threads.watcher_sleeps.store(sleeps, SeqCst);
            // What was pushed between the look and the line above has seen nobody sleep.
            let sleeps = sleeps && self.waits_since().is_none();
            let until = (!sleeps).then_some(until);
            self.world.clock.wait(&self.threads.watch, seen, until);
        }
        self.threads.watchers.fetch_sub(1, SeqCst);
        self.threads.ended.raise();
    }

    /// Since when the oldest event waits for a delivery, for its end, or for the disk.
    fn waits_since(&self) -> Option<Duration> {
        let begun = self.unfinished.since();
        self.queue.waits_since().into_iter().chain(begun).min()
    }

    /// Lets workers of normal priority do what there is to do.
    pub(super) fn hurry(self: &Arc<Self>) {
        let most = self.most_at_once();
        let now = self.world.clock.monotonic();
        if most > 0 && self.waits_since().is_some_and(|since| since <= now) {
            self.start(
                &self.threads.hurrying,
                most,
                "hook-hurry",
                Self::work_at_once,
            );
        }
    }

    /// Deliveries of large images to this machine take processor and memory: more of them at once
    /// than there are cores are no faster.
    fn most_at_once(&self) -> usize {
        let most = self.hook.options.max_threads;
        if self.hook.action.is_remote() || !self.queue.is_next_large() {
            return most;
        }
        most.min(std::thread::available_parallelism().map_or(1, NonZero::get))
    }

    fn work_at_once(self: &Arc<Self>) {
        while !self.threads.stopping.load(SeqCst) {
            let seen = self.queue.work.seen();
            if self.spool() == Step::Worked {
                continue;
            }
            let Step::Wait(until) = self.step(Priority::Normal) else {
                continue;
            };
            let soon = self.world.clock.monotonic() + SHORT;
            match until.filter(|until| *until <= soon) {
                Some(until) => self.world.clock.wait(&self.queue.work, seen, Some(until)),
                None => break,
            }
        }
        // The others look again: what came meanwhile is theirs.
        self.threads.hurrying.fetch_sub(1, SeqCst);
        self.queue.work.raise();
        self.threads.ended.raise();
    }
}
