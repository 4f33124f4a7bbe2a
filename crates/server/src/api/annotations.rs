use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use straylight_core::Project;
use straylight_geti::wire::{
    Annotation, AnnotationScene, MediaIdentifier, NewAnnotationScene, ScoredLabel,
};
use straylight_store::{StoredAnnotation, StoredLabel};

use super::endpoint::DS;
use super::extract::{Ids, JsonBody};
use super::{ApiError, ApiResult, Endpoint, check_scene, lookup, render};
use crate::app::Shared;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let path = "/media/images/{i}/annotations";
    vec![
        Endpoint::at(DS, path).post("Replace the annotation of an image", post),
        Endpoint::at(DS, &format!("{path}/latest"))
            .get("The annotation of an image; 204 when there is none", latest),
    ]
}

async fn latest(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let scene = app
        .run(move |app| {
            let (project, image) = lookup::image(app, &ids)?;
            let scene = app.store.annotation(&image.id)?;
            Ok(scene.map(|scene| render::scene(app, &project, identifier(&image.id), scene)))
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
    let scene = app
        .run(move |app| {
            let (project, image) = lookup::image(app, &ids)?;
            check_identifier(&new.media_identifier, &image.id)?;
            check_scene::check(&project, (image.width, image.height), &new.annotations)?;
            let annotations = to_stored(&project, new.annotations);
            let scene = app.store.set_annotation(&image.id, &annotations)?;
            Ok(render::scene(app, &project, identifier(&image.id), scene))
        })
        .await?;
    Ok(Json(scene))
}

/// Annotations as the store keeps them, with the names that the project gives the labels.
pub(super) fn to_stored(project: &Project, annotations: Vec<Annotation>) -> Vec<StoredAnnotation> {
    let names = lookup::label_names(project);
    let label = |label: ScoredLabel| {
        let id = label.id.unwrap_or_default();
        let name = names.get(id.as_str()).map(|l| l.name.clone());
        StoredLabel {
            id,
            name: name.unwrap_or_default(),
            probability: label.probability,
        }
    };
    let annotation = |annotation: Annotation| StoredAnnotation {
        id: annotation.id.unwrap_or_default(),
        shape: annotation.shape.into(),
        labels: annotation.labels.into_iter().map(label).collect(),
    };
    annotations.into_iter().map(annotation).collect()
}

fn identifier(image_id: &str) -> MediaIdentifier {
    MediaIdentifier::Image {
        image_id: image_id.to_owned(),
    }
}

fn check_identifier(identifier: &MediaIdentifier, image: &str) -> ApiResult<()> {
    match identifier {
        MediaIdentifier::Image { image_id } if image_id == image => Ok(()),
        _ => Err(ApiError::bad(
            "`media_identifier` is not the image of the path",
        )),
    }
}
