use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction};

use super::database_error;
use crate::queue::JournalError;

/// Version of the tables; a file with a higher one belongs to a newer program.
const VERSION: i64 = 2;

const TABLES: &str = "
    CREATE TABLE events (
        id       TEXT PRIMARY KEY,          -- 32 hexadecimal digits; sorts by time
        event    TEXT NOT NULL,             -- JSON, see `row`
        format   TEXT NOT NULL,             -- extension of the image in the spool
        bytes    INTEGER NOT NULL,          -- of the image
        attempts INTEGER NOT NULL DEFAULT 0,
        error    TEXT NOT NULL DEFAULT '',  -- of the last attempt
        dead_at  INTEGER,                   -- microseconds since 1970; NULL while it waits
        held     INTEGER NOT NULL DEFAULT 0 -- 1 while it may be the best of its window
    ) STRICT;
    CREATE TABLE totals (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
    CREATE TABLE limits (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL) STRICT;
";

/// Events without a row that are about to be at their sink. Programs of November 2026 do not know
/// the table and leave it alone, so that it needs no version of its own.
const EXPECTED: &str =
    "CREATE TABLE IF NOT EXISTS expected (id TEXT PRIMARY KEY, event TEXT NOT NULL) STRICT;";

/// Opens the database for the process that works on the queue.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    let failed = |error: rusqlite::Error| database_error(path, &error);
    let connection = connect(path, OpenFlags::default())?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(failed)?;
    make_tables(&connection).map_err(failed)?;
    renew_tables(&connection).map_err(failed)?;
    check_version(&connection, path)?;
    connection.execute_batch(EXPECTED).map_err(failed)?;
    Ok(connection)
}

/// Opens the database as it is; one of a newer program is refused, and no byte of it changes.
pub(in crate::queue) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    let failed = |error: rusqlite::Error| database_error(path, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(failed)?;
    // Else the mere look at the version would move the log of a dead process into the file.
    let keep_log = |keep| connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep);
    keep_log(true).map_err(failed)?;
    let found = version(&connection).map_err(failed)?;
    if found > VERSION {
        return Err(unknown(found, path));
    }
    keep_log(false).map_err(failed)?;
    Ok(connection)
}

fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    if version(connection)? > 0 {
        return Ok(());
    }
    let script = format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;");
    connection.execute_batch(&script)
}

/// Version 1 knew no held events. One transaction: a kill leaves the old version or the new one.
fn renew_tables(connection: &Connection) -> rusqlite::Result<()> {
    if version(connection)? != 1 {
        return Ok(());
    }
    connection.execute_batch(
        "BEGIN IMMEDIATE; ALTER TABLE events ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
         PRAGMA user_version = 2; COMMIT;",
    )
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses a queue whose version is not ours.
pub(in crate::queue) fn check_version(
    connection: &Connection,
    path: &Path,
) -> Result<(), JournalError> {
    let found = version(connection).map_err(|error| database_error(path, &error))?;
    if found == VERSION {
        return Ok(());
    }
    Err(unknown(found, path))
}

fn unknown(found: i64, path: &Path) -> JournalError {
    let way_out = if found > VERSION {
        "use a newer Straylight"
    } else {
        "start its hooks once, they renew it"
    };
    let message =
        format!("the queue has version {found}, and this program knows {VERSION}: {way_out}");
    JournalError::Database {
        path: path.to_owned(),
        message,
    }
}

/// Moves the write-ahead log into the database and gives its room free.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

pub(super) fn read_limits(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT state FROM limits", [], |row| row.get(0))
        .optional()
}

pub(super) fn write_limits(transaction: &Transaction<'_>, state: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO limits (one, state) VALUES (1, ?1)")?
        .execute([state])?;
    Ok(())
}
