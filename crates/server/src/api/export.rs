//! Exports: a job writes an archive, and a download hands it out.
//!
//! A project's archive holds `straylight.json` (the project, and for each dataset its images
//! with their annotations) and `images/<id>.<extension>`, and the same for videos.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use straylight_core::NoProgress;
use straylight_files::{create_private_folder, private_file};
use straylight_formats::{Format, LeftOut, Shares, WriteReport};
use straylight_geti::wire::JobRef;
use straylight_store::{ImageFilter, ImageSort, Page, SortDirection};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::deployments::stream;
use super::endpoint::PR;
use super::export_request::ExportRequest;
use super::extract::{Ids, Query};
use super::{ApiError, ApiResult, Endpoint, archived_videos, dataset_files, lookup, render};
use crate::app::{App, Shared};
use crate::jobs::{Jobs, NewJob};
use crate::pack;

/// How often an export is begun because images are deleted meanwhile.
const TRIES: usize = 3;

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
    let request = ExportRequest::read(&query)?;
    let (project, dataset) = app.run(move |app| lookup::dataset(app, &ids)).await?;
    let what = match request.format {
        Some(format) => What::Files(dataset.id, format, Box::new(request)),
        None => What::Archive(Some((dataset.name, request.filter))),
    };
    start(&app, project.id, what, "export_dataset", "Dataset export").await
}

/// What an export holds.
enum What {
    /// The project, or the images of one dataset of this name, with all that the store knows.
    Archive(Option<(String, ImageFilter)>),
    /// A dataset in a format of others.
    Files(String, Format, Box<ExportRequest>),
}

async fn export_project(app: &Shared, ids: Ids) -> ApiResult<Json<JobRef>> {
    let id = ids.project().to_owned();
    app.run(move |app| Ok(app.store.project(ids.project())?))
        .await?;
    start(
        app,
        id,
        What::Archive(None),
        "export_project",
        "Project export",
    )
    .await
}

async fn start(
    app: &Shared,
    project: String,
    what: What,
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
        let path = archive_path(app, &project, &key);
        let mut told = Map::new();
        let size = current(app, &project, &path, |file| match &what {
            What::Archive(only) => fill(app, &project, only.as_ref(), file, &mut told),
            What::Files(dataset, format, request) => {
                let dataset = (project.as_str(), dataset.as_str());
                fill_files(app, dataset, *format, request, (&path, file), &mut told)
            }
        })?;
        let base = render::base(app.store.workspace());
        let url = format!("{base}/projects/{project}/exports/{key}/download");
        told.insert("download_url".to_owned(), json!(url));
        told.insert("size".to_owned(), json!(size));
        Ok(told)
    })
    .await?;
    Ok(Json(JobRef { job_id }))
}

fn archive_path(app: &App, project: &str, key: &str) -> PathBuf {
    let name = format!("{project}.{key}.zip");
    app.store.root().join("uploads").join(name)
}

/// Removes the archives of a project: something of what they hold was deleted.
pub(super) fn forget(app: &App, project: &str) {
    let entries = fs::read_dir(app.store.root().join("uploads"));
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(project));
        let rest = rest.and_then(|rest| rest.strip_suffix(".zip"));
        if rest.is_some_and(|rest| rest.starts_with('.')) {
            // One that cannot be removed is removed as abandoned.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes an archive anew until nothing was deleted from the project meanwhile.
fn current(
    app: &App,
    project: &str,
    path: &Path,
    mut fill: impl FnMut(File) -> ApiResult<u64>,
) -> ApiResult<u64> {
    for _ in 0..TRIES {
        let before = app.store.deletions(project)?;
        let written = write(path, &mut fill);
        // Asked when the archive has its name: a later deletion finds it there.
        if app.store.deletions(project)? == before {
            return written;
        }
        let _ = fs::remove_file(path);
    }
    Err(ApiError::bad(
        "Images were deleted while the export was written: start it again",
    ))
}

pub(super) fn failed(error: &io::Error) -> ApiError {
    match error.kind() {
        io::ErrorKind::StorageFull => ApiError::new(
            straylight_geti::wire::ErrorCode::NotEnoughSpace,
            "The server's disk is full",
        ),
        _ => ApiError::Internal(format!("an archive could not be written: {error}")),
    }
}

/// Writes the archive beside its place and renames it; its size in bytes.
fn write(path: &Path, fill: impl FnOnce(File) -> ApiResult<u64>) -> ApiResult<u64> {
    let dir = path.parent().unwrap_or(path);
    create_private_folder(dir).map_err(|e| failed(&e.source))?;
    let part = path.with_extension("part");
    let file = private_file()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&part);
    let written = file.map_err(|e| failed(&e)).and_then(fill);
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

/// Writes the files of a format into a folder of their own, packs them and removes the folder;
/// `told` gets what was written and what was not.
fn fill_files(
    app: &App,
    (project, dataset): (&str, &str),
    format: Format,
    request: &ExportRequest,
    (path, file): (&Path, File),
    told: &mut Map<String, Value>,
) -> ApiResult<u64> {
    let (mut set, left_out) = dataset_files::to_set(app, project, dataset, request)?;
    if set.images.is_empty() {
        let message = match left_out.total() {
            0 => "No image is to be exported".to_owned(),
            _ => format!("No image is to be exported: {left_out}"),
        };
        return Err(ApiError::bad(message));
    }
    let shares = request
        .split
        .map(|split| split.apply(&mut set, &NoProgress));
    let folder = path.with_extension("files");
    fs::create_dir(&folder).map_err(|e| failed(&e))?;
    let written = straylight_formats::write(&set, &folder, format, &request.write)
        .map_err(|e| dataset_files::unusable(&e))
        .and_then(|report| {
            *told = describe(&report, left_out, shares.as_ref());
            pack::pack(&folder, file).map_err(|e| failed(&e))
        });
    // What cannot be removed now is removed as abandoned.
    let _ = fs::remove_dir_all(&folder);
    written
}

/// What an export wrote, for programs and, under `message`, for people.
fn describe(
    report: &WriteReport,
    left_out: LeftOut,
    shares: Option<&Shares>,
) -> Map<String, Value> {
    let parts = shares.map(|shares| {
        let parts = shares.parts.iter();
        parts
            .map(|(name, count)| format!("{name} {count}"))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let mut lines = vec![format!(
        "{} images, {} objects",
        report.images, report.objects
    )];
    lines.extend(parts);
    lines.extend(Some(left_out.to_string()).filter(|text| !text.is_empty()));
    lines.extend(report.summary());
    Map::from_iter([
        ("images".to_owned(), json!(report.images)),
        ("objects".to_owned(), json!(report.objects)),
        ("losses".to_owned(), json!(report.losses)),
        (
            "left_out".to_owned(),
            json!({
                "rejected": left_out.rejected, "unlabelled": left_out.unlabelled,
                "frames": left_out.frames,
            }),
        ),
        ("message".to_owned(), json!(lines.join("; "))),
    ])
}

/// Writes the archive of our own; `told` gets what is not in it.
fn fill(
    app: &App,
    project: &str,
    only: Option<&(String, ImageFilter)>,
    file: File,
    told: &mut Map<String, Value>,
) -> ApiResult<u64> {
    let mut zip = ZipWriter::new(file);
    let mut datasets = Vec::new();
    for dataset in app.store.datasets(project)? {
        if only.is_none_or(|(name, _)| *name == dataset.name) {
            let filter = only.map(|(_, filter)| filter.clone()).unwrap_or_default();
            let images = write_images(app, &dataset.id, &filter, &mut zip)?;
            let videos = if filter == ImageFilter::default() {
                archived_videos::write(app, &dataset.id, &mut zip)?
            } else {
                videos_left_out(app, &dataset.id, told)?;
                Vec::new()
            };
            datasets.push(json!({"name": dataset.name, "images": images, "videos": videos}));
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

/// Says that a filter, which is one of images, leaves the videos of a dataset out.
fn videos_left_out(app: &App, dataset: &str, told: &mut Map<String, Value>) -> ApiResult<()> {
    let order = SortDirection::Ascending;
    let videos = app
        .store
        .videos(dataset, "", order, Page::ALL)?
        .videos
        .len();
    if videos > 0 {
        told.insert("left_out".to_owned(), json!({ "videos": videos }));
        let message = format!("videos left out: {videos}, as the filter is one of images");
        told.insert("message".to_owned(), json!(message));
    }
    Ok(())
}

fn write_images(
    app: &App,
    dataset: &str,
    filter: &ImageFilter,
    zip: &mut ZipWriter<File>,
) -> ApiResult<Vec<Value>> {
    let sort = (ImageSort::UploadedAt, SortDirection::Ascending);
    let mut described = Vec::new();
    loop {
        let page = Page {
            skip: described.len() as u64,
            limit: 500,
        };
        let found = app.store.images(dataset, filter, sort, page)?;
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
                "hook": image.hook, "source": image.source, "reason": image.reason,
                "captured_at": image.captured_at.to_string(), "review": image.review.name(),
                "annotations": annotations, "prediction": prediction,
            }));
        }
    }
}

async fn download(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let path = archive_path(&app, ids.project(), ids.get("j"));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use straylight_core::{ImageFormat, TaskType};
    use straylight_store::{NewImage, NewProject, Store};
    use zip::ZipArchive;

    use super::*;
    use crate::ServerConfig;
    use crate::hosts::HostNames;

    #[test]
    fn an_export_in_progress_loses_what_is_deleted_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let new = NewProject::single("birds", TaskType::Classification, &["cat", "dog"]);
        let project = store.create_project(&new).unwrap();
        let add = |name: &str| {
            let new = NewImage::new(name, name.as_bytes().into(), ImageFormat::Png, (4, 3));
            let added = store.add_image(&project.datasets[0].id, &new).unwrap();
            added.image().id.clone()
        };
        let images = ["a", "b", "c", "d", "e"].map(add);
        let config = ServerConfig::default();
        let app = App::new(Arc::clone(&store), config, None, HostNames::default()).unwrap();
        let path = archive_path(&app, &project.id, "key");
        // So many are deleted, one while each try is written.
        let export = |from: usize, deleted: usize| {
            let mut tries = 0;
            let size = current(&app, &project.id, &path, |file| {
                let size = fill(&app, &project.id, None, file, &mut Map::new());
                if tries < deleted {
                    store.delete_image(&images[from + tries]).unwrap();
                }
                tries += 1;
                size
            });
            (size.is_ok(), tries)
        };
        assert_eq!(export(0, 1), (true, 2));
        let zip = ZipArchive::new(File::open(&path).unwrap()).unwrap();
        let names = zip.file_names().map(|name| name.unwrap().into_owned());
        let names: Vec<String> = names.collect();
        assert_eq!(names.len(), 5, "four images and the description: {names:?}");
        assert!(
            !names.iter().any(|name| name.contains(&images[0])),
            "{names:?}"
        );
        assert_eq!(export(1, TRIES), (false, TRIES));
        assert!(
            !path.exists(),
            "nothing is left of an export that was given up"
        );
    }
}
