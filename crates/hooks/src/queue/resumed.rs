use std::time::Duration;

use straylight_core::Timestamp;

use super::Totals;
use super::state::{Entry, Phase};
use crate::event::{Event, EventId};

/// What a queue takes over from an earlier process.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) totals: Totals,
    pub(crate) waiting: Vec<(EventId, RowState)>,
    pub(crate) dead: Vec<(EventId, RowState, Timestamp)>,
    /// Events that wait for the end of their window.
    pub(crate) held: Vec<EventId>,
    pub(crate) limits: Option<String>,
    /// Events that were delivered on a full disk: their rows must still go.
    pub(crate) finished: Vec<EventId>,
    /// Events, without their images, that were in memory only and about to be at their sink.
    pub(crate) expected: Vec<Event>,
}

impl Resumed {
    /// Takes events out of those that wait.
    pub(super) fn finish(&mut self, is_delivered: impl Fn(EventId) -> bool) {
        let all = std::mem::take(&mut self.waiting);
        let (finished, waiting): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(id, _)| is_delivered(*id));
        self.finished = finished.into_iter().map(|(id, _)| id).collect();
        self.waiting = waiting;
    }
}

/// Bytes of an image's file from which on its delivery takes long.
const LARGE_FILE: u64 = 512 << 10;

/// What the journal knows of an event besides the event itself.
#[derive(Debug, Clone)]
pub(crate) struct RowState {
    pub(crate) bytes: u64,
    pub(crate) attempts: u32,
    pub(crate) error: String,
}

impl RowState {
    /// A resumed event may have been on its way when its process died: it is ambiguous.
    pub(super) fn entry(&self) -> Entry {
        Entry {
            phase: Phase::Ready,
            bytes: self.bytes,
            payload: None,
            durable: true,
            due: Duration::ZERO,
            attempts: self.attempts,
            ambiguous: true,
            is_earlier: true,
            is_large: self.bytes > LARGE_FILE,
        }
    }
}
