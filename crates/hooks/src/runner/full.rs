//! What happens to an event whose queue has no room, and in which form events wait.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Runner;
use crate::event::Event;
use crate::queue::{DropReason, Pushed};

/// So many bytes of events may wait with their pixels: decoding them again costs more.
const PIXELS_THAT_MAY_WAIT: u64 = 64 << 20;

/// So many for each delivery that can be worked on at once: a photo of 12 megapixels has 36 MB.
const PIXELS_OF_A_DELIVERY: u64 = 48 << 20;

/// How long whoever can wait does so before pixels that find no room are given up.
const MOMENT: Duration = Duration::from_millis(250);

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
    /// The event in the form in which it should wait for long.
    pub(super) fn to_wait(&self, event: Arc<Event>) -> Arc<Event> {
        let encodes = !self.has_room_for_pixels(&event);
        event.to_wait(encodes)
    }

    fn has_room_for_pixels(&self, event: &Event) -> bool {
        let (events, bytes) = self.queue.in_memory_now();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let at_once = self.hook.options.max_threads.clamp(1, cores) as u64;
        let most = PIXELS_THAT_MAY_WAIT.max(PIXELS_OF_A_DELIVERY * at_once);
        // Pixels never take the room in which many files could wait.
        let most = most.min(self.queue.max_bytes() / 2);
        events == 0 || bytes + event.memory_bytes() <= most
    }

    /// Whether the event goes to the queue with its pixels.
    ///
    /// Where nothing may be lost, nothing spills and this machine delivers, it waits a moment for
    /// room: in a loop that infers faster than a folder is written, that costs less than decoding
    /// each image again. A disk that is slower than that makes nobody wait until the queue was empty.
    /// A remote sink gets files: no pixels are worth waiting for.
    fn keeps_pixels(self: &Arc<Self>, event: &Event) -> bool {
        if self.queue.goes_to_disk() {
            return false;
        }
        let (events, _) = self.queue.in_memory_now();
        if events == 0 {
            self.is_sink_slow.store(false, Relaxed);
        }
        if self.has_room_for_pixels(event) {
            return true;
        }
        let may_wait = self.queue.waits_when_full() && !self.hook.action.is_remote();
        if !may_wait || self.is_sink_slow.load(Relaxed) {
            return false;
        }
        self.queue.waits_for_room(true);
        let has_room = self.has_room_within_a_moment(event);
        self.queue.waits_for_room(false);
        self.is_sink_slow.store(!has_room, Relaxed);
        has_room
    }

    fn has_room_within_a_moment(self: &Arc<Self>, event: &Event) -> bool {
        let end = self.world.clock.monotonic() + MOMENT;
        loop {
            let seen = self.queue.space.seen();
            if self.has_room_for_pixels(event) {
                return true;
            }
            if self.world.clock.monotonic() >= end {
                return false;
            }
            // Nobody wants the cores for inference now; and without threads nobody else works.
            self.hurry();
            let until = self.help().map_or(end, |next| next.min(end));
            self.world.clock.wait(&self.queue.space, seen, Some(until));
        }
    }

    /// Sends an event to its queue, and waits for room there if that is the policy.
    pub(super) fn push(self: &Arc<Self>, event: Arc<Event>) -> Pushed {
        let event = if self.keeps_pixels(&event) {
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
