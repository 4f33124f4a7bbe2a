use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use straylight_core::Timestamp;

use crate::backup::copy_tree;
use crate::clock::{from_micros, to_micros};
use crate::error::{Fault, StoreError};
use crate::id::{is_object_id, object_id};
use crate::project::ops as project;
use crate::store::Store;

/// A deployment that was imported: a folder of models with what the REST API says of them.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentRecord {
    /// Identifier.
    pub id: String,
    /// Identifier of its project.
    pub project_id: String,
    /// What people call it.
    pub name: String,
    /// Whether predictions come from it; at most one of a project.
    pub active: bool,
    /// When it was imported.
    pub created_at: Timestamp,
    /// What the REST API says of its models.
    pub json: Value,
}

/// A younger folder without a row may belong to an import that is under way.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
const QUERY: &str = "SELECT d.id, p.id, d.name, d.active, d.created_at, d.json
                     FROM deployment d JOIN project p ON p.seq = d.project";

impl Store {
    /// Copies a deployment folder into the store and makes it the active one of its project.
    ///
    /// `folder` is the one that holds `project.json`; nothing in it is checked here. A copy
    /// that fails leaves nothing that is listed.
    pub fn add_deployment(
        &self,
        project_id: &str,
        name: &str,
        folder: &Path,
        json: &Value,
    ) -> Result<DeploymentRecord, StoreError> {
        let now = self.clock().now();
        let id = object_id(now)?;
        let (part, target) = (
            self.deployment_root(&format!("{id}.part")),
            self.deployment_root(&id),
        );
        let added = copy_tree(folder, &part.join("deployment")).and_then(|()| {
            self.db().write(|db| {
                fs::rename(&part, &target).map_err(|e| StoreError::io("create", &target, e))?;
                let project = project::seq(db, project_id)?;
                let row = params![id, project, name, to_micros(now), json.to_string()];
                db.execute(
                    "INSERT INTO deployment (id, project, name, active, created_at, json)
                     VALUES (?1, ?2, ?3, 0, ?4, ?5)",
                    row,
                )?;
                activate(db, &id)
            })
        });
        if let Err(error) = added {
            // The first error counts; what stays is in no row, and is collected later.
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
        self.deployment(&id)
    }

    /// The folder of a deployment; `deployment/project.json` lies in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the identifier is none: it never becomes another path.
    pub fn deployment_folder(&self, id: &str) -> Result<PathBuf, StoreError> {
        Ok(self.deployment_root(&self.deployment(id)?.id))
    }

    fn deployment_root(&self, id: &str) -> PathBuf {
        self.root().join("deployments").join(id)
    }

    /// The deployments of a project, the oldest first.
    pub fn deployments(&self, project_id: &str) -> Result<Vec<DeploymentRecord>, StoreError> {
        self.db().read(|db| {
            let project = project::seq(db, project_id)?;
            let query = format!("{QUERY} WHERE d.project = ?1 ORDER BY d.created_at, d.id");
            let mut rows = db.prepare_cached(&query)?;
            let deployments = rows.query_map([project], read)?;
            Ok(deployments.collect::<Result<_, _>>()?)
        })
    }

    /// Every deployment of every project, the oldest first.
    pub fn all_deployments(&self) -> Result<Vec<DeploymentRecord>, StoreError> {
        self.db().read(|db| {
            let query = format!("{QUERY} ORDER BY d.created_at, d.id");
            let mut rows = db.prepare_cached(&query)?;
            let deployments = rows.query_map([], read)?;
            Ok(deployments.collect::<Result<_, _>>()?)
        })
    }

    /// The deployment of this identifier.
    pub fn deployment(&self, id: &str) -> Result<DeploymentRecord, StoreError> {
        self.db().read(|db| find(db, id))
    }

    /// Makes a deployment the one from which its project's predictions come.
    pub fn activate_deployment(&self, id: &str) -> Result<(), StoreError> {
        self.db().write(|db| activate(db, id))
    }

    /// Deletes a deployment and its files.
    pub fn delete_deployment(&self, id: &str) -> Result<(), StoreError> {
        let folder = self.deployment_folder(id)?;
        self.db().write(|db| {
            db.execute("DELETE FROM deployment WHERE id = ?1", [id])?;
            Ok(())
        })?;
        fs::remove_dir_all(&folder).map_err(|e| StoreError::io("remove", &folder, e))
    }

    /// Removes the folders of deployments that are in no row any more.
    pub(crate) fn collect_deployments(&self) -> Result<(), StoreError> {
        let dir = self.root().join("deployments");
        let Ok(entries) = fs::read_dir(&dir) else {
            return Ok(());
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let held = self.is_held() || self.age(&path).is_none_or(|age| age < ABANDONED);
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !held && is_object_id(name.trim_end_matches(".part")) {
                self.db().write(|db| remove_unlisted(db, &name, &path))?;
            }
        }
        Ok(())
    }
}

/// Inside a write transaction, so that no import can list the folder meanwhile.
fn remove_unlisted(db: &Connection, id: &str, path: &Path) -> Result<(), Fault> {
    if find(db, id).is_err() {
        fs::remove_dir_all(path).map_err(|e| StoreError::io("remove", path, e))?;
    }
    Ok(())
}

fn activate(db: &Connection, id: &str) -> Result<(), Fault> {
    find(db, id)?;
    db.execute(
        "UPDATE deployment SET active = (id = ?1)
         WHERE project = (SELECT project FROM deployment WHERE id = ?1)",
        [id],
    )?;
    Ok(())
}

fn find(db: &Connection, id: &str) -> Result<DeploymentRecord, Fault> {
    let query = format!("{QUERY} WHERE d.id = ?1");
    let found = db
        .prepare_cached(&query)?
        .query_row([id], read)
        .optional()?;
    Ok(found.ok_or_else(|| StoreError::not_found("deployment", id))?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeploymentRecord> {
    let json: String = row.get(5)?;
    Ok(DeploymentRecord {
        id: row.get(0)?,
        project_id: row.get(1)?,
        name: row.get(2)?,
        active: row.get(3)?,
        created_at: from_micros(row.get(4)?),
        json: serde_json::from_str(&json).map_err(|e| {
            rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, e.into())
        })?,
    })
}
