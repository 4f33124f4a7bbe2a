//! Reading an uploaded video: past the memory, into a file on the store's disk.

use axum::extract::Request;
use axum::extract::multipart::Field;
use straylight_geti::wire::{MIN_IMAGE_SIDE, VIDEO_EXTENSIONS};
use straylight_store::{NewVideo, PendingFile, VideoFormat};
use tokio::io::AsyncWriteExt;

use super::extract::too_large;
use super::parts::parts;
use super::upload::{malformed, split_name};
use super::{ApiError, ApiResult};
use crate::app::Shared;
use crate::ffmpeg::{self, Probe};

/// The largest width and height in pixels that the platform takes.
const MAX_SIZE: (u32, u32) = (7680, 4320);
/// The greatest length in seconds that the platform takes.
const MAX_SECONDS: f64 = 3.0 * 60.0 * 60.0;

/// Reads a multipart body with a part `file` and looks into the video.
pub(super) async fn read(app: &Shared, request: Request) -> ApiResult<(NewVideo, PendingFile)> {
    let mut multipart = parts(app, request, app.config.limits.upload_bytes).await?;
    loop {
        let field = multipart.next_field().await.map_err(malformed)?;
        let field = field.ok_or_else(|| ApiError::media("The part `file` is missing"))?;
        if field.name() == Some("file") {
            return take(app, field).await;
        }
    }
}

async fn take(app: &Shared, field: Field<'_>) -> ApiResult<(NewVideo, PendingFile)> {
    let (name, format) = check_name(field.file_name().unwrap_or_default())?;
    let file = app.run(|app| Ok(app.store.pending_file()?)).await?;
    let length = write(app, field, &file).await?;
    let permit = app.cores.acquire().await.map_err(|_| ApiError::Busy)?;
    let probe = ffmpeg::probe(&app.config.video, file.path()).await?;
    drop(permit);
    app.metrics.count_upload(length as usize);
    check_size(&probe)?;
    let video = NewVideo {
        name,
        format,
        width: probe.width,
        height: probe.height,
        frame_count: probe.frame_count,
        frame_rate: probe.frame_rate,
        duration: probe.duration,
    };
    Ok((video, file))
}

/// The name without directories and extension, and what the extension says.
fn check_name(file_name: &str) -> ApiResult<(String, VideoFormat)> {
    let (name, extension) = split_name(file_name)?;
    let format = VideoFormat::from_extension(&extension).ok_or_else(|| {
        let known = VIDEO_EXTENSIONS.join(", ");
        ApiError::media(format!("The file's extension must be one of {known}"))
    })?;
    Ok((name, format))
}

/// Writes what comes into the file; its length in bytes.
async fn write(app: &Shared, mut field: Field<'_>, pending: &PendingFile) -> ApiResult<u64> {
    let limits = &app.config.limits;
    let failed = |e: std::io::Error| ApiError::from(pending.write_error(e));
    let mut file = tokio::fs::File::options()
        .write(true)
        .open(pending.path())
        .await
        .map_err(failed)?;
    let mut length = 0;
    while let Some(chunk) = field.chunk().await.map_err(malformed)? {
        length += chunk.len() as u64;
        if length > limits.upload_bytes {
            return Err(too_large(limits.upload_bytes));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(length)
}

fn check_size(probe: &Probe) -> ApiResult<()> {
    let (long, short) = (probe.width.max(probe.height), probe.width.min(probe.height));
    if short < MIN_IMAGE_SIDE || long > MAX_SIZE.0 || short > MAX_SIZE.1 {
        let message = format!(
            "A video of {} x {} pixels is not taken: the sides must have {MIN_IMAGE_SIDE} to {} and to {}",
            probe.width, probe.height, MAX_SIZE.0, MAX_SIZE.1
        );
        return Err(ApiError::media(message));
    }
    if probe.duration > MAX_SECONDS {
        return Err(ApiError::media("A video longer than 3 hours is not taken"));
    }
    Ok(())
}
