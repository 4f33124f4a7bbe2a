use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use straylight_core::{Project, Shape};
use straylight_geti::wire::ErrorCode;
use straylight_store::{Decision, ImageRecord, StoredAnnotation, StoredLabel, Undone};

use super::image::with_project;
use crate::api::{ApiError, ApiResult, Raw, label_names, parse_json};
use crate::app::Shared;
use crate::auth::Caller;

/// What the page does when a button or a key is pressed. Each answers what it did in words.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/actions/images/{i}/{what}", post(decide))
        .route("/actions/undo", post(undo))
}

async fn decide(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path((id, what)): Path<(String, String)>,
    Raw(body): Raw,
) -> ApiResult<Json<Value>> {
    let message = app
        .run(move |app| {
            let (project, image) = with_project(app, &id)?;
            let (decision, message) = match what.as_str() {
                "label" => label(&project, &image, &parse_json::<Chosen>(&body)?.label_id)?,
                "accept" => accept(&image),
                "reject" => reject(&image),
                "train" => train(&project, &image)?,
                _ => return Err(ApiError::bad("There is no such action")),
            };
            app.store.decide(&caller.person, &id, &decision)?;
            Ok(message)
        })
        .await?;
    Ok(Json(json!({"message": message})))
}

#[derive(Deserialize)]
struct Chosen {
    label_id: String,
}

fn label(project: &Project, image: &ImageRecord, label: &str) -> ApiResult<(Decision, String)> {
    let labels = label_names(project);
    let label = labels.get(label);
    let label = label.ok_or_else(|| ApiError::new(ErrorCode::LabelNotFound, "No such label"))?;
    let annotation = StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(image.width, image.height),
        labels: vec![StoredLabel {
            id: label.id.clone(),
            name: label.name.clone(),
            probability: 1.0,
        }],
    };
    let message = format!("{} is {}", image.name, label.name);
    Ok((Decision::Annotate(vec![annotation]), message))
}

fn accept(image: &ImageRecord) -> (Decision, String) {
    let message = format!("The prediction of {} is accepted", image.name);
    (Decision::AcceptPrediction, message)
}

fn reject(image: &ImageRecord) -> (Decision, String) {
    (Decision::Reject, format!("{} is rejected", image.name))
}

fn train(project: &Project, image: &ImageRecord) -> ApiResult<(Decision, String)> {
    let training = project.datasets.iter().find(|d| d.use_for_training);
    let training = training.ok_or_else(|| ApiError::bad("The project has no training dataset"))?;
    let message = format!("{} is in the training data", image.name);
    Ok((Decision::Move(training.id.clone()), message))
}

async fn undo(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> ApiResult<Json<Value>> {
    let undone = app.run(move |app| Ok(app.store.undo(&caller.person)?));
    Ok(Json(match undone.await? {
        Undone::Image(id) => {
            json!({"message": "The last decision is undone", "then": format!("/images/{id}")})
        }
        Undone::Overtaken(id) => json!({
            "message": "Somebody else decided about this image since: nothing is undone",
            "then": format!("/images/{id}")
        }),
        Undone::Nothing => json!({"message": "There is nothing to undo"}),
    }))
}
