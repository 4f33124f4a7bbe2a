//! Finding what a path names, and seeing that one is in the other.

use std::collections::HashMap;

use axum::http::StatusCode;
use straylight_core::{Dataset, Label, Prediction, Project};
use straylight_geti::wire::ErrorCode;
use straylight_store::{ImageRecord, StoredAnnotation, VideoRecord};

use super::extract::Ids;
use super::{ApiError, ApiResult};
use crate::app::App;

/// The project and its dataset that a path names.
pub(super) fn dataset(app: &App, ids: &Ids) -> ApiResult<(Project, Dataset)> {
    let project = app.store.project(ids.project())?;
    let found = project.datasets.iter().find(|d| d.id == ids.dataset());
    let dataset = found.cloned().ok_or_else(|| {
        let message = format!("The project has no dataset {}", ids.dataset());
        ApiError::new(ErrorCode::DatasetNotFound, message)
    })?;
    Ok((project, dataset))
}

/// The project and the image in it that a path names.
pub(super) fn image(app: &App, ids: &Ids) -> ApiResult<(Project, ImageRecord)> {
    let (project, dataset) = dataset(app, ids)?;
    let image = app.store.image(ids.image())?;
    if image.dataset_id != dataset.id {
        let message = format!("The dataset has no image {}", ids.image());
        return Err(ApiError::new(ErrorCode::ImageNotFound, message));
    }
    Ok((project, image))
}

/// The project and the video in it that a path names.
pub(super) fn video(app: &App, ids: &Ids) -> ApiResult<(Project, VideoRecord)> {
    let (project, dataset) = dataset(app, ids)?;
    let video = app.store.video(ids.get("v"))?;
    if video.dataset_id != dataset.id {
        let message = format!("The dataset has no video {}", video.id);
        return Err(ApiError::new(ErrorCode::VideoNotFound, message));
    }
    Ok((project, video))
}

/// Whether a video has a frame of this number, counted from 0.
pub(super) fn check_frame(video: &VideoRecord, index: u64) -> ApiResult<()> {
    if index < video.frame_count {
        return Ok(());
    }
    let count = video.frame_count;
    let message =
        format!("The video has {count} frames, counted from 0: there is no frame {index}");
    Err(ApiError::Status(StatusCode::NOT_FOUND, message))
}

/// The labels of a project by identifier.
pub(crate) fn label_names(project: &Project) -> HashMap<&str, &Label> {
    let labels = project.pipeline.tasks.iter().flat_map(|t| &t.labels);
    labels.map(|label| (label.id.as_str(), label)).collect()
}

/// A model's prediction as the store keeps it.
pub(crate) fn to_stored(prediction: &Prediction) -> Vec<StoredAnnotation> {
    let annotations = prediction.annotations.iter();
    annotations.map(StoredAnnotation::from).collect()
}
