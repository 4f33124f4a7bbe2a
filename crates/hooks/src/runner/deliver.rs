use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use super::Runner;
use super::threads::Priority;
use super::unfinished::{Attempt, BegunAttempt, Round};
use crate::action::{ActionError, ActionErrorKind, Begun, Delivery, DeliveryProgress};
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
    /// Begins what is due first, if its sink may be bothered, or else finishes what was begun.
    pub(super) fn step(&self, priority: Priority) -> Step {
        let now = self.world.clock.monotonic();
        if self.is_for_others(priority) || !self.has_work(now) {
            return Step::Wait(self.queue.next_due().filter(|due| *due > now));
        }
        let Some(_slot) = self.threads.slot(self.hook.options.max_threads) else {
            return Step::Wait(None);
        };
        match self.begin_next() {
            Step::Worked => Step::Worked,
            Step::Wait(next) => self.finish_some(next),
        }
    }

    fn has_work(&self, now: Duration) -> bool {
        self.unfinished.since().is_some() || self.queue.next_due().is_some_and(|due| due <= now)
    }

    fn begin_next(&self) -> Step {
        if self.unfinished.is_full() {
            return Step::Wait(None);
        }
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
        self.begin(job, now);
        Step::Worked
    }

    /// Whether workers of normal priority do the work now, or should.
    fn is_for_others(&self, priority: Priority) -> bool {
        let is_hurried = || self.threads.hurrying.load(SeqCst) > 0 || self.queue.is_next_large();
        priority == Priority::GivesWay && is_hurried()
    }

    fn begin(&self, job: Job, now: Duration) {
        // Before the delivery: after a crash no limit is exceeded.
        self.save_limits();
        let event = match job.event {
            Ok(event) => event,
            Err(error) => {
                self.breaker.give_back();
                return self.give_up(job.id, &format!("cannot be read back: {error}"));
            }
        };
        let progress = self.attempt(&event, job.ambiguous);
        let mut attempt = Attempt {
            event,
            failed: job.attempts,
            since: now,
        };
        match progress {
            Ok(DeliveryProgress::Delivered) => self.ended(&attempt, Ok(())),
            Err(error) => self.ended(&attempt, Err(error)),
            Ok(DeliveryProgress::Begun(begun)) => {
                self.let_go_of_pixels(&mut attempt.event);
                self.unfinished.push(attempt, begun);
            }
        }
    }

    fn attempt(&self, event: &Event, is_ambiguous: bool) -> Result<DeliveryProgress, ActionError> {
        let attempt = || {
            if is_ambiguous && self.hook.action.is_delivered(event)? == Delivery::Done {
                return Ok(DeliveryProgress::Delivered);
            }
            self.hook.action.begin(event)
        };
        catch_unwind(AssertUnwindSafe(attempt))
            .unwrap_or_else(|_| Err(ActionError::permanent("the action panicked")))
    }

    /// What waits for its end, for another attempt or for a person should not be large.
    fn let_go_of_pixels(&self, event: &mut Arc<Event>) {
        if let Some(small) = event.without_pixels() {
            *event = Arc::new(small);
            self.queue.keep_as(Arc::clone(event));
        }
    }

    /// Finishes the deliveries that were begun, if it is time; otherwise there is nothing to do
    /// before `next`.
    pub(super) fn finish_some(&self, next: Option<Duration>) -> Step {
        let now = self.world.clock.monotonic();
        match self.unfinished.round(now, self.is_in_a_hurry()) {
            Round::Nothing => Step::Wait(next),
            Round::Later(time) => Step::Wait(Some(next.map_or(time, |next| next.min(time)))),
            Round::Now(turn) => {
                // There is room for more now, for which other threads may wait.
                self.queue.work.raise();
                let events = turn
                    .attempts
                    .iter()
                    .map(|one| Arc::clone(&one.attempt.event));
                let noted = self.queue.expect(&events.collect::<Vec<_>>());
                self.journal_health.note(&self.name, noted);
                let begun: Vec<&Begun> = turn.attempts.iter().map(|one| &one.begun).collect();
                let results = self.finish(&begun);
                for (BegunAttempt { attempt, .. }, result) in turn.attempts.iter().zip(results) {
                    self.ended(attempt, result);
                }
                Step::Worked
            }
        }
    }

    /// A result for each; if the action panics, each event is finished alone, so that none suffers
    /// for another.
    fn finish(&self, begun: &[&Begun]) -> Vec<Result<(), ActionError>> {
        let all = || self.hook.action.finish(begun);
        match catch_unwind(AssertUnwindSafe(all)) {
            Ok(results) => self.one_for_each(begun.len(), results),
            Err(_) if begun.len() > 1 => begun.iter().flat_map(|one| self.finish(&[one])).collect(),
            Err(_) => vec![Err(ActionError::ambiguous("the action panicked"))],
        }
    }

    fn one_for_each(
        &self,
        events: usize,
        mut results: Vec<Result<(), ActionError>>,
    ) -> Vec<Result<(), ActionError>> {
        let said = results.len();
        if events != said {
            let action = self.hook.action.name();
            tracing::error!(hook = %self.name, action, events, said, "not a result for each event");
        }
        let missing = || {
            Err(ActionError::ambiguous(
                "the action said nothing about the event",
            ))
        };
        results.resize_with(events, missing);
        results
    }

    fn ended(&self, attempt: &Attempt, result: Result<(), ActionError>) {
        match result {
            Ok(()) => self.delivered(attempt),
            Err(error) => self.failed(attempt, &error),
        }
    }

    fn delivered(&self, attempt: &Attempt) {
        let event = &attempt.event;
        let now = self.world.clock.monotonic();
        if self.breaker.succeeded(now) == Change::Closed {
            tracing::info!(hook = %self.name, sink = self.hook.action.sink(), "sink is back");
        }
        let took = now.saturating_sub(attempt.since);
        self.counters.delivered_in(took);
        self.journal_health
            .note(&self.name, self.queue.delivered(event.id));
        tracing::debug!(hook = %self.name, event = %event.id, attempts = attempt.failed, "delivered");
        self.world.observer.delivered(&self.name, event);
    }

    /// Writes down what the limits remember, if it has changed.
    pub(super) fn save_limits(&self) {
        if !self.queue.is_durable() {
            return;
        }
        if let Some(limits) = self.judge().limits.to_save() {
            let noted = self.queue.save_limits(&limits);
            if self.journal_health.note(&self.name, noted).is_none() {
                self.judge().limits.unsaved();
            }
        }
    }

    /// A failure while the breaker is open is one of the sink, and so is the wish for a rest: the
    /// event that met it does not pay for it, however long the sink stays away.
    fn failed(&self, attempt: &Attempt, error: &ActionError) {
        let now = self.world.clock.monotonic();
        let id = attempt.event.id;
        self.let_go_of_pixels(&mut Arc::clone(&attempt.event));
        if error.kind() == ActionErrorKind::Permanent {
            self.breaker.succeeded(now);
            return self.give_up(id, &error.to_string());
        }
        let asked = error.retry_after().filter(|rest| !rest.is_zero());
        let attempts = attempt.failed + u32::from(asked.is_none() && !self.breaker.is_open());
        if let Change::Opened(rest) = self.breaker.failed(now, asked) {
            let sink = self.hook.action.sink();
            tracing::warn!(hook = %self.name, sink, %error, ?rest, "sink fails; resting");
        }
        if attempts >= self.hook.options.retry.max_attempts {
            return self.give_up(id, &format!("{error} (after {attempts} attempts)"));
        }
        self.retry(attempt, error, attempts, now);
    }

    fn retry(&self, attempt: &Attempt, error: &ActionError, attempts: u32, now: Duration) {
        let id = attempt.event.id;
        let asked = error.retry_after();
        let wait = self
            .hook
            .options
            .retry
            .wait(attempts, asked, self.world.random.as_ref());
        if attempts == 1 && attempt.failed == 0 {
            tracing::warn!(hook = %self.name, event = %id, %error, ?wait, "not delivered yet");
        }
        self.counters.retried.fetch_add(1, Relaxed);
        let is_ambiguous = error.kind() == ActionErrorKind::Ambiguous;
        let text = error.to_string();
        let failure = Failure {
            attempts,
            ambiguous: is_ambiguous,
            error: &text,
        };
        let noted = self.queue.retry(id, now + wait, &failure);
        self.journal_health.note(&self.name, noted);
    }

    fn give_up(&self, id: EventId, error: &str) {
        tracing::error!(hook = %self.name, event = %id, error, "not delivered; kept as dead letter");
        let noted = self.queue.give_up(id, error, self.world.clock.now());
        self.journal_health.note(&self.name, noted);
        self.tell_of_drops();
        self.world.observer.died(&self.name, id, error);
    }
}
