//! The queue as a plain value: which events there are, where, and what becomes of them.
//!
//! It knows no clock, no lock, no disk and no payload but an `Arc`; the module above drives it
//! under a mutex. An event is `Staged` (in memory, on its way to the disk), `Ready` (may be
//! delivered once it is due) or `InFlight` (a worker has it). It leaves delivered, dropped or
//! as a dead letter; a dead letter may wait again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use straylight_core::Timestamp;

use super::journal_changes::{Fate, Forgotten};
use super::ledger::{Ledgers, Totals};
use super::options::Policy;
use super::usage::{Room, Tier, Usage};
use super::{DropReason, Ledger, QueueOptions};
use crate::event::{Event, EventId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Staged,
    Ready,
    InFlight,
}

/// An event that waits or is being delivered.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Entry {
    pub(super) phase: Phase,
    /// Bytes in memory until the event is durable, then bytes on disk.
    pub(super) bytes: u64,
    /// The event, unless it is on disk only.
    pub(super) payload: Option<Arc<Event>>,
    /// Whether the event is in the journal.
    pub(super) durable: bool,
    /// When it may be delivered, in monotonic time.
    pub(super) due: Duration,
    pub(super) attempts: u32,
    /// Whether an earlier delivery may have succeeded.
    pub(super) ambiguous: bool,
    /// Whether an earlier process left it.
    pub(super) is_earlier: bool,
    /// Whether its delivery takes long, as its image is large.
    pub(super) is_large: bool,
}

impl Entry {
    /// A new event that enters this tier.
    pub(super) fn new(event: Arc<Event>, bytes: u64, tier: Tier, now: Duration) -> Self {
        let is_staged = tier == Tier::Staged;
        let is_large = event.is_large();
        Self {
            phase: if is_staged {
                Phase::Staged
            } else {
                Phase::Ready
            },
            bytes,
            payload: Some(event),
            durable: false,
            due: now,
            attempts: 0,
            ambiguous: false,
            is_earlier: false,
            is_large,
        }
    }

    fn tier(&self) -> Tier {
        match (self.durable, self.phase) {
            (true, _) => Tier::Disk,
            (false, Phase::Staged) => Tier::Staged,
            (false, _) => Tier::Memory,
        }
    }
}

/// An event that could not be delivered.
#[derive(Debug, Clone)]
pub(super) struct Dead {
    pub(super) entry: Entry,
    pub(super) error: String,
    pub(super) died_at: Timestamp,
    /// Whether it was one when this process began.
    pub(super) is_old: bool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) options: QueueOptions,
    pub(super) policy: Policy,
    entries: BTreeMap<EventId, Entry>,
    ready: BTreeSet<(Duration, EventId)>,
    staged: VecDeque<EventId>,
    dead: BTreeMap<EventId, Dead>,
    usage: Usage,
    pub(super) totals: Totals,
    /// The events that fired in this process.
    run: Totals,
    /// The events that earlier processes left.
    earlier: Totals,
    dead_bytes: u64,
    /// Events that the journal keeps for the end of their window.
    pub(super) held: BTreeSet<EventId>,
    /// Events in memory that the journal expects at their sink.
    pub(super) expected: BTreeSet<EventId>,
    /// Rows that the journal still holds and must remove.
    pub(super) forgotten: Vec<Forgotten>,
    /// The lives of events that ended without ever being in the journal.
    pub(super) unsaved: Totals,
    /// Threads that wait for room.
    pub(super) waiting: usize,
    pub(super) closed: bool,
    /// Whether the disk refused what was written to it last.
    pub(super) disk_fails: bool,
    /// Grows whenever an event leaves the queue or gets to the disk.
    pub(super) progress: u64,
    /// Reasons for which an event was dropped and nobody was told yet.
    to_tell: Vec<DropReason>,
    told: BTreeSet<DropReason>,
}

impl State {
    pub(super) fn new(options: QueueOptions, policy: Policy, totals: Totals) -> Self {
        Self {
            options,
            policy,
            entries: BTreeMap::new(),
            ready: BTreeSet::new(),
            staged: VecDeque::new(),
            dead: BTreeMap::new(),
            dead_bytes: 0,
            usage: Usage::default(),
            totals,
            run: Totals::default(),
            earlier: Totals::default(),
            held: BTreeSet::new(),
            expected: BTreeSet::new(),
            forgotten: Vec::new(),
            unsaved: Totals::default(),
            waiting: 0,
            closed: false,
            disk_fails: false,
            progress: 0,
            to_tell: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// The statistics; what waits and what is dead is counted, not remembered.
    pub(super) fn ledgers(&self) -> Ledgers {
        let mut ledgers = Ledgers {
            total: Ledger::of(&self.totals),
            run: Ledger::of(&self.run),
            earlier: Ledger::of(&self.earlier),
            died: 0,
        };
        for entry in self.entries.values() {
            ledgers.total.count_waiting(entry.durable);
            ledgers.part(entry.is_earlier).count_waiting(entry.durable);
        }
        for dead in self.dead.values() {
            ledgers.total.dead += 1;
            ledgers.part(dead.entry.is_earlier).dead += 1;
            ledgers.died += u64::from(!dead.is_old);
        }
        ledgers
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn get(&self, id: EventId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (EventId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    pub(super) fn dead(&self) -> &BTreeMap<EventId, Dead> {
        &self.dead
    }

    /// Takes in an event that fired, in this process or an earlier one.
    pub(super) fn insert(&mut self, id: EventId, entry: Entry) {
        if entry.is_earlier {
            self.earlier.fired += 1;
        } else {
            self.totals.fired += 1;
            self.run.fired += 1;
        }
        if entry.phase == Phase::Staged {
            self.staged.push_back(id);
        }
        self.put(id, entry);
    }

    /// Counts an event that found no room.
    pub(super) fn turn_away(&mut self, reason: DropReason) {
        for totals in [&mut self.totals, &mut self.unsaved, &mut self.run] {
            totals.fired += 1;
            totals.drop_one(reason);
        }
        self.tell_of(reason);
    }

    /// Remembers the first drop for a reason, so that somebody says it.
    fn tell_of(&mut self, reason: DropReason) {
        let is_known = matches!(reason, DropReason::Discarded | DropReason::Closed);
        if !is_known && self.told.insert(reason) {
            self.to_tell.push(reason);
        }
    }

    /// The reasons for which an event was dropped for the first time since somebody asked.
    pub(super) fn take_first_drops(&mut self) -> Vec<DropReason> {
        std::mem::take(&mut self.to_tell)
    }

    /// The numbers that an event counts in.
    fn totals_of(&mut self, is_earlier: bool) -> [&mut Totals; 2] {
        let part = if is_earlier {
            &mut self.earlier
        } else {
            &mut self.run
        };
        [&mut self.totals, part]
    }

    /// Takes in a dead letter of the journal.
    pub(super) fn resume_dead(&mut self, id: EventId, dead: Dead) {
        self.earlier.fired += 1;
        self.insert_dead(id, dead);
    }

    fn insert_dead(&mut self, id: EventId, dead: Dead) {
        self.dead_bytes += dead.entry.bytes;
        self.dead.insert(id, dead);
    }

    fn put(&mut self, id: EventId, entry: Entry) {
        self.usage[entry.tier()].add(entry.bytes);
        if entry.phase == Phase::Ready {
            self.ready.insert((entry.due, id));
        }
        self.entries.insert(id, entry);
    }

    fn take(&mut self, id: EventId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.usage[entry.tier()].subtract(entry.bytes);
        self.ready.remove(&(entry.due, id));
        Some(entry)
    }

    fn change(&mut self, id: EventId, change: impl FnOnce(&mut Entry)) -> Option<()> {
        let mut entry = self.take(id)?;
        change(&mut entry);
        self.put(id, entry);
        Some(())
    }

    /// Gives the first event that is due to a worker.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<(EventId, Entry)> {
        let (due, id) = *self.ready.first()?;
        if due > now {
            return None;
        }
        self.change(id, |entry| entry.phase = Phase::InFlight)?;
        Some((id, self.entries.get(&id)?.clone()))
    }

    /// Keeps an event in another form, which may take less room; says whether it is in memory.
    pub(super) fn keep_as(&mut self, event: Arc<Event>) -> bool {
        let in_memory = |entry: &Entry| entry.payload.is_some();
        if !self.entries.get(&event.id).is_some_and(in_memory) {
            return false;
        }
        let changed = self.change(event.id, |entry| {
            entry.bytes = event.memory_bytes();
            entry.payload = Some(event);
        });
        changed.is_some()
    }

    /// When the next event is due, and whether its delivery takes long.
    pub(super) fn next_due(&self) -> Option<(Duration, bool)> {
        let (due, id) = self.ready.first()?;
        Some((*due, self.entries.get(id)?.is_large))
    }

    /// Since when the disk has owed the oldest event that waits to be written.
    pub(super) fn staged_since(&self) -> Option<Duration> {
        let oldest = self.staged.iter().find_map(|id| self.entries.get(id));
        oldest.map(|entry| entry.due)
    }

    /// Number and bytes of the events that are in memory.
    pub(super) fn in_memory(&self) -> Room {
        let (memory, staged) = (self.usage[Tier::Memory], self.usage[Tier::Staged]);
        Room {
            events: memory.events + staged.events,
            bytes: memory.bytes + staged.bytes,
        }
    }

    /// Sends all that is in memory only to the disk, also what a worker has.
    pub(super) fn stage_all(&mut self) {
        let is_loose = |entry: &Entry| !entry.durable && entry.phase != Phase::Staged;
        let loose = self.entries.iter().filter(|(_, entry)| is_loose(entry));
        let ids: Vec<EventId> = loose.map(|(id, _)| *id).collect();
        for id in ids {
            self.change(id, |entry| {
                if entry.phase == Phase::Ready {
                    entry.phase = Phase::Staged;
                }
            });
            self.staged.push_back(id);
        }
    }

    /// The dead letters that are in memory only.
    pub(super) fn dead_in_memory(&self) -> Vec<EventId> {
        let loose = self.dead.iter().filter(|(_, dead)| !dead.entry.durable);
        loose.map(|(id, _)| *id).collect()
    }

    /// A dead letter is on disk now; its row was counted as fired there.
    pub(super) fn dead_is_durable(&mut self, id: EventId, bytes_on_disk: u64) {
        if let Some(mut dead) = self.take_dead(id) {
            dead.entry.durable = true;
            dead.entry.payload = None;
            dead.entry.bytes = bytes_on_disk;
            self.insert_dead(id, dead);
        }
    }

    /// The events that wait to be written to the disk, oldest first.
    pub(super) fn staged(&self, at_most: usize) -> Vec<Arc<Event>> {
        let events = self
            .staged
            .iter()
            .filter_map(|id| self.entries.get(id)?.payload.clone());
        events.take(at_most).collect()
    }

    /// A staged event is on the disk now; its row was counted as fired there.
    pub(super) fn spooled(&mut self, id: EventId, bytes_on_disk: u64, now: Duration) {
        self.unstage(id);
        self.held.remove(&id);
        self.progress += 1;
        let changed = self.change(id, |entry| {
            if entry.phase == Phase::Staged {
                entry.phase = Phase::Ready;
                entry.due = now;
            }
            entry.durable = true;
            entry.payload = None;
            entry.bytes = bytes_on_disk;
        });
        if changed.is_none() {
            // It was dropped while it was being written: the row must go again.
            self.forgotten.push(Forgotten {
                id,
                fate: Fate::Undone,
            });
        }
    }

    fn unstage(&mut self, id: EventId) {
        if self.staged.front() == Some(&id) {
            self.staged.pop_front();
        } else {
            self.staged.retain(|staged| *staged != id);
        }
    }

    /// The event is at its sink; `noted` says whether the journal knows it.
    pub(super) fn delivered(&mut self, id: EventId, noted: bool) {
        let Some(entry) = self.take(id) else { return };
        self.progress += 1;
        for totals in self.totals_of(entry.is_earlier) {
            totals.delivered += 1;
        }
        if !entry.durable {
            self.unsaved.fired += 1;
            self.unsaved.delivered += 1;
            self.unhold(id);
            self.forget_expected(id);
        } else if !noted {
            self.forgotten.push(Forgotten {
                id,
                fate: Fate::Delivered,
            });
        }
    }

    /// The event goes back and is tried again at `due`, as the `attempts + 1`-th time.
    pub(super) fn retry(&mut self, id: EventId, due: Duration, attempts: u32, ambiguous: bool) {
        self.change(id, |entry| {
            entry.phase = Phase::Ready;
            entry.due = due;
            entry.attempts = attempts;
            entry.ambiguous |= ambiguous;
        });
    }

    /// Gives a waiting event up.
    pub(super) fn drop_event(&mut self, id: EventId, reason: DropReason) -> bool {
        let Some(entry) = self.take(id) else {
            return false;
        };
        if entry.phase == Phase::Staged {
            self.unstage(id);
        }
        self.count_drop(id, &entry, reason);
        true
    }

    fn count_drop(&mut self, id: EventId, entry: &Entry, reason: DropReason) {
        self.progress += 1;
        for totals in self.totals_of(entry.is_earlier) {
            totals.drop_one(reason);
        }
        self.tell_of(reason);
        if entry.durable {
            self.forgotten.push(Forgotten {
                id,
                fate: Fate::Dropped(reason),
            });
        } else {
            self.unsaved.fired += 1;
            self.unsaved.drop_one(reason);
            self.unhold(id);
        }
    }

    /// Drops the oldest event that no worker has.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let waiting = |entry: &Entry| entry.phase != Phase::InFlight;
        let oldest = self
            .entries
            .iter()
            .find(|(_, entry)| waiting(entry))
            .map(|(id, _)| *id);
        oldest.is_some_and(|id| self.drop_event(id, DropReason::Displaced))
    }

    /// Drops the oldest event that waits for the disk.
    pub(super) fn drop_oldest_staged(&mut self) -> bool {
        let oldest = self.staged.front().copied();
        oldest.is_some_and(|id| self.drop_event(id, DropReason::Displaced))
    }

    /// Makes an event a dead letter, and drops the oldest ones if they are too many.
    pub(super) fn give_up(&mut self, id: EventId, error: String, died_at: Timestamp) {
        let Some(mut entry) = self.take(id) else {
            return;
        };
        self.progress += 1;
        entry.phase = Phase::Ready;
        self.insert_dead(
            id,
            Dead {
                entry,
                error,
                died_at,
                is_old: false,
            },
        );
        while self.dead.len() > self.options.max_dead || self.dead_bytes > self.options.max_bytes {
            let Some(oldest) = self.dead.keys().next().copied() else {
                return;
            };
            self.drop_dead(oldest, DropReason::DeadLettersFull);
        }
    }

    /// Gives a dead letter up.
    pub(super) fn drop_dead(&mut self, id: EventId, reason: DropReason) -> bool {
        let Some(dead) = self.take_dead(id) else {
            return false;
        };
        self.count_drop(id, &dead.entry, reason);
        true
    }

    /// Lets a dead letter be delivered again, with all of its attempts.
    pub(super) fn requeue(&mut self, id: EventId, due: Duration) -> bool {
        let Some(dead) = self.take_dead(id) else {
            return false;
        };
        self.put(
            id,
            Entry {
                phase: Phase::Ready,
                attempts: 0,
                due,
                ..dead.entry
            },
        );
        true
    }

    fn take_dead(&mut self, id: EventId) -> Option<Dead> {
        let dead = self.dead.remove(&id)?;
        self.dead_bytes = self.dead_bytes.saturating_sub(dead.entry.bytes);
        Some(dead)
    }
}
