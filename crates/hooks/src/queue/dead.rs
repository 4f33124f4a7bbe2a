use std::time::Duration;

use straylight_core::Timestamp;

use super::state::Dead;
use super::{DropReason, JournalError, Queue};
use crate::clock::lock;
use crate::event::EventId;

/// An event that could not be delivered and waits for somebody to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub id: EventId,
    /// What its last delivery said.
    pub error: String,
    /// Deliveries that failed before the last.
    pub attempts: u32,
    /// When it was given up.
    pub died_at: Timestamp,
}

impl Queue {
    /// The dead letters, oldest first.
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        let state = lock(&self.state);
        let letter = |(id, dead): (&EventId, &Dead)| DeadLetter {
            id: *id,
            error: dead.error.clone(),
            attempts: dead.entry.attempts,
            died_at: dead.died_at,
        };
        state.dead().iter().map(letter).collect()
    }

    /// Lets a dead letter wait again; says whether there was one.
    pub(crate) fn requeue(&self, id: EventId, now: Duration) -> Result<bool, JournalError> {
        let is_durable = lock(&self.state)
            .dead()
            .get(&id)
            .map(|dead| dead.entry.durable);
        let Some(is_durable) = is_durable else {
            return Ok(false);
        };
        self.note(is_durable, |journal| journal.requeued(id))?;
        let is_requeued = lock(&self.state).requeue(id, now);
        self.changed();
        Ok(is_requeued)
    }

    /// Gives a dead letter up; says whether there was one.
    pub(crate) fn discard(&self, id: EventId) -> Result<bool, JournalError> {
        let is_discarded = lock(&self.state).drop_dead(id, DropReason::Discarded);
        self.settle().map(|()| is_discarded)
    }
}
