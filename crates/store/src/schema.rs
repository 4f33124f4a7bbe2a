//! The tables and how older ones become newer ones.
//!
//! `PRAGMA user_version` counts the migrations that were applied. A migration, once
//! released, never changes; a new one is added at the end.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Fault, StoreError};

/// Every migration, in order; the n-th takes a database of version n to n + 1.
const MIGRATIONS: &[&str] = &[include_str!("schema/0001_first.sql")];

/// Marks a database as a Straylight store: "Stra" in ASCII.
const APPLICATION_ID: i64 = 0x5374_7261;

/// Brings the database to the newest version, all or nothing.
pub(crate) fn migrate(connection: &mut Connection, path: &std::path::Path) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        let path = path.to_owned();
        return Err(StoreError::NewerSchema { path, found, known }.into());
    }
    refuse_strangers(&transaction, path, found)?;
    for migration in MIGRATIONS.iter().skip(found.max(0) as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(transaction.commit()?)
}

/// A database of another program must not be written over.
fn refuse_strangers(db: &Connection, path: &std::path::Path, version: i64) -> Result<(), Fault> {
    let id: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let ours = id == APPLICATION_ID && version > 0;
    if ours || (tables == 0 && version == 0) {
        return Ok(());
    }
    let detail = "it belongs to another program".to_owned();
    let path = path.to_owned();
    Err(StoreError::Corrupt { path, detail }.into())
}
