use rusqlite::{Connection, OptionalExtension, params};
use straylight_core::Timestamp;

use crate::clock::{from_micros, to_micros};
use crate::db::Db;
use crate::error::{Fault, StoreError};
use crate::id;

/// The one workspace of a store, with the identifiers under which a server shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Identifier, a UUID.
    pub id: String,
    /// Identifier of the organisation around it, a UUID.
    pub organization_id: String,
    /// Its name.
    pub name: String,
    /// Identifier of the one user, a UUID.
    pub user_id: String,
    /// When the store was made.
    pub created_at: Timestamp,
}

impl Workspace {
    /// Reads the workspace, or makes it in a new store.
    pub(crate) fn get_or_create(db: &Db, now: Timestamp) -> Result<Self, StoreError> {
        if let Some(workspace) = db.read(read)? {
            return Ok(workspace);
        }
        let new = Self {
            id: id::uuid()?,
            organization_id: id::uuid()?,
            // SDK 2.5 looks for a workspace of this name.
            name: "Default Workspace".to_owned(),
            user_id: id::uuid()?,
            created_at: from_micros(to_micros(now)),
        };
        db.write(|db| {
            if let Some(workspace) = read(db)? {
                return Ok(workspace);
            }
            db.execute(
                "INSERT INTO workspace (id, organization_id, name, user_id, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    new.id,
                    new.organization_id,
                    new.name,
                    new.user_id,
                    to_micros(now)
                ],
            )?;
            Ok(new)
        })
    }
}

fn read(db: &Connection) -> Result<Option<Workspace>, Fault> {
    let query = "SELECT id, organization_id, name, user_id, created_at FROM workspace";
    let workspace = db.query_row(query, [], |row| {
        Ok(Workspace {
            id: row.get(0)?,
            organization_id: row.get(1)?,
            name: row.get(2)?,
            user_id: row.get(3)?,
            created_at: from_micros(row.get(4)?),
        })
    });
    Ok(workspace.optional()?)
}
