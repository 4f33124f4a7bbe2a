use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};
use straylight_core::{Dataset, Timestamp};

use crate::clock::{from_micros, render_time, to_micros};
use crate::error::{Fault, StoreError};
use crate::id::object_id;
use crate::project::ops as project;
use crate::store::Store;

/// The greatest length of a dataset's name in characters.
const MAX_NAME: usize = 200;
const COLUMNS: &str = "id, name, use_for_training, created_at";

impl Store {
    /// Makes a dataset that is not trained on.
    ///
    /// # Errors
    ///
    /// [`StoreError::DatasetExists`] when the project has one of this name.
    pub fn create_dataset(&self, project_id: &str, name: &str) -> Result<Dataset, StoreError> {
        check_name(name)?;
        self.db().write(|db| {
            let project = project::seq(db, project_id)?;
            if by_name(db, project, name)?.is_some() {
                let name = name.to_owned();
                return Err(StoreError::DatasetExists { name }.into());
            }
            insert(db, project, name, false, self.clock().now())
        })
    }

    /// The dataset of this name, made when it is not there.
    ///
    /// However many threads and processes ask at once, one dataset is made and all get it.
    pub fn get_or_create_dataset(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Dataset, StoreError> {
        check_name(name)?;
        if let Some(dataset) = self.dataset_named(project_id, name)? {
            return Ok(dataset);
        }
        self.db().write(|db| {
            let project = project::seq(db, project_id)?;
            match by_name(db, project, name)? {
                Some(dataset) => Ok(dataset),
                None => insert(db, project, name, false, self.clock().now()),
            }
        })
    }

    /// The datasets of a project; the training dataset comes first.
    pub fn datasets(&self, project_id: &str) -> Result<Vec<Dataset>, StoreError> {
        self.db().read(|db| list(db, project::seq(db, project_id)?))
    }

    /// The dataset of this name in a project, if there is one.
    pub fn dataset_named(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Option<Dataset>, StoreError> {
        self.db()
            .read(|db| by_name(db, project::seq(db, project_id)?, name))
    }

    /// The dataset of this identifier.
    pub fn dataset(&self, id: &str) -> Result<Dataset, StoreError> {
        self.db().read(|db| {
            let query = format!("SELECT {COLUMNS} FROM dataset WHERE id = ?1");
            let found = db
                .prepare_cached(&query)?
                .query_row([id], read)
                .optional()?;
            Ok(found.ok_or_else(|| StoreError::not_found("dataset", id))?)
        })
    }

    /// The identifier of the project to which a dataset belongs.
    pub fn project_of_dataset(&self, dataset_id: &str) -> Result<String, StoreError> {
        self.db().read(|db| {
            let query =
                "SELECT p.id FROM dataset d JOIN project p ON p.seq = d.project WHERE d.id = ?1";
            let mut statement = db.prepare_cached(query)?;
            let found = statement
                .query_row([dataset_id], |row| row.get(0))
                .optional()?;
            Ok(found.ok_or_else(|| StoreError::not_found("dataset", dataset_id))?)
        })
    }

    /// Gives a dataset another name.
    pub fn rename_dataset(&self, id: &str, name: &str) -> Result<Dataset, StoreError> {
        check_name(name)?;
        self.db().write(|db| {
            let (seq, _) = find(db, id)?;
            let query = "SELECT EXISTS (SELECT 1 FROM dataset a JOIN dataset b USING (project)
                         WHERE a.seq = ?1 AND b.seq <> ?1 AND b.name = ?2)";
            if db.query_row(query, params![seq, name], |row| row.get(0))? {
                let name = name.to_owned();
                return Err(StoreError::DatasetExists { name }.into());
            }
            db.execute(
                "UPDATE dataset SET name = ?2 WHERE seq = ?1",
                params![seq, name],
            )?;
            Ok(find(db, id)?.1)
        })
    }

    /// Deletes a dataset with its images; not the training dataset.
    pub fn delete_dataset(&self, id: &str) -> Result<(), StoreError> {
        self.db().write(|db| {
            let (seq, dataset) = find(db, id)?;
            if dataset.use_for_training {
                let name = dataset.name;
                return Err(StoreError::TrainingDataset { name }.into());
            }
            db.execute("DELETE FROM dataset WHERE seq = ?1", [seq])?;
            Ok(())
        })?;
        self.sweep_garbage()?;
        self.after_write()
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let length = name.chars().count();
    if !name.trim().is_empty() && length <= MAX_NAME {
        return Ok(());
    }
    Err(StoreError::BadName {
        what: "dataset name",
        value: name.chars().take(40).collect(),
        limit: MAX_NAME,
    })
}

/// Adds the row of a dataset.
pub(crate) fn insert(
    db: &Connection,
    project: i64,
    name: &str,
    use_for_training: bool,
    now: Timestamp,
) -> Result<Dataset, Fault> {
    let created = to_micros(now);
    let dataset = Dataset {
        id: object_id(now)?,
        name: name.to_owned(),
        use_for_training,
        creation_time: Some(from_micros(created)),
    };
    db.execute(
        "INSERT INTO dataset (id, project, name, use_for_training, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![dataset.id, project, name, use_for_training, created],
    )?;
    Ok(dataset)
}

/// The datasets of a project; the training dataset comes first.
pub(crate) fn list(db: &Connection, project: i64) -> Result<Vec<Dataset>, Fault> {
    let query = format!(
        "SELECT {COLUMNS} FROM dataset WHERE project = ?1 ORDER BY use_for_training DESC, seq"
    );
    let mut rows = db.prepare_cached(&query)?;
    let datasets = rows.query_map([project], read)?;
    Ok(datasets.collect::<Result<_, _>>()?)
}

/// A dataset and its row number.
pub(crate) fn find(db: &Connection, id: &str) -> Result<(i64, Dataset), Fault> {
    let query = format!("SELECT {COLUMNS}, seq FROM dataset WHERE id = ?1");
    let mut statement = db.prepare_cached(&query)?;
    let found = statement.query_row([id], |row| Ok((row.get(4)?, read(row)?)));
    let found = found.optional()?;
    Ok(found.ok_or_else(|| StoreError::not_found("dataset", id))?)
}

fn by_name(db: &Connection, project: i64, name: &str) -> Result<Option<Dataset>, Fault> {
    let query = format!("SELECT {COLUMNS} FROM dataset WHERE project = ?1 AND name = ?2");
    let mut statement = db.prepare_cached(&query)?;
    Ok(statement
        .query_row(params![project, name], read)
        .optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Dataset> {
    Ok(Dataset {
        id: row.get(0)?,
        name: row.get(1)?,
        use_for_training: row.get(2)?,
        creation_time: Some(from_micros(row.get(3)?)),
    })
}

/// The dataset as the REST API writes it.
pub(crate) fn to_json(dataset: &Dataset) -> Value {
    json!({
        "id": dataset.id,
        "name": dataset.name,
        "use_for_training": dataset.use_for_training,
        "creation_time": dataset.creation_time.map(render_time),
    })
}
