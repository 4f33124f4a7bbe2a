use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use straylight_geti::wire::{AnnotationScene, MediaIdentifier, NewAnnotationScene};
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
            Ok(scene.map(|scene| render::scene(app, &project, &image.id, scene)))
        })
        .await?;
    Ok(match scene {
        Some(scene) => Json(scene).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
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
            let labels = lookup::label_names(&project);
            let annotations = new.annotations.into_iter().map(|annotation| {
                let labels = annotation.labels.into_iter().map(|label| {
                    let id = label.id.unwrap_or_default();
                    let name = labels.get(id.as_str()).map(|l| l.name.clone());
                    StoredLabel {
                        id,
                        name: name.unwrap_or_default(),
                        probability: label.probability,
                    }
                });
                StoredAnnotation {
                    id: annotation.id.unwrap_or_default(),
                    shape: annotation.shape.into(),
                    labels: labels.collect(),
                }
            });
            let annotations: Vec<_> = annotations.collect();
            let scene = app.store.set_annotation(&image.id, &annotations)?;
            Ok(render::scene(app, &project, &image.id, scene))
        })
        .await?;
    Ok(Json(scene))
}

fn check_identifier(identifier: &MediaIdentifier, image: &str) -> ApiResult<()> {
    match identifier {
        MediaIdentifier::Image { image_id } if image_id == image => Ok(()),
        _ => Err(ApiError::bad(
            "`media_identifier` is not the image of the path",
        )),
    }
}
