//! Exports: a job writes an archive, and a download hands it out.
//!
//! A project's archive holds `straylight.json` (the project, and for each dataset its images
//! with their annotations) and `images/<id>.<extension>`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use straylight_geti::wire::JobRef;
use straylight_store::{ImageFilter, ImageSort, Page, SortDirection};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::deployments::stream;
use super::endpoint::PR;
use super::extract::{Ids, Query};
use super::{ApiError, ApiResult, Endpoint, lookup, render};
use crate::app::{App, Shared};
use crate::jobs::{Jobs, NewJob};

/// The formats in which a dataset can be exported, with their names for people.
pub(crate) const EXPORT_FORMATS: [(&str, &str); 1] = [("geti", "Straylight (zip)")];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::at(PR, "/exports/{j}/download").get("The archive that a job made", download)]
}

/// `POST {p}:export` and `POST {p}:train`.
pub(super) async fn project_action(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<JobRef>> {
    match ids.action.as_deref() {
        Some("export") => export_project(&app, ids).await,
        Some("train") => Err(ApiError::bad(
            "This server runs models and does not train them: train elsewhere, then import the deployment",
        )),
        _ => Err(ApiError::bad(
            "The actions on a project are `:export` and `:train`",
        )),
    }
}

/// `POST {d}:prepare-for-export`.
pub(super) async fn dataset_action(
    State(app): State<Shared>,
    ids: Ids,
    query: Query,
) -> ApiResult<Json<JobRef>> {
    if ids.action.as_deref() != Some("prepare-for-export") {
        return Err(ApiError::bad(
            "The action on a dataset is `:prepare-for-export`",
        ));
    }
    let format = query.text("export_format").unwrap_or("geti").to_lowercase();
    if !EXPORT_FORMATS.iter().any(|(known, _)| *known == format) {
        return Err(ApiError::bad(format!(
            "`{format}` is no export format of this server"
        )));
    }
    let (project, dataset) = app.run(move |app| lookup::dataset(app, &ids)).await?;
    start(
        &app,
        project.id,
        Some(dataset.name),
        "export_dataset",
        "Dataset export",
    )
    .await
}

async fn export_project(app: &Shared, ids: Ids) -> ApiResult<Json<JobRef>> {
    let id = ids.project().to_owned();
    app.run(move |app| Ok(app.store.project(ids.project())?))
        .await?;
    start(app, id, None, "export_project", "Project export").await
}

async fn start(
    app: &Shared,
    project: String,
    dataset: Option<String>,
    kind: &'static str,
    name: &'static str,
) -> ApiResult<Json<JobRef>> {
    let job = NewJob {
        kind,
        name,
        project_id: Some(project.clone()),
        metadata: Map::new(),
    };
    let key = app.run(|app| Ok(app.store.new_id()?)).await?;
    let job_id = Jobs::start(app, job, move |app| {
        let path = archive_path(app, &key);
        let size = write(app, &project, dataset.as_deref(), &path)?;
        let base = render::base(app.store.workspace());
        let url = format!("{base}/projects/{project}/exports/{key}/download");
        Ok(Map::from_iter([
            ("download_url".to_owned(), json!(url)),
            ("size".to_owned(), json!(size)),
        ]))
    })
    .await?;
    Ok(Json(JobRef { job_id }))
}

fn archive_path(app: &App, key: &str) -> PathBuf {
    app.store.root().join("uploads").join(format!("{key}.zip"))
}

fn failed(error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::StorageFull => ApiError::new(
            straylight_geti::wire::ErrorCode::NotEnoughSpace,
            "The server's disk is full",
        ),
        _ => ApiError::Internal(format!("an archive could not be written: {error}")),
    }
}

/// Writes the archive beside its place and renames it; its size in bytes.
fn write(app: &App, project: &str, only: Option<&str>, path: &Path) -> ApiResult<u64> {
    let dir = path.parent().unwrap_or(path);
    fs::create_dir_all(dir).map_err(|e| failed(&e))?;
    let part = path.with_extension("part");
    let written = File::create(&part)
        .map_err(|e| failed(&e))
        .and_then(|file| fill(app, project, only, file));
    let size = match written {
        Ok(size) => size,
        Err(error) => {
            let _ = fs::remove_file(&part);
            return Err(error);
        }
    };
    fs::rename(&part, path).map_err(|e| failed(&e))?;
    Ok(size)
}

fn fill(app: &App, project: &str, only: Option<&str>, file: File) -> ApiResult<u64> {
    let mut zip = ZipWriter::new(file);
    let mut datasets = Vec::new();
    for dataset in app.store.datasets(project)? {
        if only.is_none_or(|name| name == dataset.name) {
            let images = write_images(app, &dataset.id, &mut zip)?;
            datasets.push(json!({"name": dataset.name, "images": images}));
        }
    }
    let description = json!({"project": app.store.project_json(project)?, "datasets": datasets});
    let finish = || -> io::Result<u64> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("straylight.json", options)?;
        zip.write_all(description.to_string().as_bytes())?;
        let file = zip.finish()?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    };
    finish().map_err(|e| failed(&e))
}

fn write_images(app: &App, dataset: &str, zip: &mut ZipWriter<File>) -> ApiResult<Vec<Value>> {
    let sort = (ImageSort::UploadedAt, SortDirection::Ascending);
    let mut described = Vec::new();
    loop {
        let page = Page {
            skip: described.len() as u64,
            limit: 500,
        };
        let found = app
            .store
            .images(dataset, &ImageFilter::default(), sort, page)?;
        if found.images.is_empty() {
            return Ok(described);
        }
        for image in found.images {
            let file = format!("images/{}.{}", image.id, image.format.extension());
            // Image files are compressed already.
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            let bytes = app.store.image_bytes(&image.id)?;
            zip.start_file(&file, options)
                .map_err(io::Error::from)
                .and_then(|()| zip.write_all(&bytes))
                .map_err(|e| failed(&e))?;
            let annotations = app.store.annotation(&image.id)?.map(|s| s.annotations);
            let prediction = app.store.prediction(&image.id)?.map(|s| s.annotations);
            described.push(json!({
                "name": image.name, "file": file, "ood_score": image.ood_score,
                "hook": image.hook, "reason": image.reason,
                "annotations": annotations, "prediction": prediction,
            }));
        }
    }
}

async fn download(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let path = archive_path(&app, ids.get("j"));
    let file = app
        .run(move |_| {
            let missing = "There is no such archive (any more)".to_owned();
            File::open(path).map_err(|_| ApiError::Status(StatusCode::NOT_FOUND, missing))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"export.zip\"",
        ),
    ];
    Ok((headers, stream(file)).into_response())
}
