use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};
use straylight_core::Project;

use super::{build, check, new::NewProject};
use crate::clock::{from_micros, render_time, to_micros};
use crate::error::{Fault, StoreError};
use crate::id::object_id;
use crate::image::Page;
use crate::store::Store;
use crate::{dataset, is_object_id};

const COLUMNS: &str = "seq, id, name, created_at, json";

impl Store {
    /// Makes a project and its training dataset, named "Dataset".
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] with the platform's code when the description is wrong.
    pub fn create_project(&self, new: &NewProject) -> Result<Project, StoreError> {
        check::check(new)?;
        let project = build::build(new, self.clock().now())?;
        let mut value = to_value(&project, self)?;
        for task in &new.tasks {
            if let Some(structure) = &task.keypoint_structure {
                set_in_task(&mut value, &task.title, structure);
            }
        }
        self.insert_project(&value)
    }

    /// Takes over a project as a REST answer or a deployment's `project.json` gives it.
    ///
    /// Its identifiers stay, so that a deployment keeps fitting to its project. When a project
    /// of this id is there already, that one is returned unchanged.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] when it is no project, or one without a trainable task.
    pub fn import_project(&self, value: &Value) -> Result<Project, StoreError> {
        let mut project = parse(value)?;
        if project.trainable_tasks().next().is_none() {
            return Err(bad("the project has no trainable task").into());
        }
        if !is_object_id(&project.id) {
            project.id = object_id(self.clock().now())?;
        }
        if let Ok(found) = self.project(&project.id) {
            return Ok(found);
        }
        let mut value = value.clone();
        value["id"] = json!(project.id);
        self.insert_project(&value)
    }

    fn insert_project(&self, value: &Value) -> Result<Project, StoreError> {
        let project = parse(value)?;
        let now = self.clock().now();
        let created = to_micros(project.creation_time.unwrap_or(now));
        let text = stored_text(value)?;
        let result = self.db().write(|db| {
            let row = params![project.id, project.name, created, text];
            db.execute(
                "INSERT INTO project (id, name, created_at, json) VALUES (?1, ?2, ?3, ?4)",
                row,
            )?;
            let seq = db.last_insert_rowid();
            dataset::insert(db, seq, "Dataset", true, now)?;
            with_datasets(db, seq, from_text(&text, created)?)
        })?;
        self.after_write()?;
        Ok(result)
    }

    /// The projects in the order of their creation, with how many there are in all.
    pub fn projects(&self, page: Page) -> Result<(Vec<Project>, u64), StoreError> {
        self.db().read(|db| {
            let query = format!("SELECT {COLUMNS} FROM project ORDER BY seq LIMIT ?1 OFFSET ?2");
            let mut rows = db.prepare_cached(&query)?;
            let rows = rows.query_map(params![page.limit as i64, page.skip as i64], stored)?;
            let rows: Vec<Stored> = rows.collect::<Result<_, _>>()?;
            let projects = rows.into_iter().map(|row| row.project(db));
            let projects = projects.collect::<Result<_, Fault>>()?;
            let total: i64 = db.query_row("SELECT count(*) FROM project", [], |row| row.get(0))?;
            Ok((projects, total as u64))
        })
    }

    /// The project of this identifier.
    pub fn project(&self, id: &str) -> Result<Project, StoreError> {
        self.db().read(|db| find(db, id)?.project(db))
    }

    /// The project of this identifier as JSON, with keys that [`Project`] does not know.
    pub fn project_json(&self, id: &str) -> Result<Value, StoreError> {
        self.db().read(|db| {
            let stored = find(db, id)?;
            let mut value: Value = serde_json::from_str(&stored.json)?;
            value["creation_time"] = json!(render_time(from_micros(stored.created)));
            let datasets = dataset::list(db, stored.seq)?;
            value["datasets"] = datasets.iter().map(dataset::to_json).collect();
            Ok(value)
        })
    }

    /// All projects of this name, which need not be unique, the oldest first.
    pub fn projects_named(&self, name: &str) -> Result<Vec<Project>, StoreError> {
        self.db().read(|db| {
            let query = format!("SELECT {COLUMNS} FROM project WHERE name = ?1 ORDER BY seq");
            let mut rows = db.prepare_cached(&query)?;
            let rows: Vec<Stored> = rows.query_map([name], stored)?.collect::<Result<_, _>>()?;
            rows.into_iter().map(|row| row.project(db)).collect()
        })
    }

    /// Replaces what is kept of a project except its id, time and datasets.
    pub fn update_project(&self, value: &Value) -> Result<Project, StoreError> {
        let project = parse(value)?;
        let text = stored_text(value)?;
        self.db().write(|db| {
            let stored = find(db, &project.id)?;
            db.execute(
                "UPDATE project SET name = ?2, json = ?3 WHERE seq = ?1",
                params![stored.seq, project.name, text],
            )?;
            find(db, &project.id)?.project(db)
        })
    }

    /// Deletes a project with all its datasets, images and annotations.
    pub fn delete_project(&self, id: &str) -> Result<(), StoreError> {
        self.db().write(|db| {
            let stored = find(db, id)?;
            db.execute("DELETE FROM project WHERE seq = ?1", [stored.seq])?;
            db.execute("DELETE FROM setting WHERE scope = ?1", [id])?;
            Ok(())
        })?;
        self.sweep_garbage()?;
        self.collect_deployments()?;
        self.after_write()
    }
}

/// A row of the table.
struct Stored {
    seq: i64,
    created: i64,
    json: String,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        seq: row.get(0)?,
        created: row.get(3)?,
        json: row.get(4)?,
    })
}

impl Stored {
    fn project(self, db: &Connection) -> Result<Project, Fault> {
        with_datasets(db, self.seq, from_text(&self.json, self.created)?)
    }
}

fn find(db: &Connection, id: &str) -> Result<Stored, Fault> {
    let query = format!("SELECT {COLUMNS} FROM project WHERE id = ?1");
    let found = db
        .prepare_cached(&query)?
        .query_row([id], stored)
        .optional()?;
    Ok(found.ok_or_else(|| StoreError::not_found("project", id))?)
}

/// The row number of a project.
pub(crate) fn seq(db: &Connection, id: &str) -> Result<i64, Fault> {
    Ok(find(db, id)?.seq)
}

fn with_datasets(db: &Connection, seq: i64, mut project: Project) -> Result<Project, Fault> {
    project.datasets = dataset::list(db, seq)?;
    Ok(project)
}

fn from_text(text: &str, created: i64) -> Result<Project, Fault> {
    let mut project: Project = serde_json::from_str(text)?;
    project.creation_time = Some(from_micros(created));
    Ok(project)
}

fn parse(value: &Value) -> Result<Project, check::InvalidProject> {
    serde_json::from_value(value.clone()).map_err(|e| bad(&e.to_string()))
}

fn bad(what: &str) -> check::InvalidProject {
    check::InvalidProject {
        code: "bad_request",
        message: format!("not a project: {what}"),
    }
}

fn to_value(project: &Project, store: &Store) -> Result<Value, StoreError> {
    let path = store.db().path();
    serde_json::to_value(project).map_err(|e| Fault::from(e).at(path))
}

/// What goes into the `json` column: datasets have a table of their own.
fn stored_text(value: &Value) -> Result<String, check::InvalidProject> {
    let mut value = value.clone();
    let object = value
        .as_object_mut()
        .ok_or_else(|| bad("it is no JSON object"))?;
    object.remove("datasets");
    Ok(value.to_string())
}

fn set_in_task(project: &mut Value, title: &str, structure: &Value) {
    let tasks = project
        .pointer_mut("/pipeline/tasks")
        .and_then(Value::as_array_mut);
    let mut tasks = tasks.into_iter().flatten();
    if let Some(task) = tasks.find(|task| task["title"] == title) {
        task["keypoint_structure"] = structure.clone();
    }
}
