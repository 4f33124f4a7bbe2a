use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::Duration;

use super::deliver::Step;
use super::{Runner, priority};
use crate::clock::Signal;
use crate::event::EventId;
use crate::queue::JournalError;

/// How long the spooler rests after the disk failed.
const DISK_REST: Duration = Duration::from_secs(1);

/// The threads of one hook: workers come as they are needed, a spooler if there is a disk.
#[derive(Debug, Default)]
pub(super) struct Threads {
    workers: AtomicUsize,
    idle: AtomicUsize,
    spoolers: AtomicUsize,
    /// Those who wait for the queue to be empty.
    draining: AtomicUsize,
    stopping: AtomicBool,
    /// Raised when a thread ends.
    ended: Signal,
}

impl Threads {
    fn running(&self) -> usize {
        self.workers.load(SeqCst) + self.spoolers.load(SeqCst)
    }
}

impl Runner {
    /// Makes sure that somebody delivers what is ready.
    pub(super) fn wake_worker(self: &Arc<Self>) {
        let most = self.hook.options.max_threads;
        if most == 0 {
            while self.step() == Step::Worked {}
            return;
        }
        if self.threads.idle.load(SeqCst) == 0 {
            self.start(&self.threads.workers, most, "hook-worker", Self::work);
        }
    }

    /// Makes sure that somebody writes staged events to the disk.
    pub(super) fn wake_spooler(self: &Arc<Self>) {
        if self.hook.options.max_threads == 0 {
            while self.spool() == Step::Worked {}
            self.wake_worker();
            return;
        }
        self.start(
            &self.threads.spoolers,
            1,
            "hook-spooler",
            Self::keep_spooling,
        );
    }

    fn start(
        self: &Arc<Self>,
        running: &AtomicUsize,
        most: usize,
        name: &str,
        body: fn(&Arc<Self>),
    ) {
        let one_more = |n| (n < most).then_some(n + 1);
        if running.fetch_update(SeqCst, SeqCst, one_more).is_err() {
            return;
        }
        let runner = Arc::clone(self);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            priority::yield_to_inference();
            body(&runner);
        });
        if let Err(error) = spawned {
            running.fetch_sub(1, SeqCst);
            tracing::error!(hook = %self.name, %error, "cannot start a thread");
        }
    }

    fn work(self: &Arc<Self>) {
        while !self.threads.stopping.load(SeqCst) {
            let seen = self.queue.work.seen();
            if let Step::Wait(until) = self.step() {
                self.threads.idle.fetch_add(1, SeqCst);
                self.world.clock.wait(&self.queue.work, seen, until);
                self.threads.idle.fetch_sub(1, SeqCst);
            }
        }
        while self.finish_some(None) == Step::Worked {}
        self.threads.workers.fetch_sub(1, SeqCst);
        self.threads.ended.raise();
    }

    fn keep_spooling(self: &Arc<Self>) {
        loop {
            let seen = self.queue.work.seen();
            let Step::Wait(until) = self.spool() else {
                continue;
            };
            if self.threads.stopping.load(SeqCst) {
                break;
            }
            self.world.clock.wait(&self.queue.work, seen, until);
        }
        self.threads.spoolers.fetch_sub(1, SeqCst);
        self.threads.ended.raise();
    }

    /// Writes some staged events, and candidates of the open window, to the disk.
    fn spool(self: &Arc<Self>) -> Step {
        let now = self.world.clock.monotonic();
        let written = self.keep_window().and_then(|kept| {
            let accepted = |id| self.world.observer.accepted(&self.name, id);
            let spooled = self.queue.spool(now, || self.limits.to_keep(), accepted);
            spooled.map(|spooled| kept + spooled)
        });
        match self.journal_health.note(&self.name, written) {
            None => {
                self.limits.unsaved();
                Step::Wait(Some(now + DISK_REST))
            }
            Some(0) => Step::Wait(None),
            Some(_) => {
                if self.hook.options.max_threads > 0 {
                    self.wake_worker();
                }
                Step::Worked
            }
        }
    }

    /// Lets a dead letter be delivered again; says whether there was one.
    pub(crate) fn revive(self: &Arc<Self>, id: EventId) -> Result<bool, JournalError> {
        let is_revived = self.queue.revive(id, self.world.clock.monotonic())?;
        if is_revived {
            self.wake_worker();
        }
        Ok(is_revived)
    }

    /// Starts on what an earlier process left behind.
    pub(crate) fn resume(self: &Arc<Self>) {
        if !self.queue.is_empty() && self.hook.options.max_threads > 0 {
            self.wake_worker();
        }
    }

    /// Waits until nothing is queued, or until a time; says whether nothing is.
    ///
    /// Ends the open window of a limit to its best images.
    pub(crate) fn drain(self: &Arc<Self>, until: Duration) -> bool {
        self.release_held(None);
        self.empty(until)
    }

    /// Whether somebody waits for what was begun, or for its room, so that it is not kept for
    /// company.
    pub(super) fn is_in_a_hurry(&self) -> bool {
        let threads = &self.threads;
        self.hook.options.max_threads == 0
            || threads.draining.load(SeqCst) > 0
            || threads.stopping.load(SeqCst)
            || self.queue.is_pressed()
    }

    /// Waits until nothing is queued and the disk knows it, or until a time.
    fn empty(self: &Arc<Self>, until: Duration) -> bool {
        self.threads.draining.fetch_add(1, SeqCst);
        self.queue.work.raise();
        let is_empty = self.wait_until_empty(until);
        self.threads.draining.fetch_sub(1, SeqCst);
        is_empty
    }

    fn wait_until_empty(self: &Arc<Self>, until: Duration) -> bool {
        loop {
            let seen = self.queue.work.seen();
            let mut next = self.help();
            if self.queue.is_empty() {
                if self
                    .journal_health
                    .note(&self.name, self.queue.settle())
                    .is_some()
                {
                    return true;
                }
                next = Some(self.world.clock.monotonic() + DISK_REST);
            }
            if self.world.clock.monotonic() >= until {
                return false;
            }
            let next = next.map_or(until, |time| time.min(until));
            self.world.clock.wait(&self.queue.work, seen, Some(next));
        }
    }

    /// Without threads of its own a hook works on the thread that drains it.
    ///
    /// Says when there is something to do again, if that is known.
    fn help(self: &Arc<Self>) -> Option<Duration> {
        if self.hook.options.max_threads > 0 {
            return None;
        }
        while self.spool() == Step::Worked {}
        loop {
            if let Step::Wait(next) = self.step() {
                return next;
            }
        }
    }

    /// Takes no more images, delivers until a time, and stops; the rest stays on disk.
    ///
    /// An open window stays on disk as well; in memory it ends. A worker whose action hangs is
    /// left behind; what it holds counts as queued, and stays so on disk. What waits in memory,
    /// also for its end by that worker, is given up and counted.
    pub(crate) fn shut_down(self: &Arc<Self>, until: Duration) {
        if !self.keeps_window() {
            self.release_held(None);
        }
        self.queue.close();
        self.empty(until);
        self.threads.stopping.store(true, SeqCst);
        self.queue.work.raise();
        self.wait_for_threads(until);
        let lost = self.queue.abandon(&self.unfinished.give_up());
        self.journal_health.note(&self.name, self.keep_window());
        self.save_limits();
        self.journal_health.note(&self.name, self.queue.settle());
        if lost > 0 {
            tracing::error!(hook = %self.name, lost, "events in memory were given up at the end");
        }
    }

    fn wait_for_threads(&self, until: Duration) {
        // Threads that are between two events end at once; a little time is always theirs.
        let until = until.max(self.world.clock.monotonic() + Duration::from_millis(500));
        loop {
            let seen = self.threads.ended.seen();
            let running = self.threads.running();
            if running == 0 {
                return;
            }
            if self.world.clock.monotonic() >= until {
                tracing::warn!(hook = %self.name, running, "deliveries hang; left behind");
                return;
            }
            self.world
                .clock
                .wait(&self.threads.ended, seen, Some(until));
        }
    }
}
