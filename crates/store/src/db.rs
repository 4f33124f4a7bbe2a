use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use straylight_files::private_file;

use crate::error::{Fault, StoreError};

/// How long a writer waits for another process before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);
/// Idle connections beyond this number are closed.
const MAX_IDLE: usize = 16;
/// The write-ahead log is folded back after a write that leaves it longer than this.
const WAL_LIMIT_BYTES: u64 = 16 << 20;

/// Connections to the database, lent out one a caller.
///
/// Writers of one process queue at a mutex instead of polling the database's lock; writers of
/// other processes are waited for by the database itself.
pub(crate) struct Db {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    writer: Mutex<()>,
}

impl Db {
    /// Opens the file, made when missing, without looking into it.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let db = Self {
            path,
            idle: Mutex::default(),
            writer: Mutex::default(),
        };
        db.create()?;
        let connection = db.connect(OpenFlags::empty())?;
        db.put_back(connection);
        Ok(db)
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs queries that see one state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.lend(|connection| {
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Runs changes: all of them are durable when this returns, or none was made.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let _turn = lock(&self.writer);
        self.lend(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Lends a connection out of the pool for work that manages its own transactions.
    pub(crate) fn lend<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let idle = lock(&self.idle).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect(OpenFlags::empty())?,
        };
        let result = work(&mut connection).map_err(|fault| fault.at(&self.path));
        self.put_back(connection);
        result
    }

    /// Whether the write-ahead log has grown enough to be folded back.
    pub(crate) fn wal_is_long(&self) -> bool {
        let wal = self.path.with_extension("db-wal");
        std::fs::metadata(wal).is_ok_and(|m| m.len() > WAL_LIMIT_BYTES)
    }

    /// Folds the write-ahead log back into the database, as far as readers allow.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        self.lend(|connection| {
            let pragma = "PRAGMA wal_checkpoint(PASSIVE)";
            // Passive: waits for nobody. What a reader still needs stays for the next time.
            Ok(connection.query_row(pragma, [], |_| Ok(()))?)
        })
    }

    /// Makes an empty file that its owner alone may read; the log beside it inherits that.
    fn create(&self) -> Result<(), StoreError> {
        let path = &self.path;
        let file = private_file().create(true).append(true).open(path);
        file.map(drop).map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied | ErrorKind::IsADirectory => {
                StoreError::ReadOnly { path: path.clone() }
            }
            _ => StoreError::io("create", path, e),
        })
    }

    fn connect(&self, extra: OpenFlags) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
        let connect = || -> Result<Connection, Fault> {
            let connection = Connection::open_with_flags(&self.path, flags)?;
            configure(&connection)?;
            Ok(connection)
        };
        connect().map_err(|fault| fault.at(&self.path))
    }

    fn put_back(&self, connection: Connection) {
        let mut idle = lock(&self.idle);
        if idle.len() < MAX_IDLE && connection.is_autocommit() {
            idle.push(connection);
        }
    }
}

fn configure(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL: a committed change survives a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    // A backup by plain copying needs the database file to rest; see the crate's documentation.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// A panic elsewhere leaves nothing half done behind these locks, so poison is ignored.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
