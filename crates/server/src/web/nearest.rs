//! The training images that the model sees most like an image.
//!
//! Feature vectors are made by the project's active deployment and kept in the store. What is
//! missing is made when somebody looks, a few images a request; the page asks again until
//! nothing is. So there is no work in the background that a stop would have to wait for.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use straylight_core::{Dataset, Project};
use straylight_store::{ImageRecord, Neighbour};

use super::dataset::path;
use super::image::with_project;
use super::{PageResult, layout};
use crate::api::{ApiResult, stored_frame};
use crate::app::{App, Shared};
use crate::predictor::Predictor;

/// Neighbours that are shown.
const SHOWN: usize = 6;
/// Feature vectors that are made for one request at most.
const MADE: u64 = 16;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/images/{i}/nearest", get(show))
}

/// What is known of the neighbours of an image.
enum Found {
    /// The nearest training images, and how many training images are not compared yet.
    Images(Vec<Neighbour>, u64),
    /// Why there are none.
    Nothing(&'static str),
}

async fn show(State(app): State<Shared>, Path(id): Path<String>) -> PageResult<Markup> {
    let (project, image, found) = app
        .compute(move |app| {
            let (project, image) = with_project(app, &id)?;
            let found = find(app, &project, &image)?;
            Ok((project, image, found))
        })
        .await?;
    let title = format!("{}: nearest training images", image.name);
    Ok(layout::page(
        &title,
        &html! {
            (path(&project))
            div.title { h1 { (title) } a href={ "/images/" (image.id) } { "Back to the image" } }
            (section(&found))
        },
    ))
}

fn find(app: &App, project: &Project, image: &ImageRecord) -> ApiResult<Found> {
    let deployments = app.store.deployments(&project.id)?;
    let Some(active) = deployments.iter().find(|d| d.active) else {
        return Ok(Found::Nothing(
            "The project has no deployment to compare images with.",
        ));
    };
    let Some(training) = project.datasets.iter().find(|d| d.use_for_training) else {
        return Ok(Found::Nothing("The project has no training dataset."));
    };
    let predictor = app.models.load(&app.store, active)?;
    if !app.store.has_features(&active.id, &image.id)?
        && !keep(app, &*predictor, &active.id, image)?
    {
        return Ok(Found::Nothing(
            "The model gives no feature vectors to compare images by.",
        ));
    }
    let missing = catch_up(app, &*predictor, &active.id, training)?;
    let nearest = app
        .store
        .nearest(&active.id, &training.id, &image.id, SHOWN)?;
    if nearest.is_empty() && missing == 0 {
        return Ok(Found::Nothing(
            "The training dataset has no image to compare with.",
        ));
    }
    Ok(Found::Images(nearest, missing))
}

/// Makes some of the feature vectors that are missing; how many still are.
fn catch_up(
    app: &App,
    predictor: &dyn Predictor,
    deployment: &str,
    training: &Dataset,
) -> ApiResult<u64> {
    let (next, missing) = app.store.without_features(deployment, &training.id, MADE)?;
    for id in &next {
        keep(app, predictor, deployment, &app.store.image(id)?)?;
    }
    Ok(missing - next.len() as u64)
}

/// Makes and keeps the feature vector of an image; whether the model gives any.
fn keep(
    app: &App,
    predictor: &dyn Predictor,
    deployment: &str,
    image: &ImageRecord,
) -> ApiResult<bool> {
    let features = match stored_frame(app, image) {
        Ok(frame) => predictor.features(&frame)?,
        Err(error) => {
            tracing::warn!(?error, image = image.id, "an image cannot be compared");
            Some([].into())
        }
    };
    let Some(features) = features else {
        return Ok(false);
    };
    app.store.set_features(deployment, &image.id, &features)?;
    Ok(true)
}

/// The place of the neighbours on the page of an image, which the script fills.
pub(super) fn place(image: &ImageRecord) -> Markup {
    let address = format!("/images/{}/nearest", image.id);
    html! {
        section #nearest aria-labelledby="nearest-title" data-load=(address) {
            h2 #nearest-title { "Nearest training images" }
            p.dim { a href=(address) { "Compare with the training images" } }
        }
    }
}

fn section(found: &Found) -> Markup {
    let more = matches!(found, Found::Images(_, 1..));
    html! {
        section #nearest aria-labelledby="nearest-title" data-more[more] {
            h2 #nearest-title { "Nearest training images" }
            @match found {
                Found::Nothing(why) => { p.dim { (why) } }
                Found::Images(nearest, missing) => {
                    ol.neighbours { @for neighbour in nearest { li { (tile(neighbour)) } } }
                    p.dim { "By the features of the model: 1 is equal, 0 has nothing in common."
                        @if *missing > 0 { " " (missing) " images are not compared yet." } }
                }
            }
        }
    }
}

fn tile(neighbour: &Neighbour) -> Markup {
    let image = &neighbour.image;
    html! {
        a.tile href={ "/images/" (image.id) } {
            img src={ "/thumbnails/" (image.id) } alt="" loading="lazy" width="96" height="96";
            span.tile-name { (image.name) }
            span.tile-facts {
                span title="Cosine similarity" { (format!("{:.2}", neighbour.similarity)) }
                @if let Some(label) = &image.predicted_label { span { (label) } }
            }
        }
    }
}
