use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::Duration;

use super::deliver::Step;
use super::full::Stall;
use super::{Runner, priority};
use crate::clock::Signal;
use crate::event::EventId;
use crate::queue::JournalError;

/// How much longer threads may take to end that only wait for a core.
const BUSY_MACHINE: Duration = Duration::from_secs(10);

/// Most workers of a hook that give way to inference.
const MOST_GIVING_WAY: usize = 2;

/// How long the spooler rests after the disk failed.
const DISK_REST: Duration = Duration::from_secs(1);

/// The threads of one hook: workers come as they are needed, a spooler if there is a disk.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// Workers that give way to inference.
    workers: AtomicUsize,
    idle: AtomicUsize,
    /// Workers of normal priority, see [`super::watch`].
    pub(super) hurrying: AtomicUsize,
    pub(super) watchers: AtomicUsize,
    /// Raised when there is something to watch again.
    pub(super) watch: Signal,
    pub(super) watcher_sleeps: AtomicBool,
    spoolers: AtomicUsize,
    /// Workers that call the action now.
    slots: AtomicUsize,
    /// Those who wait for the queue to be empty.
    draining: AtomicUsize,
    pub(super) stopping: AtomicBool,
    /// Raised when a thread ends.
    pub(super) ended: Signal,
}

/// Whether a worker gives way to everything else on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    GivesWay,
    Normal,
}

/// The right to call the action; there are as many as the hook may have threads.
pub(super) struct Slot<'a>(&'a AtomicUsize);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Threads {
    fn running(&self) -> usize {
        let all = [
            &self.workers,
            &self.hurrying,
            &self.watchers,
            &self.spoolers,
        ];
        all.iter().map(|count| count.load(SeqCst)).sum()
    }

    /// A slot, if fewer than `most` are taken; without threads every caller works for itself.
    pub(super) fn slot(&self, most: usize) -> Option<Slot<'_>> {
        let one_more = |n| (most == 0 || n < most).then_some(n + 1);
        let taken = self.slots.fetch_update(SeqCst, SeqCst, one_more);
        taken.is_ok().then(|| Slot(&self.slots))
    }
}

/// How long somebody waits for an empty queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Not beyond this time, `None` for no limit.
    pub(crate) until: Option<Duration>,
    /// Not for longer than this without any progress, `None` for no limit.
    pub(crate) stall: Option<Duration>,
}

impl Runner {
    /// Makes sure that somebody delivers what is ready.
    pub(super) fn wake_worker(self: &Arc<Self>) {
        let most = self.hook.options.max_threads;
        if most == 0 {
            while self.step(Priority::Normal) == Step::Worked {}
            return;
        }
        self.wake_watcher();
        // What a worker that gives way has begun waits for it, so the others are kept free.
        let most = MOST_GIVING_WAY.min(most - 1);
        if most == 0 || self.queue.is_next_large() {
            self.hurry();
        } else if self.threads.idle.load(SeqCst) == 0 {
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
        self.wake_watcher();
        self.start(
            &self.threads.spoolers,
            1,
            "hook-spooler",
            Self::keep_spooling,
        );
    }

    pub(super) fn start(
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
        let spawned = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || body(&runner));
        if let Err(error) = spawned {
            running.fetch_sub(1, SeqCst);
            tracing::error!(hook = %self.name, %error, "cannot start a thread");
        }
    }

    fn work(self: &Arc<Self>) {
        priority::yield_to_inference();
        while !self.threads.stopping.load(SeqCst) {
            let seen = self.queue.work.seen();
            if let Step::Wait(until) = self.step(Priority::GivesWay) {
                self.threads.idle.fetch_add(1, SeqCst);
                self.world.clock.wait(&self.queue.work, seen, until);
                self.threads.idle.fetch_sub(1, SeqCst);
            }
        }
        while self.finish_some(None) == Step::Worked {}
        self.threads.workers.fetch_sub(1, SeqCst);
        self.threads.ended.raise();
    }

    /// Gives way to nobody: an event is safe only once it is on the disk.
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
    pub(super) fn spool(self: &Arc<Self>) -> Step {
        let now = self.world.clock.monotonic();
        let written = self.keep_window().and_then(|kept| {
            let accepted = |id| self.world.observer.accepted(&self.name, id);
            let spooled = self
                .queue
                .spool(now, || self.judge().limits.to_keep(), accepted);
            spooled.map(|spooled| kept + spooled)
        });
        self.queue.note_disk(written.is_err());
        match self.journal_health.note(&self.name, written) {
            None => {
                self.judge().limits.unsaved();
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
    pub(crate) fn requeue(self: &Arc<Self>, id: EventId) -> Result<bool, JournalError> {
        let is_requeued = self.queue.requeue(id, self.world.clock.monotonic())?;
        if is_requeued {
            self.wake_worker();
        }
        Ok(is_requeued)
    }

    /// Starts on what an earlier process left behind.
    pub(crate) fn resume(self: &Arc<Self>) {
        if !self.queue.is_empty() && self.hook.options.max_threads > 0 {
            self.wake_worker();
        }
    }

    /// Waits until nothing is queued, or for as long as the patience lasts; says whether nothing is.
    ///
    /// Ends the open window of a limit to its best images.
    pub(crate) fn drain(self: &Arc<Self>, patience: Patience) -> bool {
        self.release_held(None);
        self.empty(patience)
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

    /// Waits until nothing is queued and the disk knows it, for as long as the patience lasts.
    pub(crate) fn empty(self: &Arc<Self>, patience: Patience) -> bool {
        self.threads.draining.fetch_add(1, SeqCst);
        self.queue.work.raise();
        let is_empty = self.wait_until_empty(patience);
        self.threads.draining.fetch_sub(1, SeqCst);
        is_empty
    }

    fn wait_until_empty(self: &Arc<Self>, patience: Patience) -> bool {
        let now = self.world.clock.monotonic();
        let mut stall = Stall::new(patience.stall, self.queue.progress(), now);
        loop {
            let seen = self.queue.work.seen();
            let mut next = self.help();
            if self.queue.is_empty() {
                let settled = self.queue.settle();
                if self.journal_health.note(&self.name, settled).is_some() {
                    return true;
                }
                next = Some(self.world.clock.monotonic() + DISK_REST);
            }
            let now = self.world.clock.monotonic();
            let stalls = stall.ends(self.queue.progress(), now);
            let ends = patience.until.into_iter().chain(stalls).min();
            if ends.is_some_and(|ends| ends <= now) {
                return false;
            }
            // Whoever waits for the hooks wants the cores for nothing else.
            self.hurry();
            let next = next.into_iter().chain(ends).min();
            self.world.clock.wait(&self.queue.work, seen, next);
        }
    }

    /// Without threads of its own a hook works on the thread that drains it.
    ///
    /// Says when there is something to do again, if that is known.
    pub(super) fn help(self: &Arc<Self>) -> Option<Duration> {
        if self.hook.options.max_threads > 0 {
            return None;
        }
        while self.spool() == Step::Worked {}
        loop {
            if let Step::Wait(next) = self.step(Priority::Normal) {
                return next;
            }
        }
    }

    /// Takes no more images.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Stops the threads; those that are in a delivery go on with it.
    pub(crate) fn stop(&self) {
        self.threads.stopping.store(true, SeqCst);
        self.queue.work.raise();
        self.threads.watch.raise();
    }

    /// Ends the window that cannot outlive the process.
    pub(crate) fn end_window(self: &Arc<Self>) {
        if !self.keeps_window() {
            self.release_held(None);
        }
    }

    /// Keeps on disk what is left, and gives up what cannot be kept; returns the names of those
    /// images.
    ///
    /// A worker whose action hangs is left behind; what it has stays queued on disk, or is lost.
    pub(crate) fn end(self: &Arc<Self>, threads_until: Duration) -> Vec<Arc<str>> {
        if self.has_ended.swap(true, SeqCst) {
            return Vec::new();
        }
        self.wait_for_threads(threads_until);
        drop(self.unfinished.take());
        self.journal_health.note(&self.name, self.queue.stage_all());
        while self.spool() == Step::Worked {}
        let lost = self.queue.abandon();
        self.journal_health.note(&self.name, self.keep_window());
        self.save_limits();
        self.journal_health.note(&self.name, self.queue.settle());
        if !lost.is_empty() {
            let lost = lost.len();
            tracing::error!(hook = %self.name, lost, "events in memory were given up at the end");
        }
        lost
    }

    /// Whether [`Runner::end`] was called.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(SeqCst)
    }

    fn wait_for_threads(&self, until: Duration) {
        loop {
            let seen = self.threads.ended.seen();
            let running = self.threads.running();
            if running == 0 {
                return;
            }
            // One that is in no action ends as soon as the machine lets it.
            let is_in_action = self.threads.slots.load(SeqCst) > 0;
            let until = if is_in_action {
                until
            } else {
                until + BUSY_MACHINE
            };
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
