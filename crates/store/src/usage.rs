use std::path::Path;
use std::{fs, io};

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use crate::error::{Fault, StoreError};
use crate::project::ops as project;
use crate::store::Store;

/// The setting of a project that holds its limit in bytes.
const LIMIT: &str = "disk_limit";

/// How much of the disk a project takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Bytes of the files of its images and videos; a file that two images share counts twice.
    pub media: u64,
    /// Bytes of its deployments.
    pub deployments: u64,
    /// Bytes that images and videos may take, if that is limited.
    pub limit: Option<u64>,
}

impl Store {
    /// How much of the disk a project takes; thumbnails and database rows do not count.
    pub fn disk_use(&self, project_id: &str) -> Result<DiskUse, StoreError> {
        let (media, limit) = self.db().read(|db| {
            let project = project::seq(db, project_id)?;
            Ok((used(db, project)?.1, limit(db, project_id)?))
        })?;
        let mut deployments = 0;
        for deployment in self.deployments(project_id)? {
            let folder = self.deployment_folder(&deployment.id)?;
            deployments += size_of(&folder).map_err(|e| StoreError::io("read", &folder, e))?;
        }
        Ok(DiskUse {
            media,
            deployments,
            limit,
        })
    }

    /// Limits the bytes that images and videos of a project may take; `None` takes the limit away.
    ///
    /// What is there already stays, also when it is more.
    pub fn set_disk_limit(&self, project_id: &str, limit: Option<u64>) -> Result<(), StoreError> {
        let project = self.project(project_id)?;
        self.set_setting(&project.id, LIMIT, &json!(limit))
    }

    /// How often something was deleted from a project: whoever copies it sees whether that
    /// happened meanwhile.
    pub fn deletions(&self, project_id: &str) -> Result<u64, StoreError> {
        self.db().read(|db| {
            let project = project::seq(db, project_id)?;
            let query = "SELECT deletions FROM usage WHERE project = ?1";
            let count: i64 = db.query_row(query, [project], |row| row.get(0))?;
            Ok(count as u64)
        })
    }
}

/// Whether the project of a dataset may take so many bytes more.
pub(crate) fn check(db: &Connection, dataset: i64, more: u64) -> Result<(), Fault> {
    let query = "SELECT project.seq, project.id FROM dataset
                 JOIN project ON project.seq = dataset.project WHERE dataset.seq = ?1";
    let mut statement = db.prepare_cached(query)?;
    let (seq, id): (i64, String) =
        statement.query_row([dataset], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(limit) = limit(db, &id)? else {
        return Ok(());
    };
    let (project, used) = used(db, seq)?;
    if used.saturating_add(more) <= limit {
        return Ok(());
    }
    Err(StoreError::ProjectFull {
        project,
        used,
        limit,
        more,
    }
    .into())
}

/// Name of a project and the bytes of its files.
fn used(db: &Connection, project: i64) -> Result<(String, u64), Fault> {
    let query = "SELECT name, bytes FROM usage JOIN project ON project.seq = usage.project
                 WHERE usage.project = ?1";
    let mut statement = db.prepare_cached(query)?;
    let row = statement.query_row([project], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
    let (name, bytes) = row?;
    Ok((name, bytes.max(0) as u64))
}

fn limit(db: &Connection, project_id: &str) -> Result<Option<u64>, Fault> {
    let query = "SELECT json FROM setting WHERE scope = ?1 AND key = ?2";
    let mut statement = db.prepare_cached(query)?;
    let text = statement.query_row(params![project_id, LIMIT], |row| row.get::<_, String>(0));
    let limit = text.optional()?.map(|text| serde_json::from_str(&text));
    Ok(limit.transpose()?.flatten())
}

/// Bytes of all files below a folder; one that is not there has none.
fn size_of(folder: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut sum = 0;
    for entry in entries {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() {
            size_of(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(sum)
}
