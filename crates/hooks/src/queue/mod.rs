//! The queue between a hook and its action.
//!
//! ```text
//! push -> [staged -> journal] -> ready -> in flight -> delivered
//!            |                     ^          |
//!            +-> dropped           +- retry --+-> dead letter -> requeued or dropped
//! ```
//!
//! One state machine ([`state`]) holds every event and the statistics, in memory; it decides about
//! room, order and policy. For a queue on disk a [`Journal`] repeats its decisions durably:
//! a new event is staged in memory (bounded in bytes) until the journal has written it, and is
//! then loaded back for its delivery.
//!
//! # What happens when there is no room
//!
//! [`Overflow`] says what the user wants, [`SourceKind`] where the images come from, and
//! [`Policy`] what follows: a source that can be read later waits, a live one spills to disk and
//! drops events at the limit of the disk. [`Queue::push`] never waits itself: it says that the
//! queue is full, and the runner waits with the clock that it was given, for as long as
//! [`Queue::progress`] grows or the hooks may stall. The first drop for a reason is told
//! ([`Queue::take_first_drops`]), all are counted.
//!
//! # What is safe
//!
//! Only what the journal has written is *queued*; the rest is *in memory* and is lost with the
//! process. At the end [`Queue::stage_all`] sends everything that is left to the disk, what a
//! hanging worker has as well, and [`Queue::abandon`] drops and names what the disk did not take.
//! Dead letters go to the disk when they die, if there is one.
//!
//! Invariants:
//!
//! - fired = delivered + queued + in memory + dropped + dead, whenever somebody looks, for all
//!   events, for those of this process and for those of earlier ones;
//! - an event is delivered by one worker at a time;
//! - memory holds at most the configured bytes, beyond them one event that is larger than they
//!   are, what workers loaded from the disk (one event each, and some that were only begun,
//!   without their pixels) and the encoded form of events that the disk would not take yet;
//! - what the journal accepted is delivered, dropped by policy or dead-lettered, exactly once,
//!   over any number of crashes; a delivery that a crash cut off is marked as ambiguous.

mod admission;
mod dead;
mod disk;
mod inspect;
mod journal;
mod journal_changes;
mod ledger;
mod options;
mod resumed;
mod state;
#[cfg(test)]
mod tests;
mod usage;
mod window_events;

use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use dead::DeadLetter;
pub(crate) use disk::DiskJournal;
pub use inspect::{QueueFolder, QueuedDetails, QueuedEvent};
pub use journal::JournalError;
pub(crate) use journal::{Failure, Journal};
pub use ledger::Ledger;
pub(crate) use ledger::{Ledgers, Totals};
pub(crate) use options::Policy;
use options::WhenFull;
pub use options::{DropReason, Overflow, QueueOptions, SourceKind, Storage};
pub(crate) use resumed::{Resumed, RowState};
use state::{Entry, State};
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
    /// There is no room, and it should wait for some.
    Full,
}

/// The statistics, and the bytes that wait in memory and on disk.
#[derive(Debug, Default)]
pub(crate) struct QueueStats {
    pub(crate) ledgers: Ledgers,
    pub(crate) memory_bytes: u64,
    pub(crate) disk_bytes: u64,
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
    /// Raised whenever something left the queue.
    pub(crate) space: Signal,
    spooling: Mutex<()>,
    journal: Option<Box<dyn Journal>>,
}

impl Queue {
    /// A queue in memory.
    pub(crate) fn in_memory(options: QueueOptions, source: SourceKind) -> Self {
        let policy = Policy::of(options.overflow, source, false);
        Self::with_state(State::new(options, policy, Totals::default()), None)
    }

    /// A queue with a journal, taking over what the journal held.
    pub(crate) fn with_journal(
        options: QueueOptions,
        source: SourceKind,
        journal: Box<dyn Journal>,
        resumed: Resumed,
    ) -> Self {
        let policy = Policy::of(options.overflow, source, true);
        let mut state = State::new(options, policy, resumed.totals);
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
            state.resume_dead(
                id,
                state::Dead {
                    entry,
                    error: row.error,
                    died_at,
                    is_old: true,
                },
            );
        }
        Self::with_state(state, Some(journal))
    }

    fn with_state(state: State, journal: Option<Box<dyn Journal>>) -> Self {
        Self {
            state: Mutex::new(state),
            work: Signal::default(),
            space: Signal::default(),
            spooling: Mutex::new(()),
            journal,
        }
    }

    /// What the queue has done and holds.
    pub(crate) fn stats(&self) -> QueueStats {
        let state = lock(&self.state);
        QueueStats {
            ledgers: state.ledgers(),
            memory_bytes: state.in_memory().bytes,
            disk_bytes: state.usage()[Tier::Disk].bytes,
        }
    }

    /// Takes an event in if there is room, or applies the overflow policy to it.
    pub(crate) fn push(&self, event: &Arc<Event>, now: Duration) -> Pushed {
        let (id, bytes) = (event.id, event.memory_bytes());
        let mut state = lock(&self.state);
        let tier = match state.admit(bytes) {
            Admission::Enter(tier) => tier,
            Admission::Wait => return Pushed::Full,
            Admission::TurnAway(reason) => {
                state.turn_away(reason);
                return Pushed::Dropped(reason);
            }
        };
        state.insert(id, Entry::new(Arc::clone(event), bytes, tier, now));
        drop(state);
        self.work.raise();
        if tier == Tier::Staged {
            Pushed::Staged
        } else {
            Pushed::Ready
        }
    }

    /// Counts an event that waited for room in vain.
    pub(crate) fn turn_away(&self, reason: DropReason) {
        lock(&self.state).turn_away(reason);
    }

    /// Lets workers know that somebody waits for room, as they may be what holds it; until the
    /// second call that ends it.
    pub(crate) fn waits_for_room(&self, begins: bool) {
        let mut state = lock(&self.state);
        state.waiting = if begins {
            state.waiting + 1
        } else {
            state.waiting.saturating_sub(1)
        };
        drop(state);
        if begins {
            self.work.raise();
        }
    }

    /// A number that grows whenever an event leaves the queue or gets to the disk.
    pub(crate) fn progress(&self) -> u64 {
        lock(&self.state).progress
    }

    /// Reasons for which an event was dropped for the first time, each told once.
    pub(crate) fn take_first_drops(&self) -> Vec<DropReason> {
        lock(&self.state).take_first_drops()
    }

    /// Remembers whether the disk takes what is written to it.
    pub(crate) fn note_disk(&self, fails: bool) {
        let mut state = lock(&self.state);
        let is_changed = std::mem::replace(&mut state.disk_fails, fails) != fails;
        drop(state);
        if is_changed {
            self.space.raise();
        }
    }

    /// Number and bytes of the events that are in memory.
    pub(crate) fn in_memory_now(&self) -> (usize, u64) {
        let room = lock(&self.state).in_memory();
        (room.events, room.bytes)
    }

    /// How many bytes of events may wait.
    pub(crate) fn max_bytes(&self) -> u64 {
        lock(&self.state).options.max_bytes
    }

    /// Whether whoever brings an event waits for room in memory, and nothing goes to the disk.
    pub(crate) fn waits_when_full(&self) -> bool {
        let policy = lock(&self.state).policy;
        !policy.spills && policy.when_full == WhenFull::Wait
    }

    /// Whether new events go to the disk whatever happens.
    pub(crate) fn goes_to_disk(&self) -> bool {
        lock(&self.state).options.storage == Storage::Disk
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
        // Before the lock: a thread that gives way may take long, and others should not wait for it.
        for event in lock(&self.state).staged(BATCH) {
            let _ = event.picture.encoded();
        }
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
        lock(&self.state).next_due().map(|(due, _)| due)
    }

    /// Whether the next event has a large image, so that its delivery takes long.
    pub(crate) fn is_next_large(&self) -> bool {
        lock(&self.state)
            .next_due()
            .is_some_and(|(_, is_large)| is_large)
    }

    /// Since when the oldest event waits that could be delivered or written to the disk.
    pub(crate) fn waits_since(&self) -> Option<Duration> {
        let state = lock(&self.state);
        let ready = state.next_due().map(|(due, _)| due);
        ready.into_iter().chain(state.staged_since()).min()
    }

    /// The event is at its sink.
    pub(crate) fn delivered(&self, id: EventId) -> Result<(), JournalError> {
        let is_durable = lock(&self.state).get(id).is_some_and(|entry| entry.durable);
        let noted = self.note(is_durable, |journal| journal.delivered(id));
        // What got to the disk meanwhile is not noted there as delivered yet.
        lock(&self.state).delivered(id, is_durable && noted.is_ok());
        self.changed();
        noted.and_then(|()| self.settle())
    }

    /// Notes events that are about to be at their sink and that the disk does not know: a crash
    /// between their delivery and the next call of [`Queue::delivered`] should not cost the count.
    pub(crate) fn expect(&self, events: &[Arc<Event>]) -> Result<(), JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let loose: Vec<Arc<Event>> = {
            let mut state = lock(&self.state);
            let is_loose = |event: &Event| state.get(event.id).is_some_and(|one| !one.durable);
            let loose = events.iter().filter(|event| is_loose(event)).cloned();
            let loose: Vec<Arc<Event>> = loose.collect();
            for event in &loose {
                state.expect(event.id);
            }
            loose
        };
        if loose.is_empty() {
            return Ok(());
        }
        journal.expect(&loose)
    }

    /// Counts an event that an earlier process expected at its sink, if it is there.
    pub(crate) fn resolve_expected(&self, id: EventId, is_delivered: bool) {
        lock(&self.state).resolve_expected(id, is_delivered);
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

    /// The event becomes a dead letter, on disk if there is one.
    pub(crate) fn give_up(
        &self,
        id: EventId,
        error: &str,
        at: Timestamp,
    ) -> Result<(), JournalError> {
        let is_durable = lock(&self.state).get(id).is_some_and(|entry| entry.durable);
        let noted = self.note(is_durable, |journal| journal.gave_up(id, error, at));
        lock(&self.state).give_up(id, error.to_owned(), at);
        let noted = noted.and_then(|()| self.keep_dead(id));
        self.changed();
        noted
    }

    /// Writes a dead letter to the disk that is in memory only.
    fn keep_dead(&self, id: EventId) -> Result<(), JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        let loose = lock(&self.state).dead().get(&id).and_then(|dead| {
            let event = dead.entry.payload.clone().filter(|_| !dead.entry.durable)?;
            Some((event, dead.error.clone(), dead.died_at))
        });
        let Some((event, error, died_at)) = loose else {
            return Ok(());
        };
        let sizes = journal.append(&[event], None)?;
        let bytes = sizes.first().copied().unwrap_or_default();
        lock(&self.state).dead_is_durable(id, bytes);
        journal.gave_up(id, &error, died_at)
    }

    /// Sends everything to the disk that is in memory only, also what a worker has; the next
    /// calls of [`Queue::spool`] write it.
    pub(crate) fn stage_all(&self) -> Result<(), JournalError> {
        if self.journal.is_none() {
            return Ok(());
        }
        let dead = {
            let mut state = lock(&self.state);
            state.stage_all();
            state.dead_in_memory()
        };
        dead.into_iter().try_for_each(|id| self.keep_dead(id))
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
        self.space.raise();
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

    /// Gives up what is in memory only, at the end; returns the names of the images.
    ///
    /// What a hanging worker has is lost as well: nobody will hear of its end.
    pub(crate) fn abandon(&self) -> Vec<Arc<str>> {
        let mut state = lock(&self.state);
        let loose = state.entries().filter(|(_, entry)| !entry.durable);
        let loose: Vec<(EventId, Option<Arc<str>>)> = loose
            .map(|(id, entry)| (id, entry.payload.as_ref().map(|e| Arc::clone(&e.name))))
            .collect();
        for (id, _) in &loose {
            state.drop_event(*id, DropReason::Closed);
        }
        drop(state);
        self.changed();
        loose.into_iter().filter_map(|(_, name)| name).collect()
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
