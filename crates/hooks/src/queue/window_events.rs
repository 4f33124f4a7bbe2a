//! Events that wait for the end of their window, kept by the journal over a crash.
//!
//! They are no part of the statistics: they have not fired. Whoever chooses the best holds them in
//! memory as well; what is here follows that choice.

use std::sync::Arc;

use super::{JournalError, Queue};
use crate::clock::lock;
use crate::event::{Event, EventId};

impl Queue {
    /// Makes events durable that wait for the end of their window; returns how many were new.
    ///
    /// `is_wanted` says, after the writing, whether an event waits still.
    pub(crate) fn hold(
        &self,
        candidates: Vec<Arc<Event>>,
        limits: impl FnOnce() -> Option<String>,
        is_wanted: impl Fn(EventId) -> bool,
    ) -> Result<usize, JournalError> {
        let Some(journal) = &self.journal else {
            return Ok(0);
        };
        let _one_at_a_time = lock(&self.spooling);
        let new = self.not_held(candidates);
        if new.is_empty() {
            return Ok(0);
        }
        journal.hold(&new, limits().as_deref())?;
        for event in &new {
            let waits = is_wanted(event.id);
            let mut state = lock(&self.state);
            if waits || state.get(event.id).is_some() {
                state.hold(event.id);
            } else {
                state.forget_held(event.id);
            }
        }
        Ok(new.len())
    }

    fn not_held(&self, candidates: Vec<Arc<Event>>) -> Vec<Arc<Event>> {
        let state = lock(&self.state);
        let is_new = |event: &Arc<Event>| !state.is_held(event.id);
        candidates.into_iter().filter(is_new).collect()
    }

    /// The event no longer waits for the end of its window, and has not fired either.
    pub(crate) fn unhold(&self, id: EventId) {
        lock(&self.state).unhold(id);
    }

    /// Reads back the events that an earlier process held, oldest first.
    ///
    /// One that cannot be read is given up with a line in the log.
    pub(crate) fn resume_held(&self) -> Vec<Arc<Event>> {
        let Some(journal) = &self.journal else {
            return Vec::new();
        };
        let ids = lock(&self.state).held_ids();
        let load = |id: EventId| match journal.load(id) {
            Ok(event) => Some(Arc::new(event)),
            Err(error) => {
                tracing::error!(event = %id, %error, "an image of the open window is lost");
                self.unhold(id);
                None
            }
        };
        ids.into_iter().filter_map(load).collect()
    }
}
