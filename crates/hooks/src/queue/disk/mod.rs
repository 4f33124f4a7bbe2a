//! A queue on disk: one folder with an embedded database, and a file for each image.
//!
//! ```text
//! <folder>/queue.lock    locked by the process that works on the queue
//!          queue.db      SQLite, write-ahead log: events, statistics, what limits remember
//!          spool/<id>.<extension>   the image of each event
//! ```
//!
//! An event is accepted in this order: its image is written and synced, the spool folder is
//! synced, its row is committed with a full sync. It leaves in the other order: first its row,
//! then its file. So a row always has its file; a file without a row is what a crash left over
//! and is removed when the queue is opened. Removing a row needs no sync: a power cut may bring
//! the event back, and its delivery is then checked against the sink, as after any crash.
//!
//! On a full disk no row can be removed, as that takes room first. A delivered event then gives its
//! image's bytes back: an empty file means that the event is at its sink, and its row goes as soon
//! as there is room, in this process or the next.
//!
//! The statistics (`totals`) change in the same transaction as the rows, so that they balance after
//! any crash: fired = delivered + dropped + number of rows.
//!
//! Events that are delivered from memory have no row. Before several of them are finished together
//! they are noted as `expected`, and their notes go in the transactions that count them as
//! delivered. After a crash whoever opens the queue asks the sink about the notes that are left.

mod lock;
mod row;
mod schema;
mod spool;
mod statistics;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction, params};
use straylight_core::Timestamp;
use straylight_files::create_folder;

use self::lock::take_lock;
use self::row::insert;
pub(super) use self::row::{id_of, read_row, time_of};
pub(super) use self::schema::{check_version, connect};
use self::spool::Spool;
pub(super) use self::statistics::totals;
use self::statistics::{add, remove};
use super::journal::{Failure, Journal, JournalError};
use super::journal_changes::{Fate, Forgotten};
use super::{Resumed, RowState, Totals};
use crate::clock::lock;
use crate::event::{Event, EventId};

/// The journal of one queue; holds the queue's lock while it lives.
pub(crate) struct DiskJournal {
    path: PathBuf,
    connection: Mutex<Connection>,
    spool: Spool,
    _lock: File,
}

impl DiskJournal {
    /// Opens or makes the queue in a folder, and removes what a crash left over.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Resumed), JournalError> {
        create_folder(folder)?;
        let lock = take_lock(folder)?;
        let path = folder.join("queue.db");
        let mut connection = schema::open(&path)?;
        let spool = Spool::open(folder)?;
        let mut resumed = resume(&mut connection).map_err(|error| database_error(&path, &error))?;
        let waiting = resumed.waiting.iter().map(|(id, _)| id);
        let dead = resumed.dead.iter().map(|(id, ..)| id);
        let known = waiting.chain(dead).chain(&resumed.held);
        spool.keep_only(&known.copied().collect())?;
        let journal = Self {
            path,
            connection: Mutex::new(connection),
            spool,
            _lock: lock,
        };
        resumed.finish(|id| journal.spool.is_spent(id));
        Ok((journal, resumed))
    }

    /// Makes all writes of the database fail, as on a full disk.
    #[cfg(test)]
    pub(crate) fn refuse_writes(&self, refuse: bool) {
        lock(&self.connection)
            .pragma_update(None, "query_only", refuse)
            .unwrap();
    }

    /// Runs a transaction; only what must survive a power cut is synced.
    ///
    /// On a full disk the log is emptied into the database, which may give enough room.
    fn write<T>(
        &self,
        is_synced: bool,
        body: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let mut connection = lock(&self.connection);
        let level = if is_synced { "FULL" } else { "NORMAL" };
        let mut result = run(&mut connection, level, &body);
        if result.as_ref().is_err_and(is_full) && schema::empty_log(&connection).is_ok() {
            result = run(&mut connection, level, &body);
        }
        result.map_err(|error| database_error(&self.path, &error))
    }

    /// Writes the images of events; returns their sizes.
    ///
    /// On a full disk the log may take the room that they need: it is emptied, and they are tried
    /// once more.
    fn spool(&self, events: &[Arc<Event>]) -> Result<Vec<u64>, JournalError> {
        self.put_all_or_none(events).or_else(|error| {
            if matches!(error, JournalError::Picture { .. }) {
                return Err(error);
            }
            schema::empty_log(&lock(&self.connection)).map_err(|_| error)?;
            self.put_all_or_none(events)
        })
    }

    fn put_all_or_none(&self, events: &[Arc<Event>]) -> Result<Vec<u64>, JournalError> {
        let mut new = Vec::new();
        let written = self.put_all(events, &mut new);
        written.inspect_err(|_| {
            // On a full disk what was written would only be in the way.
            for id in &new {
                self.spool.remove(*id);
            }
        })
    }

    fn put_all(
        &self,
        events: &[Arc<Event>],
        new: &mut Vec<EventId>,
    ) -> Result<Vec<u64>, JournalError> {
        let mut sizes = Vec::with_capacity(events.len());
        for event in events {
            let image = event.picture.encoded();
            let image = image.map_err(|source| JournalError::Picture {
                id: event.id,
                source,
            })?;
            if self.spool.put(event.id, image)? {
                new.push(event.id);
            }
            sizes.push(image.bytes.len() as u64);
        }
        self.spool.sync()?;
        Ok(sizes)
    }

    fn insert_all(
        &self,
        events: &[Arc<Event>],
        limits: Option<&str>,
        is_held: bool,
    ) -> Result<Vec<u64>, JournalError> {
        let sizes = self.spool(events)?;
        self.write(true, |transaction| {
            for (event, bytes) in events.iter().zip(&sizes) {
                insert(transaction, event, *bytes, is_held)?;
            }
            if !is_held {
                add(transaction, "fired", events.len() as i64)?;
            }
            limits.map_or(Ok(()), |state| schema::write_limits(transaction, state))
        })?;
        Ok(sizes)
    }
}

fn run<T>(
    connection: &mut Connection,
    level: &str,
    body: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.pragma_update(None, "synchronous", level)?;
    let transaction = connection.transaction()?;
    let value = body(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Whether room on the disk may help: a full disk shows as either of the two.
fn is_full(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DiskFull, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(DiskFull | SystemIoFailure))
}

fn resume(connection: &mut Connection) -> rusqlite::Result<Resumed> {
    let mut resumed = Resumed {
        totals: totals(connection)?,
        ..Resumed::default()
    };
    let mut query = connection
        .prepare("SELECT id, bytes, attempts, error, dead_at, held FROM events ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let id = id_of(row.get_ref(0)?.as_str()?)?;
        let state = RowState {
            bytes: row.get::<_, i64>(1)? as u64,
            attempts: row.get(2)?,
            error: row.get(3)?,
        };
        if row.get(5)? {
            resumed.held.push(id);
            continue;
        }
        match row.get::<_, Option<i64>>(4)? {
            None => resumed.waiting.push((id, state)),
            Some(micros) => resumed.dead.push((id, state, time_of(micros)?)),
        }
    }
    resumed.limits = schema::read_limits(connection)?;
    resumed.expected = row::expected(connection)?;
    Ok(resumed)
}

impl Journal for DiskJournal {
    fn append(
        &self,
        events: &[Arc<Event>],
        limits: Option<&str>,
    ) -> Result<Vec<u64>, JournalError> {
        self.insert_all(events, limits, false)
    }

    fn hold(&self, events: &[Arc<Event>], limits: Option<&str>) -> Result<(), JournalError> {
        self.insert_all(events, limits, true).map(|_| ())
    }

    fn load(&self, id: EventId) -> Result<Event, JournalError> {
        let row = {
            let connection = lock(&self.connection);
            read_row(&connection, id).map_err(|error| database_error(&self.path, &error))?
        };
        let image = self.spool.get(id, row.format)?;
        Ok(row.event(id, image))
    }

    fn delivered(&self, id: EventId) -> Result<(), JournalError> {
        let fate = Fate::Delivered;
        let noted = self.tend(&[Forgotten { id, fate }], &Totals::default());
        noted.inspect_err(|_| self.spool.spend(id))
    }

    fn failed(&self, id: EventId, failure: &Failure<'_>) -> Result<(), JournalError> {
        self.write(false, |transaction| {
            transaction
                .prepare_cached("UPDATE events SET attempts = ?2, error = ?3 WHERE id = ?1")?
                .execute(params![id.to_string(), failure.attempts, failure.error])?;
            Ok(())
        })
    }

    fn gave_up(&self, id: EventId, error: &str, at: Timestamp) -> Result<(), JournalError> {
        self.write(true, |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE events SET dead_at = ?2, error = ?3, attempts = attempts + 1
                     WHERE id = ?1",
                )?
                .execute(params![id.to_string(), at.as_microsecond(), error])?;
            Ok(())
        })
    }

    fn requeued(&self, id: EventId) -> Result<(), JournalError> {
        self.write(true, |transaction| {
            transaction
                .prepare_cached("UPDATE events SET dead_at = NULL, attempts = 0 WHERE id = ?1")?
                .execute([id.to_string()])?;
            Ok(())
        })
    }

    fn expect(&self, events: &[Arc<Event>]) -> Result<(), JournalError> {
        self.write(false, |transaction| {
            events
                .iter()
                .try_for_each(|event| row::expect(transaction, event))
        })
    }

    fn tend(&self, forgotten: &[Forgotten], unseen: &Totals) -> Result<(), JournalError> {
        self.write(false, |transaction| {
            for row in forgotten {
                remove(transaction, *row)?;
            }
            add(transaction, "fired", unseen.fired as i64)?;
            add(transaction, "delivered", unseen.delivered as i64)?;
            for (reason, count) in &unseen.dropped {
                add(transaction, reason.as_str(), *count as i64)?;
            }
            Ok(())
        })?;
        for row in forgotten {
            self.spool.remove(row.id);
        }
        Ok(())
    }

    fn save_limits(&self, limits: &str) -> Result<(), JournalError> {
        self.write(false, |transaction| {
            schema::write_limits(transaction, limits)
        })
    }
}

/// The database's words with the file's name, and a way out where one is known.
pub(super) fn database_error(path: &Path, error: &rusqlite::Error) -> JournalError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase};
    let hint = match error.sqlite_error_code() {
        Some(DiskFull) => ": the disk is full; free some space",
        Some(DatabaseBusy) => ": another process works on it; try again",
        Some(DatabaseCorrupt | NotADatabase) => {
            ": the file is damaged; move the queue's folder away to begin anew"
        }
        _ => "",
    };
    JournalError::Database {
        path: path.to_owned(),
        message: format!("{error}{hint}"),
    }
}
