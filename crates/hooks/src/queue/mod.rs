//! The queue between a hook and its action.
//!
//! ```text
//! push -> [staged -> journal] -> ready -> in flight -> delivered
//!            |                     ^          |
//!            +-> dropped           +- retry --+-> dead letter -> revived or dropped
//! ```
//!
//! One state machine ([`state`]) holds every event and the books, in memory; it decides about
//! room, order and policy. For a queue on disk a [`Journal`] repeats its decisions durably:
//! a new event is staged in memory (bounded in bytes) until the journal has written it, and is
//! then loaded back for its delivery. Invariants:
//!
//! - fired = delivered + queued + dropped + dead, whenever somebody looks;
//! - an event is delivered by one worker at a time;
//! - memory holds at most the configured bytes, beyond them what workers loaded from the disk
//!   (one event each, and some that were only begun, without their pixels) and the encoded form
//!   of events that the disk would not take yet;
//! - what the journal accepted is delivered, dropped by policy or dead-lettered, exactly once,
//!   over any number of crashes; a delivery that a crash cut off is marked as ambiguous.

mod admission;
mod chores;
mod dead;
mod disk;
mod held;
mod inspect;
mod journal;
mod ledger;
mod options;
mod resumed;
mod state;
#[cfg(test)]
mod tests;
mod usage;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use dead::DeadLetter;
pub(crate) use disk::DiskJournal;
pub use inspect::{QueueFolder, QueuedDetails, QueuedEvent};
pub use journal::JournalError;
pub(crate) use journal::{Failure, Journal};
pub use ledger::Ledger;
pub(crate) use ledger::Totals;
pub use options::{DropReason, Overflow, QueueOptions, Storage};
pub(crate) use resumed::{Resumed, RowState};
use state::{Entry, Phase, State};
use straylight_core::Timestamp;

use self::admission::Admission;
use self::usage::Tier;
use crate::clock::{Signal, lock};
use crate::event::{Event, EventId};

/// Events that one call of the journal writes at most.
const BATCH: usize = 32;

/// What became of an event that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits in memory.
    Ready,
    /// It waits to be written to the disk.
    Staged,
    /// It was given up.
    Dropped(DropReason),
}

/// An event that a worker delivers.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: EventId,
    pub(crate) event: Result<Arc<Event>, JournalError>,
    pub(crate) attempts: u32,
    pub(crate) ambiguous: bool,
}

/// Several threads' access to one queue.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Raised whenever there is something to do for a worker or for the spooler.
    pub(crate) work: Signal,
    space: Condvar,
    spooling: Mutex<()>,
    journal: Option<Box<dyn Journal>>,
}

impl Queue {
    /// A queue in memory.
    pub(crate) fn in_memory(options: QueueOptions) -> Self {
        Self::with_state(State::new(options, Totals::default()), None)
    }

    /// A queue with a journal, taking over what the journal held.
    pub(crate) fn with_journal(
        options: QueueOptions,
        journal: Box<dyn Journal>,
        resumed: Resumed,
    ) -> Self {
        let mut state = State::new(options, resumed.totals);
        for id in resumed.held {
            state.hold(id);
        }
        for id in resumed.finished {
            state.finish(id);
        }
        for (id, row) in resumed.waiting {
            state.insert(id, row.entry());
        }
        for (id, row, died_at) in resumed.dead {
            let entry = row.entry();
            state.insert_dead(
                id,
                state::Dead {
                    entry,
                    error: row.error,
                    died_at,
                },
            );
        }
        Self::with_state(state, Some(journal))
    }

    fn with_state(state: State, journal: Option<Box<dyn Journal>>) -> Self {
        Self {
            state: Mutex::new(state),
            work: Signal::default(),
            space: Condvar::new(),
            spooling: Mutex::new(()),
            journal,
        }
    }

    /// The books, and the bytes that wait in memory and on disk.
    pub(crate) fn books(&self) -> (Ledger, u64, u64) {
        let state = lock(&self.state);
        let usage = state.usage();
        let memory = usage[Tier::Memory].bytes + usage[Tier::Staged].bytes;
        (state.ledger(), memory, usage[Tier::Disk].bytes)
    }

    /// Takes an event in, or applies the overflow policy to it.
    pub(crate) fn push(&self, event: Arc<Event>, now: Duration) -> Pushed {
        let (id, bytes) = (event.id, event.memory_bytes());
        let mut state = lock(&self.state);
        let tier = loop {
            match state.admit(bytes) {
                Admission::Enter(tier) => break tier,
                Admission::Wait => state = self.wait_for_room(state),
                Admission::TurnAway(reason) => {
                    state.turn_away(reason);
                    return Pushed::Dropped(reason);
                }
            }
        };
        state.insert(id, Entry::new(event, bytes, tier, now));
        drop(state);
        self.work.raise();
        if tier == Tier::Staged {
            Pushed::Staged
        } else {
            Pushed::Ready
        }
    }

    /// Waits until something left the queue; workers hear of it, as they may be what holds it.
    fn wait_for_room<'s>(&'s self, mut state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        state.waiting += 1;
        self.work.raise();
        let waited = self.space.wait(state);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    /// Whether somebody waits for room, or will soon.
    pub(crate) fn is_pressed(&self) -> bool {
        lock(&self.state).is_pressed()
    }

    /// Writes staged events to the journal, with what the limits remember of them; returns how
    /// many of them left the stage.
    ///
    /// An error leaves them staged. An event that cannot be encoded is dropped.
    pub(crate) fn spool(
        &self,
        now: Duration,
        limits: impl Fn() -> Option<String>,
        accepted: impl Fn(EventId),
    ) -> Result<usize, JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(0);
        };
        let _one_at_a_time = lock(&self.spooling);
        self.tend(journal.as_ref())?;
        let mut batch = lock(&self.state).staged(BATCH);
        if batch.is_empty() {
            return Ok(0);
        }
        // Read after the batch was chosen: so it holds at least what these events used up.
        let limits = limits();
        let mut written = journal.append(&batch, limits.as_deref());
        if batch.len() > 1 && written.is_err() {
            // Where there is no room for all, there may be for one.
            batch.truncate(1);
            written = journal.append(&batch, limits.as_deref());
        }
        match written {
            Ok(sizes) => self.spooled(&batch, &sizes, now),
            Err(JournalError::Picture { id, source }) => {
                tracing::error!(event = %id, error = %source, "event dropped");
                lock(&self.state).drop_event(id, DropReason::Unencodable);
                self.changed();
                return Ok(1);
            }
            Err(error) => return Err(error),
        }
        for event in &batch {
            accepted(event.id);
        }
        Ok(batch.len())
    }

    fn spooled(&self, batch: &[Arc<Event>], sizes: &[u64], now: Duration) {
        let mut state = lock(&self.state);
        for (event, bytes) in batch.iter().zip(sizes) {
            state.spooled(event.id, *bytes, now);
        }
        drop(state);
        self.changed();
    }

    /// Tells the journal about events that were given up.
    fn tend(&self, journal: &dyn Journal) -> Result<(), JournalError> {
        let (forgotten, unsaved) = lock(&self.state).take_chores();
        if forgotten.is_empty() && unsaved.is_zero() {
            return Ok(());
        }
        let result = journal.tend(&forgotten, &unsaved);
        if result.is_err() {
            lock(&self.state).give_back_chores(forgotten, &unsaved);
        }
        result
    }

    /// The first event that is due, now in the hands of the caller.
    pub(crate) fn take_due(&self, now: Duration) -> Option<Job> {
        let (id, entry) = lock(&self.state).take_due(now)?;
        let event = match (entry.payload, &self.journal) {
            (Some(event), _) => Ok(event),
            (None, Some(journal)) => journal.load(id).map(Arc::new),
            (None, None) => Err(lost(id)),
        };
        Some(Job {
            id,
            event,
            attempts: entry.attempts,
            ambiguous: entry.ambiguous,
        })
    }

    /// Keeps an event that is being delivered in this form from now on, if it is kept in memory.
    pub(crate) fn keep_as(&self, event: Arc<Event>) {
        let is_changed = lock(&self.state).keep_as(event);
        if is_changed {
            self.changed();
        }
    }

    /// When the next event is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        lock(&self.state).next_due()
    }

    /// The event is at its sink.
    pub(crate) fn delivered(&self, id: EventId) -> Result<(), JournalError> {
        let is_durable = lock(&self.state).get(id).is_some_and(|entry| entry.durable);
        let noted = self.note(is_durable, |journal| journal.delivered(id));
        lock(&self.state).delivered(id, noted.is_ok());
        self.changed();
        noted.and_then(|()| self.settle())
    }

    /// The event goes back to be tried again at `due`.
    pub(crate) fn retry(
        &self,
        id: EventId,
        due: Duration,
        failure: &Failure<'_>,
    ) -> Result<(), JournalError> {
        let mut state = lock(&self.state);
        let is_durable = state.get(id).is_some_and(|entry| entry.durable);
        state.retry(id, due, failure.attempts, failure.ambiguous);
        drop(state);
        self.changed();
        self.note(is_durable, |journal| journal.failed(id, failure))
    }

    /// The event becomes a dead letter.
    pub(crate) fn bury(&self, id: EventId, error: &str, at: Timestamp) -> Result<(), JournalError> {
        let is_durable = lock(&self.state).get(id).is_some_and(|entry| entry.durable);
        let noted = self.note(is_durable, |journal| journal.buried(id, error, at));
        lock(&self.state).bury(id, error.to_owned(), at);
        self.changed();
        noted
    }

    fn note(
        &self,
        is_durable: bool,
        note: impl FnOnce(&dyn Journal) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        match &self.journal {
            Some(journal) if is_durable => note(journal.as_ref()),
            _ => Ok(()),
        }
    }

    fn changed(&self) {
        self.space.notify_all();
        self.work.raise();
    }

    /// Writes down what the limits remember, if there is a journal.
    pub(crate) fn save_limits(&self, limits: &str) -> Result<(), JournalError> {
        self.journal
            .as_ref()
            .map_or(Ok(()), |journal| journal.save_limits(limits))
    }

    /// Tells the journal what it does not know yet.
    pub(crate) fn settle(&self) -> Result<(), JournalError> {
        self.journal
            .as_ref()
            .map_or(Ok(()), |journal| self.tend(journal.as_ref()))
    }

    /// Takes no more events; those who wait for room are turned away.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed();
    }

    /// Gives up what waits in memory and cannot be kept; returns how many events that were.
    ///
    /// What is in flight is in the hands of a worker that hangs, except for those `begun` events
    /// that nobody is finishing.
    pub(crate) fn abandon(&self, begun: &[EventId]) -> usize {
        let mut state = lock(&self.state);
        let is_held = |id, entry: &Entry| entry.phase == Phase::InFlight && !begun.contains(&id);
        let ids: Vec<EventId> = state
            .entries()
            .filter(|(id, entry)| !entry.durable && !is_held(*id, entry))
            .map(|(id, _)| id)
            .collect();
        for id in &ids {
            state.drop_event(*id, DropReason::Closed);
        }
        drop(state);
        self.changed();
        ids.len()
    }

    /// Whether there is a journal.
    pub(crate) fn is_durable(&self) -> bool {
        self.journal.is_some()
    }

    /// Whether nothing waits and nothing is being delivered.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.state).usage().total().events == 0
    }
}

fn lost(id: EventId) -> JournalError {
    let message = format!("event {id} is in neither memory nor a journal");
    JournalError::Database {
        path: std::path::PathBuf::new(),
        message,
    }
}
