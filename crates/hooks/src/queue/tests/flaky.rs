use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use super::super::journal_changes::Forgotten;
use super::super::*;

/// A journal on disk whose writes can be made to fail, as on a full disk.
pub(super) struct Flaky {
    pub(super) disk: DiskJournal,
    pub(super) is_full: Arc<AtomicBool>,
}

impl Flaky {
    fn check(&self) -> Result<(), JournalError> {
        if self.is_full.load(SeqCst) {
            let message = "no space".to_owned();
            return Err(JournalError::Database {
                path: "queue.db".into(),
                message,
            });
        }
        Ok(())
    }
}

impl Journal for Flaky {
    fn append(
        &self,
        events: &[Arc<Event>],
        limits: Option<&str>,
    ) -> Result<Vec<u64>, JournalError> {
        self.check().and_then(|()| self.disk.append(events, limits))
    }
    fn hold(&self, events: &[Arc<Event>], limits: Option<&str>) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.hold(events, limits))
    }
    fn load(&self, id: EventId) -> Result<Event, JournalError> {
        self.disk.load(id)
    }
    fn delivered(&self, id: EventId) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.delivered(id))
    }
    fn failed(&self, id: EventId, failure: &Failure<'_>) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.failed(id, failure))
    }
    fn gave_up(&self, id: EventId, error: &str, at: Timestamp) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.gave_up(id, error, at))
    }
    fn requeued(&self, id: EventId) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.requeued(id))
    }
    fn expect(&self, events: &[Arc<Event>]) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.expect(events))
    }
    fn tend(&self, forgotten: &[Forgotten], unseen: &Totals) -> Result<(), JournalError> {
        self.check()
            .and_then(|()| self.disk.tend(forgotten, unseen))
    }
    fn save_limits(&self, limits: &str) -> Result<(), JournalError> {
        self.check().and_then(|()| self.disk.save_limits(limits))
    }
}
