use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use straylight_core::Project;
use straylight_geti::wire::{
    AnnotationScene, MediaIdentifier, NewAnnotationScene, VideoAnnotationProperties,
    VideoAnnotations,
};
use straylight_store::VideoRecord;

use super::annotations::to_stored;
use super::endpoint::DS;
use super::extract::{Ids, JsonBody};
use super::{ApiError, ApiResult, Endpoint, check_scene, lookup, render};
use crate::app::{App, Shared};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let video = "/media/videos/{v}";
    let frame = format!("{video}/frames/{{n}}/annotations");
    vec![
        Endpoint::at(DS, &format!("{video}/annotations/latest"))
            .get("The annotated frames of a video", of_video),
        Endpoint::at(DS, &frame).post("Replace the annotation of a frame", post),
        Endpoint::at(DS, &format!("{frame}/latest"))
            .get("The annotation of a frame; 204 when there is none", latest),
    ]
}

fn identifier(video: &VideoRecord, frame_index: u64) -> MediaIdentifier {
    MediaIdentifier::VideoFrame {
        video_id: video.id.clone(),
        frame_index,
    }
}

async fn of_video(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<VideoAnnotations>> {
    let answer = app
        .run(move |app| {
            let (project, video) = lookup::video(app, &ids)?;
            annotated(app, &project, &video)
        })
        .await?;
    Ok(Json(answer))
}

fn annotated(app: &App, project: &Project, video: &VideoRecord) -> ApiResult<VideoAnnotations> {
    let scenes = app.store.frame_annotations(&video.id)?;
    let video_annotation_properties = VideoAnnotationProperties {
        total_count: scenes.len() as u64,
        start_frame: scenes.first().map_or(0, |(frame, _)| *frame),
        end_frame: scenes.last().map_or(0, |(frame, _)| *frame),
        requested_frames: scenes.len() as u64,
    };
    let render = |(frame, scene)| render::scene(app, project, identifier(video, frame), scene);
    Ok(VideoAnnotations {
        video_annotations: scenes.into_iter().map(render).collect(),
        video_annotation_properties,
    })
}

async fn latest(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let index = ids.frame()?;
    let scene = app
        .run(move |app| {
            let (project, video) = lookup::video(app, &ids)?;
            lookup::check_frame(&video, index)?;
            let scene = app.store.frame_annotation(&video.id, index)?;
            Ok(scene.map(|s| render::scene(app, &project, identifier(&video, index), s)))
        })
        .await?;
    Ok(scene
        .map(Json)
        .ok_or(StatusCode::NO_CONTENT)
        .into_response())
}

async fn post(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(new): JsonBody<NewAnnotationScene>,
) -> ApiResult<Json<AnnotationScene>> {
    let index = ids.frame()?;
    let scene = app
        .run(move |app| {
            let (project, video) = lookup::video(app, &ids)?;
            lookup::check_frame(&video, index)?;
            let identifier = identifier(&video, index);
            if new.media_identifier != identifier {
                let message = "`media_identifier` is not the frame of the path";
                return Err(ApiError::bad(message));
            }
            check_scene::check(&project, (video.width, video.height), &new.annotations)?;
            let annotations = to_stored(&project, new.annotations);
            let scene = app
                .store
                .set_frame_annotation(&video.id, index, &annotations)?;
            Ok(render::scene(app, &project, identifier, scene))
        })
        .await?;
    Ok(Json(scene))
}
