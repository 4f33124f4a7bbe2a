use std::path::Path;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use straylight_geti::wire::{Done, Media};
use straylight_store::VideoRecord;

use super::deployments::stream;
use super::endpoint::DS;
use super::extract::Ids;
use super::images::file;
use super::{ApiError, ApiResult, Endpoint, export, lookup, render, upload_video};
use crate::app::Shared;
use crate::ffmpeg;

/// The longer side of a thumbnail in pixels.
const THUMBNAIL: u32 = 256;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let video = "/media/videos/{v}";
    vec![
        Endpoint::at(DS, "/media/videos")
            .post("Upload a video; needs FFmpeg on the server", post)
            .body("multipart/form-data"),
        Endpoint::at(DS, video)
            .get("A video", get)
            .delete("Delete a video with the annotations of its frames", delete),
        Endpoint::at(DS, &format!("{video}/display/stream")).get("The video file", whole),
        Endpoint::at(DS, &format!("{video}/display/thumb")).get("A thumbnail", thumb),
        Endpoint::at(DS, &format!("{video}/frames/{{n}}/display/full"))
            .get("One frame as JPEG", frame_full),
        Endpoint::at(DS, &format!("{video}/frames/{{n}}/display/thumb"))
            .get("One frame, small", frame_thumb),
    ]
}

async fn post(State(app): State<Shared>, ids: Ids, request: Request) -> ApiResult<Json<Media>> {
    // Before gigabytes are read for nothing.
    let (project, dataset) = app.run(move |app| lookup::dataset(app, &ids)).await?;
    let (new, file) = upload_video::read(&app, request).await?;
    let media = app
        .run(move |app| {
            let video = app.store.add_video(&dataset.id, &new, &file)?;
            Ok(render::video(app, &project, &video))
        })
        .await?;
    Ok(Json(media))
}

async fn get(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Media>> {
    let media = app
        .run(move |app| {
            let (project, video) = lookup::video(app, &ids)?;
            Ok(render::video(app, &project, &video))
        })
        .await?;
    Ok(Json(media))
}

async fn delete(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Done>> {
    app.run(move |app| {
        let (project, video) = lookup::video(app, &ids)?;
        app.store.delete_video(&video.id)?;
        export::forget(app, &project.id);
        Ok(())
    })
    .await?;
    Ok(Json(Done::success()))
}

async fn whole(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let (video, opened) = app
        .run(move |app| {
            let (_, video) = lookup::video(app, &ids)?;
            let path = app.store.video_path(&video.id)?;
            let opened = std::fs::File::open(&path)
                .map_err(|e| ApiError::Internal(format!("a video file cannot be read: {e}")))?;
            Ok((video, opened))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, video.format.mime().to_owned()),
        (header::CONTENT_LENGTH, video.size.to_string()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    Ok((headers, stream(opened)).into_response())
}

/// The first frame, small; made once and kept.
async fn thumb(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let runtime = tokio::runtime::Handle::current();
    let bytes = app
        .compute(move |app| {
            let (_, video) = lookup::video(app, &ids)?;
            let first = (0, video.frame_rate);
            let make = |path: &Path| {
                let frame = ffmpeg::frame(&app.config.video, path, first, Some(THUMBNAIL));
                runtime.block_on(frame)
            };
            app.store.video_thumbnail(&video.id, make)?
        })
        .await?;
    Ok(file("image/jpeg", bytes))
}

async fn frame_full(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let index = ids.frame()?;
    let (_, video) = app.run(move |app| lookup::video(app, &ids)).await?;
    still(&app, video, index, None).await
}

async fn frame_thumb(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let index = ids.frame()?;
    let (_, video) = app.run(move |app| lookup::video(app, &ids)).await?;
    still(&app, video, index, Some(THUMBNAIL)).await
}

async fn still(
    app: &Shared,
    video: VideoRecord,
    index: u64,
    side: Option<u32>,
) -> ApiResult<Response> {
    lookup::check_frame(&video, index)?;
    let rate = video.frame_rate;
    let path = app
        .run(move |app| Ok(app.store.video_path(&video.id)?))
        .await?;
    let _permit = app.cores.acquire().await.map_err(|_| ApiError::Busy)?;
    let bytes = ffmpeg::frame(&app.config.video, &path, (index, rate), side).await?;
    Ok(file("image/jpeg", bytes))
}
