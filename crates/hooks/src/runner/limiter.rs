use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use straylight_core::{Frame, Prediction, Timestamp};

use super::World;
use crate::clock::lock;
use crate::event::{Event, EventId};
use crate::limit::{BestOf, LimitClock, LimitKind, LimitOptions, LimitTime, Limits, Offer};
use crate::set::LimitTimes;

/// The limits of a running hook, shared by the threads that submit images.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Mutex<Limits>,
    best_of: Option<Mutex<BestOf<Arc<Event>>>>,
    clock: LimitClock,
    times: LimitTimes,
    /// The latest capture time so far, in microseconds.
    latest: AtomicI64,
    is_active: bool,
    /// Whether there is something that was not written down yet.
    is_changed: AtomicBool,
}

impl Limiter {
    pub(super) fn new(options: &LimitOptions, world: &World, remembered: Option<&str>) -> Self {
        // Recorded images have times of their own, which the machine's memory does not fit.
        let remembered = remembered.filter(|_| world.limit_times == LimitTimes::Clock);
        let limits = Limits::new(options, remembered);
        let last = limits.last_time();
        let window = limits.window_left_open();
        let open = |options| {
            let mut best = BestOf::new(options);
            best.resume(window);
            Mutex::new(best)
        };
        let clock = LimitClock::start(world.clock.now(), world.clock.monotonic(), Some(last));
        Self {
            limits: Mutex::new(limits),
            best_of: options.best_of.map(open),
            clock,
            times: world.limit_times,
            latest: AtomicI64::new(i64::MIN),
            is_active: *options != LimitOptions::default(),
            is_changed: AtomicBool::new(false),
        }
    }

    /// The time that counts for an image that was taken at `captured_at`; it never goes back.
    fn now(&self, world: &World, captured_at: Timestamp) -> LimitTime {
        match self.times {
            LimitTimes::Clock => self.clock.at(world.clock.monotonic()),
            LimitTimes::Frames => {
                let taken = captured_at.as_microsecond();
                LimitTime(self.latest.fetch_max(taken, Relaxed).max(taken))
            }
        }
    }

    /// Asks the limits that look at single images.
    pub(super) fn check(
        &self,
        world: &World,
        frame: &Frame,
        prediction: &Prediction,
    ) -> Result<(), LimitKind> {
        if !self.is_active {
            return Ok(());
        }
        let now = self.now(world, frame.captured_at());
        lock(&self.limits).check(now, frame.decoded(), prediction)?;
        self.is_changed.store(true, Relaxed);
        Ok(())
    }

    /// Whether the open window outlives the process, if the queue is on disk.
    ///
    /// A window in the time of recorded images ends with the recording.
    pub(super) fn has_lasting_window(&self) -> bool {
        self.best_of.is_some() && !self.is_of_recordings()
    }

    /// Whether images are chosen at the end of a window.
    pub(super) fn chooses_later(&self) -> bool {
        self.best_of.is_some()
    }

    /// Whether limits count by the time of recorded images.
    pub(super) fn is_of_recordings(&self) -> bool {
        self.times == LimitTimes::Frames
    }

    /// Goes on with the candidates of a window that an earlier process left open; returns those
    /// for which there is no room any more.
    pub(super) fn resume(&self, world: &World, candidates: Vec<Arc<Event>>) -> Vec<Arc<Event>> {
        let mut unwanted = Vec::new();
        for event in candidates {
            match self.offer(world, &event, |_| ()) {
                Some(Offer::Held) => {}
                Some(Offer::HeldForAnother(other)) => unwanted.push(other),
                Some(Offer::Refused) | None => unwanted.push(event),
            }
        }
        unwanted
    }

    /// Enters an event for the best of its window; `None` if there is no such limit.
    ///
    /// `count` is told the answer before anybody can end the window.
    pub(super) fn offer(
        &self,
        world: &World,
        event: &Arc<Event>,
        count: impl FnOnce(&Offer<Arc<Event>>),
    ) -> Option<Offer<Arc<Event>>> {
        let best = self.best_of.as_ref()?;
        let now = self.now(world, event.captured_at);
        let mut best = lock(best);
        let offer = best.offer(now, event.score, Arc::clone(event));
        count(&offer);
        Some(offer)
    }

    /// The events that wait for the end of the window.
    pub(super) fn candidates(&self) -> Vec<Arc<Event>> {
        let best = self.best_of.as_ref().map(lock);
        best.map_or_else(Vec::new, |best| best.candidates().cloned().collect())
    }

    /// Whether this event waits for the end of the window.
    pub(super) fn is_candidate(&self, id: EventId) -> bool {
        let best = self.best_of.as_ref().map(lock);
        best.is_some_and(|best| best.candidates().any(|event| event.id == id))
    }

    /// The best of a window that is over when an image taken at this time comes; of the open one
    /// if there is no such image.
    pub(super) fn release(&self, world: &World, captured_at: Option<Timestamp>) -> Vec<Arc<Event>> {
        let Some(best) = &self.best_of else {
            return Vec::new();
        };
        match captured_at {
            None => lock(best).close(),
            Some(time) => lock(best).close_if_over(self.now(world, time)),
        }
    }

    /// Counts an event towards the quotas.
    pub(super) fn take_quota(
        &self,
        world: &World,
        captured_at: Timestamp,
    ) -> Result<(), LimitKind> {
        if !self.is_active {
            return Ok(());
        }
        let now = self.now(world, captured_at);
        lock(&self.limits).take_quota(now)?;
        self.is_changed.store(true, Relaxed);
        Ok(())
    }

    /// What is to be written down together with events that passed; `None` without limits.
    pub(super) fn to_keep(&self) -> Option<String> {
        if !self.is_active || self.is_of_recordings() {
            return None;
        }
        self.is_changed.store(false, Relaxed);
        let ends = self.best_of.as_ref().and_then(|best| lock(best).ends());
        Some(lock(&self.limits).remember(ends))
    }

    /// What is to be written down, if anything has changed since the last time.
    pub(super) fn to_save(&self) -> Option<String> {
        let is_changed = self.is_changed.load(Relaxed);
        is_changed.then(|| self.to_keep()).flatten()
    }

    /// What was to be written down could not be.
    pub(super) fn unsaved(&self) {
        self.is_changed.store(true, Relaxed);
    }
}
