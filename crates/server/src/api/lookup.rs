//! Finding what a path names, and seeing that one is in the other.

use std::collections::HashMap;

use straylight_core::{Dataset, Label, Prediction, Project};
use straylight_geti::wire::ErrorCode;
use straylight_store::{ImageRecord, StoredAnnotation};

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
