//! Resumable uploads after tus 1.0.0 (core protocol and the extension `creation`).
//!
//! An upload is two files in `<store>/uploads`: `<id>.length` with the length in decimal, and
//! `<id>.data` with the bytes so far, whose size is the offset. An upload whose import fails is
//! removed, and so is one that nobody went on with for a day.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use straylight_files::{create_private_folder, private_file, write_private};
use straylight_geti::wire::{ErrorCode, tus};
use tokio::io::AsyncWriteExt;

use super::endpoint::W;
use super::extract::{Ids, too_large, unread};
use super::{ApiError, ApiResult, Endpoint};
use crate::app::{App, Shared};

/// After so long an upload is given up.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn endpoints() -> Vec<Endpoint> {
    let both = |base: &str| {
        let path = format!("/{base}/uploads/resumable");
        [
            Endpoint::at(W, &path)
                .options("What the server can do", options)
                .status(204)
                .post("Begin a resumable upload", create)
                .status(201)
                .body("application/offset+octet-stream"),
            Endpoint::at(W, &format!("{path}/{{f}}"))
                .head("How far an upload is", head)
                .patch("The next piece of an upload", patch)
                .status(204)
                .body("application/offset+octet-stream"),
        ]
    };
    both("datasets")
        .into_iter()
        .chain(both("projects"))
        .collect()
}

/// The complete file of an upload.
pub(super) fn complete_file(app: &App, id: &str) -> ApiResult<PathBuf> {
    if !straylight_store::is_object_id(id) {
        return Err(ApiError::bad("`file_id` is no valid identifier"));
    }
    let (length, offset) = state(app, id)?;
    if length != offset {
        return Err(ApiError::bad(format!(
            "The upload has {offset} of {length} bytes"
        )));
    }
    Ok(data_path(app, id))
}

/// Removes an upload that is of no more use.
pub(super) fn remove(app: &App, id: &str) {
    for path in [data_path(app, id), length_path(app, id)] {
        // What stays is removed as abandoned.
        let _ = fs::remove_file(path);
    }
}

/// Removes an upload with what was unpacked of it: it could not be imported.
pub(crate) fn discard(app: &App, id: &str) {
    if straylight_store::is_object_id(id) {
        remove(app, id);
        let _ = fs::remove_dir_all(dir(app).join(format!("{id}.files")));
    }
}

/// Removes uploads that were given up.
pub(crate) fn remove_abandoned(root: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(root.join("uploads"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let modified = entry.metadata().and_then(|m| m.modified());
        let age = modified.ok().and_then(|m| now.duration_since(m).ok());
        if age.is_some_and(|age| age > ABANDONED) {
            let path = entry.path();
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
}

fn dir(app: &App) -> PathBuf {
    app.store.root().join("uploads")
}

fn data_path(app: &App, id: &str) -> PathBuf {
    dir(app).join(format!("{id}.data"))
}

fn length_path(app: &App, id: &str) -> PathBuf {
    dir(app).join(format!("{id}.length"))
}

/// Length of the whole and of what is there.
fn state(app: &App, id: &str) -> ApiResult<(u64, u64)> {
    let missing = || ApiError::Status(StatusCode::NOT_FOUND, "There is no such upload".to_owned());
    let length = fs::read_to_string(length_path(app, id)).map_err(|_| missing())?;
    let length = length.trim().parse().map_err(|_| missing())?;
    let data = fs::metadata(data_path(app, id)).map_err(|_| missing())?;
    Ok((length, data.len()))
}

fn check_version(headers: &HeaderMap) -> ApiResult<()> {
    let version = headers.get(tus::RESUMABLE).and_then(|v| v.to_str().ok());
    if version == Some(tus::VERSION) {
        return Ok(());
    }
    let message = format!("The header {} must be {}", tus::RESUMABLE, tus::VERSION);
    Err(ApiError::Status(StatusCode::PRECONDITION_FAILED, message))
}

fn number(headers: &HeaderMap, name: &str) -> ApiResult<u64> {
    let value = headers.get(name).and_then(|v| v.to_str().ok());
    value
        .and_then(|v| v.parse().ok())
        .ok_or_else(|| ApiError::bad(format!("The header {name} must be a number")))
}

fn answer(status: StatusCode, numbers: &[(&'static str, u64)]) -> Response {
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(tus::RESUMABLE, HeaderValue::from_static(tus::VERSION));
    for (name, number) in numbers {
        headers.insert(*name, HeaderValue::from(*number));
    }
    response
}

async fn options(_ids: Ids) -> Response {
    let mut response = answer(StatusCode::NO_CONTENT, &[]);
    let headers = response.headers_mut();
    headers.insert(tus::SUPPORTED, HeaderValue::from_static(tus::VERSION));
    headers.insert(tus::EXTENSION, HeaderValue::from_static(tus::CREATION));
    response
}

async fn create(State(app): State<Shared>, _ids: Ids, request: Request) -> ApiResult<Response> {
    check_version(request.headers())?;
    let length = number(request.headers(), tus::LENGTH)?;
    let limit = app.config.limits.upload_bytes;
    if length > limit {
        return Err(too_large(limit));
    }
    if length == 0 {
        return Err(ApiError::bad("An upload has at least one byte"));
    }
    let id = app.run(move |app| begin(app, length)).await?;
    let location = format!("{}/{id}", request.uri().path());
    let mut response = answer(StatusCode::CREATED, &[]);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn begin(app: &App, length: u64) -> ApiResult<String> {
    let id = app.store.new_id()?;
    create_private_folder(&dir(app)).map_err(|e| disk(&e.source))?;
    let data = private_file()
        .write(true)
        .create_new(true)
        .open(data_path(app, &id));
    data.map_err(|e| disk(&e))?;
    let text = length.to_string();
    let written = write_private(&length_path(app, &id), text.as_bytes(), None);
    written.map_err(|e| disk(&e.source))?;
    Ok(id)
}

fn disk(error: &std::io::Error) -> ApiError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            ApiError::new(ErrorCode::NotEnoughSpace, "The server's disk is full")
        }
        _ => ApiError::Internal(format!("an upload could not be written: {error}")),
    }
}

async fn head(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let (length, offset) = app.run(move |app| state(app, ids.get("f"))).await?;
    Ok(answer(
        StatusCode::OK,
        &[(tus::OFFSET, offset), (tus::LENGTH, length)],
    ))
}

async fn patch(State(app): State<Shared>, ids: Ids, request: Request) -> ApiResult<Response> {
    check_version(request.headers())?;
    let content = request.headers().get(header::CONTENT_TYPE);
    if content.and_then(|v| v.to_str().ok()) != Some(tus::CONTENT_TYPE) {
        let message = format!("The content type must be {}", tus::CONTENT_TYPE);
        return Err(ApiError::Status(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            message,
        ));
    }
    let claimed = number(request.headers(), tus::OFFSET)?;
    let id = ids.get("f").to_owned();
    let path = data_path(&app, &id);
    let file = app.run(move |app| open(app, &id, claimed)).await?;
    let offset = append(file, &path, request).await?;
    Ok(answer(StatusCode::NO_CONTENT, &[(tus::OFFSET, offset)]))
}

/// The data file, locked against a second writer, with how many bytes are missing.
fn open(app: &App, id: &str, claimed: u64) -> ApiResult<(fs::File, u64, u64)> {
    let conflict = |message: String| ApiError::Status(StatusCode::CONFLICT, message);
    let (length, _) = state(app, id)?;
    let file = fs::File::options().append(true).open(data_path(app, id));
    let file = file.map_err(|e| disk(&e))?;
    file.try_lock()
        .map_err(|_| conflict("Another piece of the upload is being written".to_owned()))?;
    let offset = file.metadata().map_err(|e| disk(&e))?.len();
    if offset != claimed {
        return Err(conflict(format!(
            "The upload is at byte {offset}, not {claimed}"
        )));
    }
    Ok((file, offset, length))
}

/// Appends the body; what came before an error stays, and the client goes on from there.
async fn append(
    (file, mut offset, length): (fs::File, u64, u64),
    path: &Path,
    request: Request,
) -> ApiResult<u64> {
    let mut file = tokio::fs::File::from_std(file);
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|e| unread(&e))?.into_data() else {
            continue;
        };
        if offset + bytes.len() as u64 > length {
            return Err(too_large(length));
        }
        file.write_all(&bytes).await.map_err(|e| disk(&e))?;
        offset += bytes.len() as u64;
    }
    file.sync_all().await.map_err(|e| disk(&e))?;
    tracing::debug!(path = %path.display(), offset, "a piece of an upload is on the disk");
    Ok(offset)
}
