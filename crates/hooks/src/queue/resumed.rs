use std::time::Duration;

use straylight_core::Timestamp;

use super::Totals;
use super::state::{Entry, Phase};
use crate::event::EventId;

/// What a queue takes over from an earlier process.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) totals: Totals,
    pub(crate) waiting: Vec<(EventId, RowState)>,
    pub(crate) dead: Vec<(EventId, RowState, Timestamp)>,
    pub(crate) limits: Option<String>,
}

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
        }
    }
}
