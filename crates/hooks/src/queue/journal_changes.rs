//! What the state must still tell the journal, and the events that the journal keeps for the end
//! of their window.

use super::DropReason;
use super::ledger::Totals;
use super::state::State;
use crate::event::EventId;

/// A row that must leave the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) id: EventId,
    pub(crate) fate: Fate,
}

/// How the life of a journalled event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered,
    Dropped(DropReason),
    /// Dropped while its row was being written: the row must not count as fired either.
    Undone,
    /// Held, and no longer wanted: it never fired.
    Released,
    /// Expected at its sink, and counted meanwhile or not there.
    Expected,
}

impl State {
    /// An event of the journal was delivered by an earlier process; its row must go.
    pub(super) fn finish(&mut self, id: EventId) {
        self.totals.delivered += 1;
        let fate = Fate::Delivered;
        self.forgotten.push(Forgotten { id, fate });
    }

    /// An event in memory is about to be at its sink, and the journal knows it.
    pub(super) fn expect(&mut self, id: EventId) {
        self.expected.insert(id);
    }

    /// The journal need not expect the event any more.
    pub(super) fn forget_expected(&mut self, id: EventId) {
        if self.expected.remove(&id) {
            let fate = Fate::Expected;
            self.forgotten.push(Forgotten { id, fate });
        }
    }

    /// An event that an earlier process had only in memory when it died was found at its sink, or
    /// was not; then nobody knows of it any more.
    pub(super) fn resolve_expected(&mut self, id: EventId, is_delivered: bool) {
        self.expected.insert(id);
        self.forget_expected(id);
        if is_delivered {
            for totals in [&mut self.totals, &mut self.unsaved] {
                totals.fired += 1;
                totals.delivered += 1;
            }
        }
    }

    /// Takes in an event that the journal keeps for the end of its window.
    pub(super) fn hold(&mut self, id: EventId) {
        self.held.insert(id);
    }

    /// The event no longer waits for the end of its window.
    pub(super) fn unhold(&mut self, id: EventId) {
        if self.held.remove(&id) {
            self.forget_held(id);
        }
    }

    /// The row of a held event must go.
    pub(super) fn forget_held(&mut self, id: EventId) {
        let fate = Fate::Released;
        self.forgotten.push(Forgotten { id, fate });
    }

    pub(super) fn held_ids(&self) -> Vec<EventId> {
        self.held.iter().copied().collect()
    }

    pub(super) fn is_held(&self, id: EventId) -> bool {
        self.held.contains(&id)
    }

    /// What the journal must still learn; the caller gives it back if the journal fails.
    pub(super) fn take_chores(&mut self) -> (Vec<Forgotten>, Totals) {
        (
            std::mem::take(&mut self.forgotten),
            std::mem::take(&mut self.unsaved),
        )
    }

    /// Keeps chores for later that the journal could not do.
    pub(super) fn give_back_chores(&mut self, forgotten: Vec<Forgotten>, unsaved: &Totals) {
        self.forgotten.extend(forgotten);
        self.unsaved.add(unsaved);
    }
}
