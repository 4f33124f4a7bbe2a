use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use straylight_core::{Frame, Prediction, Timestamp};

use super::World;
use crate::clock::lock;
use crate::event::Event;
use crate::limit::{BestOf, LimitClock, LimitKind, LimitOptions, LimitTime, Limits, Offer};
use crate::set::LimitTimes;

/// How often limits are written down while nothing else is written.
const SAVE_EVERY: Duration = Duration::from_secs(1);

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
    saved: Mutex<Option<Duration>>,
}

impl Limiter {
    pub(super) fn new(options: &LimitOptions, world: &World, remembered: Option<&str>) -> Self {
        // Recorded images have times of their own, which the machine's memory does not fit.
        let remembered = remembered.filter(|_| world.limit_times == LimitTimes::Clock);
        let limits = Limits::new(options, remembered);
        let last = limits.last_time();
        let clock = LimitClock::start(world.clock.now(), world.clock.monotonic(), Some(last));
        Self {
            limits: Mutex::new(limits),
            best_of: options
                .best_of
                .map(|options| Mutex::new(BestOf::new(options))),
            clock,
            times: world.limit_times,
            latest: AtomicI64::new(i64::MIN),
            is_active: *options != LimitOptions::default(),
            saved: Mutex::default(),
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
        lock(&self.limits).check(
            self.now(world, frame.captured_at()),
            frame.image(),
            prediction,
        )
    }

    /// Enters an event for the best of its window; `None` if there is no such limit.
    pub(super) fn offer(&self, world: &World, event: &Arc<Event>) -> Option<Offer> {
        let best = self.best_of.as_ref()?;
        let now = self.now(world, event.captured_at);
        Some(lock(best).offer(now, event.score, Arc::clone(event)))
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
        lock(&self.limits).take_quota(self.now(world, captured_at))
    }

    /// Number of events that wait for the end of their window.
    pub(super) fn held(&self) -> u64 {
        self.best_of
            .as_ref()
            .map_or(0, |best| lock(best).len() as u64)
    }

    /// What is to be written down, if there is anything and it is time.
    pub(super) fn to_save(&self, world: &World, at_once: bool) -> Option<String> {
        if !self.is_active || self.times == LimitTimes::Frames {
            return None;
        }
        let now = world.clock.monotonic();
        let mut saved = lock(&self.saved);
        if !at_once && saved.is_some_and(|last| now < last + SAVE_EVERY) {
            return None;
        }
        *saved = Some(now);
        Some(lock(&self.limits).remember())
    }
}
