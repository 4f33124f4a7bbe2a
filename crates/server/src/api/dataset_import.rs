//! Projects made of uploaded datasets, in any of the formats that `straylight-formats` reads.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};
use straylight_core::TaskType;
use straylight_files::unpack_nested;
use straylight_formats::{ARCHIVE_LIMITS, AnnotatedSet, ReadOptions, SetFiles};
use straylight_geti::wire::{ImportDatasetRequest, JobRef};

use super::endpoint::W;
use super::extract::{Ids, JsonBody, Query};
use super::imports::broken;
use super::{ApiError, ApiResult, Endpoint, dataset_files, uploads};
use crate::app::{App, Shared};
use crate::jobs::{Jobs, NewJob};

/// Problems of a set that are told; the log has them all.
const TOLD: usize = 20;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(W, "/datasets:prepare-for-import").post(
            "Look what projects can be made of an uploaded dataset",
            prepare,
        ),
        Endpoint::at(W, "/projects:import-from-dataset")
            .post("Make a project of an uploaded dataset", import),
    ]
}

async fn prepare(State(app): State<Shared>, _ids: Ids, query: Query) -> ApiResult<Json<JobRef>> {
    let file_id = query.text("file_id").unwrap_or_default().to_owned();
    let checked = file_id.clone();
    app.run(move |app| uploads::complete_file(app, &checked))
        .await?;
    let job = new_job("prepare_import_to_new_project", "Dataset check", &file_id);
    let job_id = Jobs::start(&app, job, move |app| {
        let set = read(app, &file_id)?;
        Ok(Map::from_iter([
            ("supported_project_types".to_owned(), supported(&set.0)),
            ("warnings".to_owned(), json!(set.1)),
        ]))
    })
    .await?;
    Ok(Json(JobRef { job_id }))
}

fn new_job(kind: &'static str, name: &'static str, file_id: &str) -> NewJob {
    NewJob {
        kind,
        name,
        project_id: None,
        metadata: Map::from_iter([
            ("file_id".to_owned(), json!(file_id)),
            // The SDK reads these keys before the job has ended.
            ("project".to_owned(), json!({"id": null, "name": null})),
        ]),
    }
}

fn supported(set: &AnnotatedSet) -> Value {
    let labels: Vec<Value> = set.labels.iter().map(|l| json!({"name": l.name})).collect();
    let entry = |task_type: TaskType| {
        let name = platform_name(task_type);
        let task = json!({"title": name, "task_type": name, "labels": labels});
        let dataset = json!({"title": "Dataset", "task_type": "dataset", "labels": []});
        json!({"project_type": name, "pipeline": {"tasks": [dataset, task], "connections": []}})
    };
    let types = dataset_files::project_types(set);
    types.into_iter().map(entry).collect()
}

/// The platform names turned boxes differently here.
fn platform_name(task_type: TaskType) -> String {
    if task_type == TaskType::RotatedDetection {
        return "detection_oriented".to_owned();
    }
    let name = super::render::task_type(task_type);
    name.as_str().unwrap_or_default().to_owned()
}

async fn import(
    State(app): State<Shared>,
    _ids: Ids,
    JsonBody(request): JsonBody<ImportDatasetRequest>,
) -> ApiResult<Json<JobRef>> {
    let checked = request.file_id.clone();
    app.run(move |app| uploads::complete_file(app, &checked))
        .await?;
    let job = new_job(
        "perform_import_to_new_project",
        "Dataset import",
        &request.file_id,
    );
    let job_id = Jobs::start(&app, job, move |app| {
        let (set, mut warnings) = read(app, &request.file_id)?;
        let types = dataset_files::project_types(&set);
        let task_type = types
            .into_iter()
            .find(|t| platform_name(*t) == request.task_type);
        let task_type = task_type.ok_or_else(|| {
            ApiError::bad(format!(
                "The dataset cannot become a project of type `{}`",
                request.task_type
            ))
        })?;
        let labels: Vec<String> = request.labels.iter().map(|l| l.name.clone()).collect();
        let name = &request.project_name;
        let (project, said) = dataset_files::to_project(app, &set, name, task_type, &labels)?;
        warnings.extend(said.iter().take(TOLD).map(warning));
        remove(app, &request.file_id);
        Ok(Map::from_iter([
            ("project_id".to_owned(), json!(project.id)),
            (
                "project".to_owned(),
                json!({"id": project.id, "name": project.name}),
            ),
            ("warnings".to_owned(), json!(warnings)),
        ]))
    })
    .await?;
    Ok(Json(JobRef { job_id }))
}

fn folder(app: &App, file_id: &str) -> PathBuf {
    app.store
        .root()
        .join("uploads")
        .join(format!("{file_id}.files"))
}

fn remove(app: &App, file_id: &str) {
    // What cannot be removed now is removed as abandoned.
    let _ = fs::remove_dir_all(folder(app, file_id));
    uploads::remove(app, file_id);
}

/// Unpacks and reads an uploaded set; with what is wrong in it.
fn read(app: &App, file_id: &str) -> ApiResult<(AnnotatedSet, Vec<Value>)> {
    let archive = uploads::complete_file(app, file_id)?;
    let folder = folder(app, file_id);
    // A half that an earlier try left is done again.
    let _ = fs::remove_dir_all(&folder);
    let archive = File::open(archive).map_err(broken)?;
    unpack_nested(BufReader::new(archive), &folder, &ARCHIVE_LIMITS).map_err(broken)?;
    let report =
        SetFiles::find(&folder, None).and_then(|files| files.read(&ReadOptions::default()));
    let report = report.map_err(|e| dataset_files::unusable(&e))?;
    for problem in &report.problems {
        tracing::warn!(%problem, "a part of an uploaded dataset is left out");
    }
    let warnings = report.problems.iter().take(TOLD).map(warning);
    Ok((report.set, warnings.collect()))
}

fn warning(what: impl std::fmt::Display) -> Value {
    json!({"type": "warning", "name": "Left out", "description": what.to_string()})
}
