use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use straylight_core::Shape;
use straylight_geti::wire::ErrorCode;
use straylight_store::{Review, StoredAnnotation, StoredLabel};

use super::image::with_project;
use crate::api::{ApiError, ApiResult, label_names, parse_json};
use crate::app::{App, Shared};

/// What the page does when a button or a key is pressed. Each answers what it did in words.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/actions/images/{i}/{what}", post(decide))
        .route("/actions/undo", post(undo))
}

async fn decide(
    State(app): State<Shared>,
    Path((id, what)): Path<(String, String)>,
    body: Bytes,
) -> ApiResult<Json<Value>> {
    let message = app
        .run(move |app| match what.as_str() {
            "label" => label(app, &id, &parse_json::<Chosen>(&body)?.label_id),
            "accept" => accept(app, &id),
            "reject" => reject(app, &id),
            "train" => train(app, &id),
            _ => Err(ApiError::bad("There is no such action")),
        })
        .await?;
    Ok(Json(json!({"message": message})))
}

#[derive(Deserialize)]
struct Chosen {
    label_id: String,
}

fn label(app: &App, id: &str, label_id: &str) -> ApiResult<String> {
    let (project, image) = with_project(app, id)?;
    let labels = label_names(&project);
    let label = labels.get(label_id);
    let label = label.ok_or_else(|| ApiError::new(ErrorCode::LabelNotFound, "No such label"))?;
    app.undo.note(app, &image)?;
    let annotation = StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(image.width, image.height),
        labels: vec![StoredLabel {
            id: label.id.clone(),
            name: label.name.clone(),
            probability: 1.0,
        }],
    };
    app.store.set_annotation(id, &[annotation])?;
    app.store.set_review(id, Review::Accepted)?;
    Ok(format!("{} is {}", image.name, label.name))
}

fn accept(app: &App, id: &str) -> ApiResult<String> {
    let (_, image) = with_project(app, id)?;
    app.undo.note(app, &image)?;
    app.store.accept_prediction(id)?;
    Ok(format!("The prediction of {} is accepted", image.name))
}

fn reject(app: &App, id: &str) -> ApiResult<String> {
    let (_, image) = with_project(app, id)?;
    app.undo.note(app, &image)?;
    app.store.set_review(id, Review::Rejected)?;
    Ok(format!("{} is rejected", image.name))
}

fn train(app: &App, id: &str) -> ApiResult<String> {
    let (project, image) = with_project(app, id)?;
    let training = project.datasets.iter().find(|d| d.use_for_training);
    let training = training.ok_or_else(|| ApiError::bad("The project has no training dataset"))?;
    app.undo.note(app, &image)?;
    app.store.move_image(id, &training.id)?;
    app.store.set_review(id, Review::Accepted)?;
    Ok(format!("{} is in the training data", image.name))
}

async fn undo(State(app): State<Shared>) -> ApiResult<Json<Value>> {
    let undone = app.run(|app| app.undo.undo(app)).await?;
    Ok(Json(match undone {
        Some(id) => {
            json!({"message": "The last decision is undone", "then": format!("/images/{id}")})
        }
        None => json!({"message": "There is nothing to undo"}),
    }))
}
