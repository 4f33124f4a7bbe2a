use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use straylight_core::{Dataset, Label, Project};
use straylight_store::{AnnotationScene, ImageRecord, Page, Review};

use super::dataset::{find, path};
use super::filter::Choice;
use super::overlay::overlay;
use super::projects::{dot, moment};
use super::{PageResult, layout};
use crate::api::{ApiError, ApiResult, mime};
use crate::app::{App, Shared};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/projects/{p}/datasets/{d}/view", get(in_list))
        .route("/images/{i}", get(alone))
        .route("/files/{i}", get(file))
}

/// What the page of an image shows.
struct Shown {
    project: Project,
    dataset: Dataset,
    image: ImageRecord,
    annotation: Option<AnnotationScene>,
    prediction: Option<AnnotationScene>,
    /// Whether the project has a deployment, which can be asked about the image.
    has_model: bool,
    api: String,
}

/// Where an image stands in a list, when it was opened from one.
struct Place {
    back: String,
    previous: Option<String>,
    next: Option<String>,
    /// Where to go after a decision: the same place, unless the image stays there.
    onward: String,
    number: u64,
    total: u64,
}

fn gather(app: &App, image: ImageRecord) -> ApiResult<Shown> {
    let project = app.store.project_of_dataset(&image.dataset_id)?;
    let (project, dataset) = find(app, &project, &image.dataset_id)?;
    let deployments = app.store.deployments(&project.id)?;
    let workspace = app.store.workspace();
    Ok(Shown {
        annotation: app.store.annotation(&image.id)?,
        prediction: app.store.prediction(&image.id)?,
        has_model: deployments.iter().any(|d| d.active),
        api: format!(
            "/api/v1/organizations/{}/workspaces/{}/projects/{}",
            workspace.organization_id, workspace.id, project.id
        ),
        project,
        dataset,
        image,
    })
}

/// The image at a place of a filtered and sorted list.
async fn in_list(
    State(app): State<Shared>,
    Path((project, dataset)): Path<(String, String)>,
    Query(choice): Query<Choice>,
) -> PageResult<Response> {
    let base = format!("/projects/{project}/datasets/{dataset}");
    let asked = choice.clone();
    let found = app
        .run(move |app| {
            let (_, dataset) = find(app, &project, &dataset)?;
            locate(app, &dataset.id, &asked)
        })
        .await?;
    let Some((image, at, total)) = found else {
        return Ok(Redirect::to(&format!("{base}{}", choice.query(None, None))).into_response());
    };
    let to = |at: u64| format!("{base}/view{}", choice.query(None, Some(at)));
    let after = if to(at).contains('?') { '&' } else { '?' };
    let place = Place {
        back: format!(
            "{base}{}",
            choice.query(Some(at / super::filter::PAGE + 1), None)
        ),
        previous: at.checked_sub(1).map(to),
        next: (at + 1 < total).then(|| to(at + 1)),
        onward: format!("{}{after}after={}", to(at), image.id),
        number: at + 1,
        total,
    };
    let shown = app.run(move |app| gather(app, image)).await?;
    Ok(render(&shown, Some(&place)).into_response())
}

/// The image at the place, or the next when it is the one just dealt with.
fn locate(app: &App, dataset: &str, choice: &Choice) -> ApiResult<Option<(ImageRecord, u64, u64)>> {
    let at = choice.place();
    let page = Page { skip: at, limit: 2 };
    let found = app
        .store
        .images(dataset, &choice.filter(), choice.order(), page)?;
    let mut images = found.images.into_iter();
    let first = images.next().map(|image| (image, at));
    let chosen = match first {
        Some((image, _)) if image.id == choice.after => images.next().map(|i| (i, at + 1)),
        other => other,
    };
    Ok(chosen.map(|(image, at)| (image, at, found.total)))
}

async fn alone(State(app): State<Shared>, Path(id): Path<String>) -> PageResult<Markup> {
    let shown = app
        .run(move |app| {
            let image = app.store.image(&id)?;
            gather(app, image)
        })
        .await?;
    Ok(render(&shown, None))
}

async fn file(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let (format, bytes) = app
        .run(move |app| {
            let image = app.store.image(&id)?;
            Ok((image.format, app.store.image_bytes(&id)?))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, mime(format)),
        (header::CACHE_CONTROL, "private, max-age=86400, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

fn render(shown: &Shown, place: Option<&Place>) -> Markup {
    let dataset = format!(
        "/projects/{}/datasets/{}",
        shown.project.id, shown.dataset.id
    );
    let back = place.map_or(dataset.as_str(), |p| p.back.as_str());
    layout::page(
        &shown.image.name,
        &html! {
            (path(&shown.project))
            div.title {
                h1 { (shown.image.name) }
                @if let Some(place) = place { (steps(place)) }
                a href=(back) data-key="Escape" { "Back to " (shown.dataset.name) }
            }
            div.detail {
                div {
                    (picture(shown))
                    @if shown.has_model { (super::nearest::place(&shown.image)) }
                }
                aside aria-label="About this image" {
                    (decision(shown, place))
                    (reasons(&shown.image))
                    (facts(&shown.image))
                }
            }
        },
    )
}

fn steps(place: &Place) -> Markup {
    html! {
        nav.pager aria-label="Images" {
            @if let Some(link) = &place.previous { a href=(link) rel="prev" data-key="ArrowLeft" { "Previous" } }
            span { (place.number) " of " (place.total) }
            @if let Some(link) = &place.next { a href=(link) rel="next" data-key="ArrowRight" { "Next" } }
        }
    }
}

fn picture(shown: &Shown) -> Markup {
    let image = &shown.image;
    let scene = shown.annotation.as_ref().or(shown.prediction.as_ref());
    html! {
        figure.picture {
            div.stage #stage {
                img src={ "/files/" (image.id) } width=(image.width) height=(image.height)
                    alt={ "The image " (image.name) };
                @if let Some(scene) = scene { (overlay(&shown.project, image, scene)) }
            }
            figcaption {
                (caption(shown))
                @if shown.has_model {
                    button type="button" data-key="m" data-saliency={ (shown.api) "/pipelines/active:explain" }
                        data-body={ (serde_json::json!({"image_id": image.id, "dataset_id": image.dataset_id})) } {
                        "Show what the model looked at " kbd { "m" }
                    }
                }
            }
        }
    }
}

fn caption(shown: &Shown) -> Markup {
    match (&shown.annotation, &shown.prediction) {
        (Some(scene), _) => html! { span { "Labelled: " strong { (names(scene)) } } },
        (None, Some(scene)) => html! { span { "The model says: " strong { (names(scene)) } } },
        (None, None) => html! { "No label and no prediction yet." },
    }
}

fn names(scene: &AnnotationScene) -> String {
    let labels = scene.annotations.iter().flat_map(|a| &a.labels);
    let mut names: Vec<&str> = labels.map(|l| l.name.as_str()).collect();
    names.dedup();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

/// The buttons with which an image is labelled and decided on.
fn decision(shown: &Shown, place: Option<&Place>) -> Markup {
    let then = place.map_or(String::new(), |p| p.onward.clone());
    let action = |what: &str| format!("/actions/images/{}/{what}", shown.image.id);
    let labels = whole_image_labels(&shown.project);
    html! {
        section.decide aria-labelledby="decide" {
            h2 #decide { "Decide" }
            p { (state(&shown.image)) }
            @if !labels.is_empty() { div.labels {
                @for (index, label) in labels.iter().enumerate() { (label_button(index, label, &action("label"), &then)) }
            } }
            div.labels {
                @if shown.prediction.is_some() && shown.annotation.is_none() {
                    button type="button" data-key="a" data-post=(action("accept")) data-then=(then) { "Accept the prediction " kbd { "a" } }
                }
                @if !shown.dataset.use_for_training {
                    button type="button" data-key="t" data-post=(action("train")) data-then=(then) { "Move to the training data " kbd { "t" } }
                }
                button type="button" data-key="x" data-post=(action("reject")) data-then=(then) { "Reject " kbd { "x" } }
                button.quiet type="button" data-key="u" data-post="/actions/undo" { "Undo the last decision " kbd { "u" } }
            }
        }
    }
}

/// Labels that hold for a whole image, when that is all that the project labels.
fn whole_image_labels(project: &Project) -> Vec<&Label> {
    use straylight_core::TaskType::{Anomaly, AnomalyClassification, Classification};
    let tasks: Vec<_> = project.trainable_tasks().collect();
    let whole = |t: &&straylight_core::Task| {
        matches!(
            t.task_type,
            Classification | Anomaly | AnomalyClassification
        )
    };
    if !tasks.iter().all(whole) {
        return Vec::new();
    }
    tasks.iter().flat_map(|t| &t.labels).collect()
}

fn label_button(index: usize, label: &Label, post: &str, then: &str) -> Markup {
    let key = if index < 9 {
        (index + 1).to_string()
    } else {
        String::new()
    };
    let body = serde_json::json!({"label_id": label.id}).to_string();
    html! {
        button type="button" data-key=[(!key.is_empty()).then_some(&key)] data-post=(post) data-body=(body) data-then=(then) {
            (dot(label.color)) (label.name) @if !key.is_empty() { " " kbd { (key) } }
        }
    }
}

fn state(image: &ImageRecord) -> Markup {
    html! {
        @match image.review {
            Review::Accepted => { span.tag.good { "accepted" } }
            Review::Rejected => { span.tag.bad { "rejected" } }
            Review::Open => { span.tag { "not decided" } }
        }
        @if let Some(time) = image.annotated_at { " labelled " (moment(time)) }
    }
}

/// Why the image was collected, and what each detector said.
fn reasons(image: &ImageRecord) -> Markup {
    html! {
        section aria-labelledby="why" {
            h2 #why { "Why it was collected" }
            @match (&image.hook, &image.reason) {
                (Some(hook), Some(reason)) => { p { (reason) } p.dim { "by the hook " (hook) } }
                _ => { p.dim { "It was uploaded, not collected by a hook." } }
            }
            @if let Some(score) = image.ood_score { (meter("OOD score", score)) }
            @for (detector, score) in &image.scores { (meter(detector, *score)) }
            @if let Some(uncertainty) = image.uncertainty { (meter("Uncertainty", uncertainty)) }
        }
    }
}

fn meter(name: &str, value: f64) -> Markup {
    html! {
        div.meter {
            span { (name) }
            meter min="0" max="1" value=(value.clamp(0.0, 1.0)) aria-label=(name) {}
            span.number { (format!("{value:.3}")) }
        }
    }
}

fn facts(image: &ImageRecord) -> Markup {
    html! {
        section aria-labelledby="facts" {
            h2 #facts { "Facts" }
            dl {
                @if let Some(label) = &image.predicted_label {
                    dt { "Prediction" }
                    dd { (label) @if let Some(p) = image.predicted_probability { ", " (format!("{:.1} %", p * 100.0)) } }
                }
                dt { "Size" } dd { (image.width) " x " (image.height) ", " (image.size / 1024) " KiB" }
                @if let Some(source) = &image.source { dt { "Source" } dd { (source) } }
                dt { "Taken" } dd { (moment(image.captured_at)) }
                dt { "Added" } dd { (moment(image.uploaded_at)) }
            }
        }
    }
}

/// An image that is named in an action, with its project.
pub(super) fn with_project(app: &App, id: &str) -> Result<(Project, ImageRecord), ApiError> {
    let image = app.store.image(id)?;
    let project = app.store.project_of_dataset(&image.dataset_id)?;
    Ok((app.store.project(&project)?, image))
}
