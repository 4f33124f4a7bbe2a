use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::Runner;
use crate::action::{ActionError, ActionErrorKind, Delivery};
use crate::delivery::{Change, Passage};
use crate::event::{Event, EventId};
use crate::queue::{Failure, Job, JournalError};

/// What a worker's look at the queue came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It tried to deliver an event.
    Worked,
    /// There is nothing to do before this time (`None`: before something new happens).
    Wait(Option<Duration>),
}

/// Remembers whether the journal failed last time, so that a full disk is logged once.
#[derive(Debug, Default)]
pub(super) struct JournalHealth(AtomicBool);

impl JournalHealth {
    /// Logs the first of several failures and the first success after them.
    pub(super) fn note<T>(&self, hook: &str, result: Result<T, JournalError>) -> Option<T> {
        match result {
            Ok(value) => {
                if self.0.swap(false, Relaxed) {
                    tracing::info!(hook, "the queue on disk works again");
                }
                Some(value)
            }
            Err(error) => {
                if !self.0.swap(true, Relaxed) {
                    tracing::error!(hook, %error, "the queue on disk failed; trying again");
                }
                None
            }
        }
    }
}

impl Runner {
    /// Delivers the first event that is due, if its sink may be bothered.
    pub(super) fn step(&self) -> Step {
        let now = self.world.clock.monotonic();
        match self.queue.next_due() {
            Some(due) if due <= now => {}
            later => return Step::Wait(later),
        }
        if let Passage::Until(time) = self.breaker.ask(now) {
            return Step::Wait(Some(time));
        }
        let Some(job) = self.queue.take_due(now) else {
            self.breaker.give_back();
            return Step::Wait(self.queue.next_due());
        };
        self.deliver(&job);
        Step::Worked
    }

    fn deliver(&self, job: &Job) {
        let event = match &job.event {
            Ok(event) => event,
            Err(error) => {
                self.breaker.give_back();
                return self.bury(job.id, &format!("cannot be read back: {error}"));
            }
        };
        // Before the delivery: after a crash no limit is exceeded.
        self.save_limits();
        let start = self.world.clock.monotonic();
        match self.attempt(event, job.ambiguous) {
            Ok(()) => self.delivered(event, start, job.attempts),
            Err(error) => self.failed(job, &error),
        }
    }

    fn attempt(&self, event: &Event, is_ambiguous: bool) -> Result<(), ActionError> {
        let attempt = || {
            if is_ambiguous && self.hook.action.is_delivered(event)? == Delivery::Done {
                return Ok(());
            }
            self.hook.action.perform(event)
        };
        catch_unwind(AssertUnwindSafe(attempt))
            .unwrap_or_else(|_| Err(ActionError::permanent("the action panicked")))
    }

    fn delivered(&self, event: &Event, start: Duration, attempts: u32) {
        if self.breaker.succeeded() == Change::Closed {
            tracing::info!(hook = %self.name, sink = self.hook.action.sink(), "sink is back");
        }
        let took = self.world.clock.monotonic().saturating_sub(start);
        self.counters.delivered_in(took);
        self.journal_health
            .note(&self.name, self.queue.delivered(event.id));
        tracing::debug!(hook = %self.name, event = %event.id, attempts, "delivered");
        self.world.observer.delivered(&self.name, event);
    }

    /// Writes down what the limits remember, if it has changed.
    pub(super) fn save_limits(&self) {
        if !self.queue.is_durable() {
            return;
        }
        if let Some(limits) = self.limits.to_save() {
            let noted = self.queue.save_limits(&limits);
            if self.journal_health.note(&self.name, noted).is_none() {
                self.limits.unsaved();
            }
        }
    }

    /// A failure while the breaker is open is one of the sink: the event that was the probe
    /// does not pay for it, however long the sink stays away.
    fn failed(&self, job: &Job, error: &ActionError) {
        if error.kind() == ActionErrorKind::Permanent {
            self.breaker.succeeded();
            return self.bury(job.id, &error.to_string());
        }
        let now = self.world.clock.monotonic();
        let attempts = job.attempts + u32::from(!self.breaker.is_open());
        if let Change::Opened(rest) = self.breaker.failed(now) {
            let sink = self.hook.action.sink();
            tracing::warn!(hook = %self.name, sink, %error, ?rest, "sink keeps failing; resting");
        }
        if attempts >= self.hook.options.retry.max_attempts {
            return self.bury(job.id, &format!("{error} (after {attempts} attempts)"));
        }
        self.retry(job, error, attempts, now);
    }

    fn retry(&self, job: &Job, error: &ActionError, attempts: u32, now: Duration) {
        let asked = error.retry_after();
        let wait = self
            .hook
            .options
            .retry
            .wait(attempts, asked, self.world.random.as_ref());
        if attempts == 1 && job.attempts == 0 {
            tracing::warn!(hook = %self.name, event = %job.id, %error, ?wait, "not delivered yet");
        }
        self.counters.retried.fetch_add(1, Relaxed);
        let is_ambiguous = error.kind() == ActionErrorKind::Ambiguous;
        let text = error.to_string();
        let failure = Failure {
            attempts,
            ambiguous: is_ambiguous,
            error: &text,
        };
        let noted = self.queue.retry(job.id, now + wait, &failure);
        self.journal_health.note(&self.name, noted);
    }

    fn bury(&self, id: EventId, error: &str) {
        tracing::error!(hook = %self.name, event = %id, error, "not delivered; kept as dead letter");
        let noted = self.queue.bury(id, error, self.world.clock.now());
        self.journal_health.note(&self.name, noted);
        self.world.observer.died(&self.name, id, error);
    }
}
