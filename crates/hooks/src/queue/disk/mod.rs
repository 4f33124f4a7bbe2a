//! A queue on disk: one folder with an embedded database, and a file for each image.
//!
//! ```text
//! <folder>/queue.lock    locked by the process that works on the queue
//!          queue.db      SQLite, write-ahead log: events, books, what limits remember
//!          spool/<id>.<extension>   the image of each event
//! ```
//!
//! An event is accepted in this order: its image is written and synced, the spool folder is
//! synced, its row is committed with a full sync. It leaves in the other order: first its row,
//! then its file. So a row always has its file; a file without a row is what a crash left over
//! and is removed when the queue is opened. Removing a row needs no sync: a power cut may bring
//! the event back, and its delivery is then checked against the sink, as after any crash.
//!
//! The books (`totals`) change in the same transaction as the rows, so that they balance after
//! any crash: fired = delivered + dropped + number of rows.

mod row;
mod schema;
mod spool;

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction, params};
use straylight_core::Timestamp;
use straylight_files::{FileError, create_folder};

use self::row::insert;
pub(super) use self::row::{id_of, read_row, time_of};
pub(super) use self::schema::check_version;
use self::spool::Spool;
use super::journal::{Failure, Journal, JournalError};
use super::state::{Fate, Forgotten};
use super::{DropReason, Resumed, RowState, Totals};
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
        let resumed = resume(&mut connection).map_err(|error| database_error(&path, &error))?;
        let known = resumed.waiting.iter().map(|(id, _)| *id);
        spool.keep_only(
            &known
                .chain(resumed.dead.iter().map(|(id, ..)| *id))
                .collect(),
        )?;
        let connection = Mutex::new(connection);
        Ok((
            Self {
                path,
                connection,
                spool,
                _lock: lock,
            },
            resumed,
        ))
    }

    /// Runs a transaction; only what must survive a power cut is synced.
    fn write<T>(
        &self,
        is_synced: bool,
        body: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        let mut connection = lock(&self.connection);
        let level = if is_synced { "FULL" } else { "NORMAL" };
        let run = || {
            connection.pragma_update(None, "synchronous", level)?;
            let transaction = connection.transaction()?;
            let value = body(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|error: rusqlite::Error| database_error(&self.path, &error))
    }
}

/// Locks the queue's folder for this process.
fn take_lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join("queue.lock");
    let failed = |source| FileError::new("lock", &path, source);
    let options = || {
        File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .clone()
    };
    let mut file = options().open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // The number is for people only; the lock itself is what counts.
            let number = std::process::id().to_string();
            let noted = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            noted
                .and_then(|_| file.write_all(number.as_bytes()))
                .map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            Err(JournalError::InUse {
                path: folder.to_owned(),
                process,
            })
        }
        Err(TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

fn resume(connection: &mut Connection) -> rusqlite::Result<Resumed> {
    let mut resumed = Resumed {
        totals: totals(connection)?,
        ..Resumed::default()
    };
    let mut query =
        connection.prepare("SELECT id, bytes, attempts, error, dead_at FROM events ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let id = id_of(row.get_ref(0)?.as_str()?)?;
        let state = RowState {
            bytes: row.get::<_, i64>(1)? as u64,
            attempts: row.get(2)?,
            error: row.get(3)?,
        };
        match row.get::<_, Option<i64>>(4)? {
            None => resumed.waiting.push((id, state)),
            Some(micros) => resumed.dead.push((id, state, time_of(micros)?)),
        }
    }
    resumed.limits = schema::read_limits(connection)?;
    Ok(resumed)
}

/// The accounts that only grow.
pub(super) fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
    let mut totals = Totals::default();
    let mut query = connection.prepare("SELECT name, count FROM totals")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (name, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let count = count.max(0) as u64;
        match name.as_str() {
            "fired" => totals.fired = count,
            "delivered" => totals.delivered = count,
            _ => {
                let reason = DropReason::ALL
                    .into_iter()
                    .find(|reason| reason.as_str() == name);
                totals.dropped.extend(reason.map(|reason| (reason, count)));
            }
        }
    }
    Ok(totals)
}

/// Adds to an account of the books.
fn add(transaction: &Transaction<'_>, account: &str, count: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO totals (name, count) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET count = count + ?2",
        )?
        .execute(params![account, count])?;
    Ok(())
}

fn remove(transaction: &Transaction<'_>, forgotten: Forgotten) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM events WHERE id = ?1")?;
    if delete.execute([forgotten.id.to_string()])? == 0 {
        return Ok(());
    }
    match forgotten.fate {
        Fate::Delivered => add(transaction, "delivered", 1),
        Fate::Dropped(reason) => add(transaction, reason.as_str(), 1),
        Fate::Undone => add(transaction, "fired", -1),
    }
}

impl Journal for DiskJournal {
    fn append(&self, events: &[Arc<Event>]) -> Result<Vec<u64>, JournalError> {
        let mut sizes = Vec::with_capacity(events.len());
        for event in events {
            let image = event.picture.encoded();
            let image = image.map_err(|source| JournalError::Picture {
                id: event.id,
                source,
            })?;
            self.spool.put(event.id, image)?;
            sizes.push(image.bytes.len() as u64);
        }
        self.spool.sync()?;
        self.write(true, |transaction| {
            for (event, bytes) in events.iter().zip(&sizes) {
                insert(transaction, event, *bytes)?;
            }
            add(transaction, "fired", events.len() as i64)
        })?;
        Ok(sizes)
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
        self.tend(
            &[Forgotten {
                id,
                fate: Fate::Delivered,
            }],
            &Totals::default(),
        )
    }

    fn failed(&self, id: EventId, failure: &Failure<'_>) -> Result<(), JournalError> {
        self.write(false, |transaction| {
            transaction
                .prepare_cached("UPDATE events SET attempts = ?2, error = ?3 WHERE id = ?1")?
                .execute(params![id.to_string(), failure.attempts, failure.error])?;
            Ok(())
        })
    }

    fn buried(&self, id: EventId, error: &str, at: Timestamp) -> Result<(), JournalError> {
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

    fn revived(&self, id: EventId) -> Result<(), JournalError> {
        self.write(true, |transaction| {
            transaction
                .prepare_cached("UPDATE events SET dead_at = NULL, attempts = 0 WHERE id = ?1")?
                .execute([id.to_string()])?;
            Ok(())
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
