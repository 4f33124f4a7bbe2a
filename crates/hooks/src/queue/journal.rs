use std::sync::Arc;

use straylight_core::Timestamp;

use super::journal_changes::Forgotten;
use super::ledger::Totals;
use crate::event::{Event, EventId};

/// What a queue keeps beyond the life of its process.
///
/// Each call is atomic: after an error, or a crash within it, nothing of it happened. An event
/// counts as accepted when [`Journal::append`] returned: it survives a power cut from then on.
/// The journal's own statistics balance at any moment: fired = delivered + rows + dropped.
pub(crate) trait Journal: Send + Sync {
    /// Writes events and counts them as fired, together with what the limits remember of them;
    /// returns the bytes that each takes on disk.
    fn append(&self, events: &[Arc<Event>], limits: Option<&str>)
    -> Result<Vec<u64>, JournalError>;

    /// Writes events that wait for the end of their window; they have not fired.
    fn hold(&self, events: &[Arc<Event>], limits: Option<&str>) -> Result<(), JournalError>;

    /// Reads an event back.
    fn load(&self, id: EventId) -> Result<Event, JournalError>;

    /// Removes an event that is at its sink and counts it.
    fn delivered(&self, id: EventId) -> Result<(), JournalError>;

    /// Notes a failed delivery.
    fn failed(&self, id: EventId, failure: &Failure<'_>) -> Result<(), JournalError>;

    /// Makes an event a dead letter.
    fn gave_up(&self, id: EventId, error: &str, at: Timestamp) -> Result<(), JournalError>;

    /// Lets a dead letter wait again, as if it had never been tried.
    fn requeued(&self, id: EventId) -> Result<(), JournalError>;

    /// Notes events that are in memory only and about to be at their sink: after a crash somebody
    /// must ask there what became of them.
    fn expect(&self, events: &[Arc<Event>]) -> Result<(), JournalError>;

    /// Removes events that were given up, and adds the lives of events that it never saw.
    fn tend(&self, forgotten: &[Forgotten], unseen: &Totals) -> Result<(), JournalError>;

    /// Keeps what the hook's limits remember.
    fn save_limits(&self, limits: &str) -> Result<(), JournalError>;
}

/// How a delivery failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure<'a> {
    pub(crate) attempts: u32,
    pub(crate) ambiguous: bool,
    pub(crate) error: &'a str,
}

/// A queue on disk could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file of the queue.
    #[error(transparent)]
    File(#[from] straylight_files::FileError),
    /// An image that cannot be encoded for the disk.
    #[error("event {id}: {source}")]
    Picture {
        /// The event.
        id: EventId,
        /// What is wrong with its image.
        source: crate::event::PictureError,
    },
    /// Another process works on the queue.
    #[error(
        "the queue {} is in use by another process ({process}): stop it, or give this one another \
         folder",
        path.display()
    )]
    InUse {
        /// The queue's folder.
        path: std::path::PathBuf,
        /// The other process's number, as far as it is known.
        process: String,
    },
    /// The database or a row in it.
    #[error("queue {}: {message}", path.display())]
    Database {
        /// The database file.
        path: std::path::PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
}
