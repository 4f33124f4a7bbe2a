use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;
use straylight_core::Timestamp;

use crate::clock::{from_micros, to_micros};
use crate::error::StoreError;
use crate::id::object_id;
use crate::image::Page;
use crate::store::Store;

/// The newest finished jobs that are kept.
const KEPT: i64 = 1000;

/// A long piece of work of the server, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// Identifier.
    pub id: String,
    /// The project that it is about, if any.
    pub project_id: Option<String>,
    /// `scheduled`, `running`, `finished`, `failed` or `cancelled`.
    pub state: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The job as the REST API gives it, without the columns above.
    pub json: Value,
}

impl Store {
    /// Adds a job in a state.
    pub fn add_job(
        &self,
        project_id: Option<&str>,
        state: &str,
        json: &Value,
    ) -> Result<JobRecord, StoreError> {
        let now = self.clock().now();
        let id = object_id(now)?;
        self.db().write(|db| {
            let row = params![id, project_id, state, to_micros(now), json.to_string()];
            db.execute(
                "INSERT INTO job (id, project_id, state, created_at, json)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                row,
            )?;
            let old = "DELETE FROM job WHERE state NOT IN ('running', 'scheduled') AND id NOT IN
                       (SELECT id FROM job ORDER BY created_at DESC LIMIT ?1)";
            db.execute(old, [KEPT])?;
            Ok(())
        })?;
        self.job(&id)
    }

    /// Replaces state and content of a job.
    pub fn update_job(&self, id: &str, state: &str, json: &Value) -> Result<(), StoreError> {
        self.db().write(|db| {
            let row = params![id, state, json.to_string()];
            db.execute("UPDATE job SET state = ?2, json = ?3 WHERE id = ?1", row)?;
            Ok(())
        })
    }

    /// The job of this identifier.
    pub fn job(&self, id: &str) -> Result<JobRecord, StoreError> {
        self.db().read(|db| {
            let query = "SELECT * FROM job WHERE id = ?1";
            let found = db.prepare_cached(query)?.query_row([id], read).optional()?;
            Ok(found.ok_or_else(|| StoreError::not_found("job", id))?)
        })
    }

    /// Jobs, the newest first; only those of a project or in a state when one is given.
    pub fn jobs(
        &self,
        project_id: Option<&str>,
        state: Option<&str>,
        page: Page,
    ) -> Result<Vec<JobRecord>, StoreError> {
        self.db().read(|db| {
            let mut rows = db.prepare_cached(
                "SELECT * FROM job WHERE (?1 IS NULL OR project_id = ?1)
                 AND (?2 IS NULL OR state = ?2)
                 ORDER BY created_at DESC, id LIMIT ?3 OFFSET ?4",
            )?;
            let row = params![project_id, state, page.limit as i64, page.skip as i64];
            let jobs = rows.query_map(row, read)?;
            Ok(jobs.collect::<Result<_, _>>()?)
        })
    }

    /// How many jobs there are in each state, of a project when one is given.
    pub fn count_jobs(&self, project_id: Option<&str>) -> Result<Vec<(String, u64)>, StoreError> {
        self.db().read(|db| {
            let mut rows = db.prepare_cached(
                "SELECT state, count(*) FROM job WHERE ?1 IS NULL OR project_id = ?1
                 GROUP BY state",
            )?;
            let counts = rows.query_map([project_id], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
            })?;
            Ok(counts.collect::<Result<_, _>>()?)
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<JobRecord> {
    let json: String = row.get("json")?;
    Ok(JobRecord {
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        state: row.get("state")?,
        created_at: from_micros(row.get("created_at")?),
        json: serde_json::from_str(&json).map_err(|e| {
            rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, e.into())
        })?,
    })
}
