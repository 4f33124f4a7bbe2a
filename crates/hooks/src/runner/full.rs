//! What happens to an event whose queue has no room, and in which form events wait.

use std::sync::Arc;
use std::time::Duration;

use super::Runner;
use crate::event::Event;
use crate::queue::{DropReason, Pushed};

/// Once events in memory take so many bytes, frames without a file are encoded before they wait.
const PIXELS_THAT_MAY_WAIT: u64 = 64 << 20;

/// Watches whether something goes on.
pub(super) struct Stall {
    longest: Option<Duration>,
    progress: u64,
    since: Duration,
}

impl Stall {
    /// Begins to watch at `now`; `longest` is how long nothing may happen, `None` for ever.
    pub(super) fn new(longest: Option<Duration>, progress: u64, now: Duration) -> Self {
        Self {
            longest,
            progress,
            since: now,
        }
    }

    /// When it has lasted too long unless something happens before, `None` for never.
    pub(super) fn ends(&mut self, progress: u64, now: Duration) -> Option<Duration> {
        if progress != self.progress {
            (self.progress, self.since) = (progress, now);
        }
        Some(self.since.saturating_add(self.longest?))
    }
}

impl Runner {
    /// The event in the form in which it should wait; one that a worker takes at once stays.
    pub(super) fn to_wait(&self, event: Arc<Event>) -> Arc<Event> {
        let (_, bytes) = self.queue.in_memory_now();
        let encodes = bytes + event.memory_bytes() > PIXELS_THAT_MAY_WAIT;
        event.to_wait(encodes)
    }

    fn is_taken_at_once(&self) -> bool {
        let (events, _) = self.queue.in_memory_now();
        !self.queue.goes_to_disk() && events < self.hook.options.max_threads.max(1)
    }

    /// Sends an event to its queue, and waits for room there if that is the policy.
    pub(super) fn push(self: &Arc<Self>, event: Arc<Event>) -> Pushed {
        let event = if self.is_taken_at_once() {
            event
        } else {
            self.to_wait(event)
        };
        match self.queue.push(&event, self.world.clock.monotonic()) {
            Pushed::Full => self.push_when_there_is_room(&event.to_wait(true)),
            pushed => pushed,
        }
    }

    fn push_when_there_is_room(self: &Arc<Self>, event: &Arc<Event>) -> Pushed {
        let now = self.world.clock.monotonic();
        let mut stall = Stall::new(self.world.stall, self.queue.progress(), now);
        self.queue.waits_for_room(true);
        let pushed = loop {
            let seen = self.queue.space.seen();
            let now = self.world.clock.monotonic();
            match self.queue.push(event, now) {
                Pushed::Full => {}
                pushed => break pushed,
            }
            let ends = stall.ends(self.queue.progress(), now);
            if ends.is_some_and(|ends| ends <= now) {
                self.queue.turn_away(DropReason::Stalled);
                break Pushed::Dropped(DropReason::Stalled);
            }
            // Nobody wants the cores for inference now; and without threads nobody else works.
            self.hurry();
            let next = self.help();
            let until = ends.into_iter().chain(next).min();
            self.world.clock.wait(&self.queue.space, seen, until);
        };
        self.queue.waits_for_room(false);
        pushed
    }

    /// Says once for each reason that events are dropped.
    pub(super) fn tell_of_drops(&self) {
        for reason in self.queue.take_first_drops() {
            let why = reason.in_words();
            tracing::warn!(
                hook = %self.name,
                "an image is lost: {why}; further ones are counted as dropped ({})",
                reason.as_str()
            );
        }
    }
}
