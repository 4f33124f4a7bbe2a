//! A look at queues on disk from outside, also while a process works on them.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row as SqlRow};
use straylight_core::{Prediction, Timestamp};
use straylight_files::FileError;

use super::disk::{check_version, connect, database_error, id_of, read_row, time_of, totals};
use super::journal::{Journal, JournalError};
use super::journal_changes::{Fate, Forgotten};
use super::{DiskJournal, DropReason, Ledger, Totals};
use crate::event::EventId;

/// The queue of one hook on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFolder {
    hook: String,
    path: PathBuf,
}

/// An event in a queue on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedEvent {
    /// Identifies the event.
    pub id: EventId,
    /// What the source calls the image.
    pub name: String,
    /// When the hook fired.
    pub fired_at: Timestamp,
    /// The trigger's score.
    pub score: f64,
    /// Why the hook fired.
    pub reason: String,
    /// Bytes of the image.
    pub bytes: u64,
    /// Deliveries that failed.
    pub attempts: u32,
    /// What the last of them said.
    pub error: String,
    /// When it became a dead letter, `None` while it waits.
    pub died_at: Option<Timestamp>,
    /// Whether it waits for the end of its window and has not fired yet.
    pub held: bool,
}

/// An event with its prediction and image.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedDetails {
    /// The event.
    pub event: QueuedEvent,
    /// What the deployment said about the image.
    pub prediction: Prediction,
    /// Makes deliveries idempotent, see [`Event::key`](crate::Event::key).
    pub key: String,
    /// The file of the image.
    pub image: PathBuf,
}

const COLUMNS: &str = "SELECT id, bytes, attempts, error, dead_at, held FROM events";

fn folders(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let failed = |source| FileError::new("read the folder", folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

impl QueueFolder {
    /// The queues in a state folder, by hook name; those of a run over several sources, which are in
    /// a folder for each source, as `SOURCE/HOOK`.
    pub fn all(state_folder: &Path) -> Result<Vec<Self>, JournalError> {
        let mut queues = Vec::new();
        for folder in folders(state_folder)? {
            let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
            if folder.join("queue.db").is_file() {
                let hook = name(&folder);
                queues.push(Self { hook, path: folder });
                continue;
            }
            for path in folders(&folder)? {
                if path.join("queue.db").is_file() {
                    let hook = format!("{}/{}", name(&folder), name(&path));
                    queues.push(Self { hook, path });
                }
            }
        }
        queues.sort_by(|a, b| a.hook.cmp(&b.hook));
        Ok(queues)
    }

    /// Name of the hook, behind that of the source if there is one.
    pub fn hook(&self) -> &str {
        &self.hook
    }

    fn database(&self) -> PathBuf {
        self.path.join("queue.db")
    }

    fn read<T>(
        &self,
        body: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let path = self.database();
        let failed = |error: rusqlite::Error| database_error(&path, &error);
        // Not read-only: the write-ahead log of a process that died must be taken in.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = connect(&path, flags)?;
        check_version(&connection, &path)?;
        body(&connection).map_err(failed)
    }

    /// The statistics as they are on disk, over all processes that worked on the queue.
    pub fn ledger(&self) -> Result<Ledger, JournalError> {
        self.read(|connection| {
            // One statement each would see different moments.
            let snapshot = connection.unchecked_transaction()?;
            let Totals {
                fired,
                delivered,
                dropped,
            } = totals(&snapshot)?;
            let count = "SELECT count(*) - count(dead_at), count(dead_at) FROM events
                         WHERE held = 0";
            let (queued, dead) = snapshot.query_row(count, [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })?;
            let (queued, dead) = (queued as u64, dead as u64);
            Ok(Ledger {
                fired,
                delivered,
                queued,
                in_memory: 0,
                dropped,
                dead,
            })
        })
    }

    /// All events, oldest first.
    pub fn events(&self) -> Result<Vec<QueuedEvent>, JournalError> {
        self.read(|connection| {
            let mut query = connection.prepare(&format!("{COLUMNS} ORDER BY id"))?;
            let mut rows = query.query([])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(queued_event(connection, row)?);
            }
            Ok(events)
        })
    }

    /// One event with everything that is known about it, `None` if it is not there.
    pub fn show(&self, id: EventId) -> Result<Option<QueuedDetails>, JournalError> {
        self.read(|connection| {
            let mut query = connection.prepare(&format!("{COLUMNS} WHERE id = ?1"))?;
            let mut rows = query.query([id.to_string()])?;
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            let event = queued_event(connection, row)?;
            let row = read_row(connection, id)?;
            let file = format!("{id}.{}", row.format.extension());
            let image = self.path.join("spool").join(file);
            let (key, prediction) = (row.key().to_owned(), row.prediction());
            Ok(Some(QueuedDetails {
                event,
                prediction,
                key,
                image,
            }))
        })
    }

    /// Lets dead letters wait again; returns how many of the ids were dead letters.
    ///
    /// # Errors
    /// [`JournalError::InUse`] while a process works on the queue.
    pub fn retry(&self, ids: &[EventId]) -> Result<usize, JournalError> {
        let (journal, resumed) = DiskJournal::open(&self.path)?;
        let dead = resumed
            .dead
            .iter()
            .map(|(id, ..)| *id)
            .filter(|id| ids.contains(id));
        let dead: Vec<EventId> = dead.collect();
        dead.iter().try_for_each(|id| journal.requeued(*id))?;
        Ok(dead.len())
    }

    /// Gives events up, waiting ones or dead letters; returns how many of the ids were there.
    ///
    /// # Errors
    /// [`JournalError::InUse`] while a process works on the queue.
    pub fn discard(&self, ids: &[EventId]) -> Result<usize, JournalError> {
        let (journal, resumed) = DiskJournal::open(&self.path)?;
        let waiting = resumed.waiting.iter().map(|(id, _)| *id);
        let fired = waiting.chain(resumed.dead.iter().map(|(id, ..)| *id));
        let fired = fired.map(|id| (id, Fate::Dropped(DropReason::Discarded)));
        let held = resumed.held.iter().map(|id| (*id, Fate::Released));
        let chosen = fired.chain(held).filter(|(id, _)| ids.contains(id));
        let chosen: Vec<Forgotten> = chosen.map(|(id, fate)| Forgotten { id, fate }).collect();
        journal.tend(&chosen, &Totals::default())?;
        Ok(chosen.len())
    }
}

fn queued_event(connection: &Connection, row: &SqlRow<'_>) -> rusqlite::Result<QueuedEvent> {
    let id = id_of(row.get_ref(0)?.as_str()?)?;
    let content = read_row(connection, id)?;
    let died_at = row.get::<_, Option<i64>>(4)?.map(time_of).transpose()?;
    Ok(QueuedEvent {
        id,
        name: content.name().to_owned(),
        fired_at: content.fired_at(),
        score: content.score(),
        reason: content.reason().to_owned(),
        bytes: row.get::<_, i64>(1)? as u64,
        attempts: row.get(2)?,
        error: row.get(3)?,
        died_at,
        held: row.get(5)?,
    })
}
