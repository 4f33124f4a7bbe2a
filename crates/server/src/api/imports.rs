use std::fs::File;
use std::io::{BufReader, Read};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use straylight_core::ImageFormat;
use straylight_formats::ARCHIVE_LIMITS;
use straylight_geti::wire::{ImportProjectRequest, JobRef};
use straylight_store::{NewImage, Review, StoredAnnotation};

use super::archived_videos::{self, ArchivedVideo};
use super::endpoint::W;
use super::extract::{Ids, JsonBody};
use super::{ApiError, ApiResult, Endpoint, uploads};
use crate::app::{App, Shared};
use crate::jobs::{Jobs, NewJob};

/// The greatest size of one file in an archive, unpacked, in bytes.
const MAX_ENTRY: u64 = 256 << 20;
/// Bytes of a file that tell its format.
const HEAD: u64 = 64 << 10;
pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::at(W, "/projects:import").post("Make a project of an uploaded archive", project)]
}

/// Starts the import of an archive that `{p}:export` made.
async fn project(
    State(app): State<Shared>,
    _ids: Ids,
    JsonBody(request): JsonBody<ImportProjectRequest>,
) -> ApiResult<Json<JobRef>> {
    let file_id = request.file_id.clone();
    app.run(move |app| uploads::complete_file(app, &file_id))
        .await?;
    let job = NewJob {
        kind: "import_project",
        name: "Project import",
        project_id: None,
        metadata: Map::from_iter([
            ("file_id".to_owned(), json!(request.file_id)),
            // The SDK reads the key before the job has ended.
            (
                "project".to_owned(),
                json!({"id": null, "name": request.project_name}),
            ),
        ]),
    };
    let job_id = Jobs::start(&app, job, move |app| {
        let path = uploads::complete_file(app, &request.file_id)?;
        let id = import(app, &path, request.project_name.as_deref())?;
        uploads::remove(app, &request.file_id);
        let project = json!({"id": id});
        Ok(Map::from_iter([
            ("project_id".to_owned(), json!(id)),
            ("project".to_owned(), project),
        ]))
    })
    .await?;
    Ok(Json(JobRef { job_id }))
}

/// What `project.json` of an archive holds besides the project.
#[derive(Deserialize)]
struct Archived {
    project: Value,
    datasets: Vec<ArchivedDataset>,
}

#[derive(Deserialize)]
struct ArchivedDataset {
    name: String,
    images: Vec<ArchivedImage>,
    #[serde(default)]
    videos: Vec<ArchivedVideo>,
}

/// One image of an archive, as `export` writes it.
#[derive(Deserialize)]
struct ArchivedImage {
    name: String,
    file: String,
    #[serde(default)]
    annotations: Option<Vec<StoredAnnotation>>,
    #[serde(default)]
    prediction: Option<Vec<StoredAnnotation>>,
    /// What a person decided; archives of earlier versions do not say.
    #[serde(default)]
    review: String,
}

pub(super) fn broken(error: impl std::fmt::Display) -> ApiError {
    ApiError::bad(format!("The archive cannot be read: {error}"))
}

/// Makes the project; when anything fails it is deleted again.
fn import(app: &App, path: &std::path::Path, name: Option<&str>) -> ApiResult<String> {
    let file = File::open(path).map_err(broken)?;
    let mut zip = Archive::open(BufReader::new(file), &ARCHIVE_LIMITS).map_err(broken)?;
    let text = zip.entry("straylight.json", MAX_ENTRY).map_err(broken)?;
    let archived: Archived = serde_json::from_reader(BufReader::new(text)).map_err(broken)?;
    let mut project = archived.project;
    // A new identifier: the original may be in this very store.
    project["id"] = json!("");
    if let Some(name) = name {
        project["name"] = json!(name);
    }
    let made = app.store.import_project(&project)?;
    let filled = fill(app, &made.id, &mut zip, archived.datasets);
    if filled.is_err() {
        app.store.delete_project(&made.id)?;
    }
    filled.map(|()| made.id)
}

pub(super) type Archive = straylight_files::Archive<BufReader<File>>;

fn fill(
    app: &App,
    project: &str,
    zip: &mut Archive,
    datasets: Vec<ArchivedDataset>,
) -> ApiResult<()> {
    for archived in datasets {
        let dataset = app.store.get_or_create_dataset(project, &archived.name)?;
        for image in archived.images {
            let bytes = picture(zip, &image)?;
            let id = add(app, &dataset.id, &image, bytes)?;
            if let Some(annotations) = image.annotations {
                app.store.set_annotation(&id, &annotations)?;
            }
            if let Some(review) = Review::from_name(&image.review) {
                app.store.set_review(&id, review)?;
            }
        }
        for video in &archived.videos {
            archived_videos::read(app, &dataset.id, video, zip)?;
        }
    }
    Ok(())
}

fn add(app: &App, dataset: &str, image: &ArchivedImage, bytes: Vec<u8>) -> ApiResult<String> {
    let info = straylight_image::probe(&bytes);
    let info = info.map_err(|e| ApiError::media(format!("{}: {e}", image.name)))?;
    if info.format == ImageFormat::Tiff || info.format == ImageFormat::Gif {
        return Err(ApiError::media(format!(
            "{} is of a format that is not kept",
            image.name
        )));
    }
    let mut new = NewImage::new(
        &image.name,
        bytes.into(),
        info.format,
        (info.width, info.height),
    );
    new.prediction.clone_from(&image.prediction);
    Ok(app.store.add_image(dataset, &new)?.image().id.clone())
}

/// One image file of the archive, read by name and never written to a path. What does not begin
/// as an image does is not inflated any further.
fn picture(zip: &mut Archive, image: &ArchivedImage) -> ApiResult<Vec<u8>> {
    let mut file = zip.entry(&image.file, MAX_ENTRY).map_err(broken)?;
    let mut bytes = Vec::new();
    let mut head = file.by_ref().take(HEAD);
    head.read_to_end(&mut bytes).map_err(broken)?;
    if straylight_image::sniff(&bytes).is_none() {
        return Err(ApiError::media(format!("{} is no image", image.name)));
    }
    file.read_to_end(&mut bytes).map_err(broken)?;
    Ok(bytes)
}
