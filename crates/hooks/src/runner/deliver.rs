use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
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
    /// It tried to deliver something.
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
    /// Delivers what is due first, if its sink may be bothered.
    pub(super) fn step(&self) -> Step {
        let now = self.world.clock.monotonic();
        match self.queue.next_due() {
            Some(due) if due <= now => {}
            later => return Step::Wait(later),
        }
        if let Passage::Until(time) = self.breaker.ask(now) {
            return Step::Wait(Some(time));
        }
        let share = self.share();
        let jobs: Vec<Job> = iter::from_fn(|| self.queue.take_due(now))
            .take(share)
            .collect();
        if jobs.is_empty() {
            self.breaker.give_back();
            return Step::Wait(self.queue.next_due());
        }
        self.deliver(jobs);
        Step::Worked
    }

    /// How many events a worker takes at once: its part of what waits, as far as the action
    /// gains from it. A sink that fails is tried with one.
    fn share(&self) -> usize {
        if self.breaker.is_open() {
            return 1;
        }
        let workers = self.hook.options.max_threads.max(1);
        let part = self.queue.ready().div_ceil(workers);
        part.min(self.hook.action.batch_size()).max(1)
    }

    fn deliver(&self, jobs: Vec<Job>) {
        // Before the delivery: after a crash no limit is exceeded.
        self.save_limits();
        let start = self.world.clock.monotonic();
        let mut plain = Vec::with_capacity(jobs.len());
        for job in jobs {
            match &job.event {
                Ok(event) if job.ambiguous => {
                    let result = self.attempt(event, true);
                    self.ended(&job, event, start, result);
                }
                Ok(event) => plain.push((Arc::clone(event), job)),
                Err(error) => {
                    self.breaker.give_back();
                    self.bury(job.id, &format!("cannot be read back: {error}"));
                }
            }
        }
        let events: Vec<&Event> = plain.iter().map(|(event, _)| &**event).collect();
        let results = self.attempt_all(&events);
        for ((event, job), result) in plain.iter().zip(results) {
            self.ended(job, event, start, result);
        }
    }

    fn ended(&self, job: &Job, event: &Event, start: Duration, result: Result<(), ActionError>) {
        match result {
            Ok(()) => self.delivered(event, start, job.attempts),
            Err(error) => self.failed(job, &error),
        }
    }

    /// If an action panics over several events, each is tried by itself to find the one.
    fn attempt_all(&self, events: &[&Event]) -> Vec<Result<(), ActionError>> {
        if events.len() > 1 {
            let all = || self.hook.action.perform_all(events);
            match catch_unwind(AssertUnwindSafe(all)) {
                Ok(results) if results.len() == events.len() => return results,
                _ => tracing::warn!(hook = %self.name, "the action failed over several events"),
            }
        }
        let each = events.iter().map(|event| self.attempt(event, false));
        each.collect()
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
        let now = self.world.clock.monotonic();
        if self.breaker.succeeded(now) == Change::Closed {
            tracing::info!(hook = %self.name, sink = self.hook.action.sink(), "sink is back");
        }
        let took = now.saturating_sub(start);
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

    /// A failure while the breaker is open is one of the sink, and so is the wish for a rest: the
    /// event that met it does not pay for it, however long the sink stays away.
    fn failed(&self, job: &Job, error: &ActionError) {
        let now = self.world.clock.monotonic();
        if error.kind() == ActionErrorKind::Permanent {
            self.breaker.succeeded(now);
            return self.bury(job.id, &error.to_string());
        }
        let asked = error.retry_after().filter(|rest| !rest.is_zero());
        let attempts = job.attempts + u32::from(asked.is_none() && !self.breaker.is_open());
        if let Change::Opened(rest) = self.breaker.failed(now, asked) {
            let sink = self.hook.action.sink();
            tracing::warn!(hook = %self.name, sink, %error, ?rest, "sink fails; resting");
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
