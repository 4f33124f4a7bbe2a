use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};
use straylight_core::{Color, Label, Project};
use straylight_store::{DatasetStatistics, DeploymentRecord, DiskUse, Page};

use super::{PageResult, layout};
use crate::app::{App, Shared};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(list))
        .route("/projects/{p}", get(show))
}

/// Projects on the first page at most; a server with more is used through the API.
const SHOWN: u64 = 200;

async fn list(State(app): State<Shared>) -> PageResult<Markup> {
    let (projects, total) = app
        .run(|app| Ok(app.store.projects(Page::first(SHOWN))?))
        .await?;
    Ok(layout::page(
        "Projects",
        &html! {
            h1 { "Projects" }
            @if projects.is_empty() {
                p.empty { "There is no project yet. Import a deployment with "
                    code { "straylight serve --deployment FOLDER" }
                    ", run the demo, or create one with the Geti SDK." }
            }
            ul.cards { @for project in &projects { li { (card(project)) } } }
            @if total > SHOWN { p { "Only the first " (SHOWN) " of " (total) " are shown." } }
        },
    ))
}

fn card(project: &Project) -> Markup {
    html! {
        a.card href={ "/projects/" (project.id) } {
            strong { (project.name) }
            span.dim { (tasks(project)) }
            span.dim { (project.datasets.len()) (plural(project.datasets.len(), " dataset")) }
        }
    }
}

/// The tasks in words.
fn tasks(project: &Project) -> String {
    let titles: Vec<&str> = project
        .trainable_tasks()
        .map(|t| t.title.as_str())
        .collect();
    titles.join(", then ")
}

pub(super) fn plural(count: usize, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

/// What the page of a project shows.
struct Shown {
    project: Project,
    statistics: Vec<DatasetStatistics>,
    deployments: Vec<DeploymentRecord>,
    disk: DiskUse,
}

fn gather(app: &App, id: &str) -> Result<Shown, crate::api::ApiError> {
    let project = app.store.project(id)?;
    let datasets = project.datasets.iter();
    let statistics = datasets.map(|d| app.store.statistics(&d.id));
    Ok(Shown {
        statistics: statistics.collect::<Result<_, _>>()?,
        deployments: app.store.deployments(id)?,
        disk: app.store.disk_use(id)?,
        project,
    })
}

async fn show(State(app): State<Shared>, Path(id): Path<String>) -> PageResult<Markup> {
    let shown = app.run(move |app| gather(app, &id)).await?;
    let project = &shown.project;
    let workspace = app.store.workspace();
    let api = format!(
        "/api/v1/organizations/{}/workspaces/{}/projects/{}",
        workspace.organization_id, workspace.id, project.id
    );
    Ok(layout::page(
        &project.name,
        &html! {
            nav.path aria-label="You are here" { a href="/" { "Projects" } }
            h1 { (project.name) }
            p.dim { (tasks(project)) }
            p { @for task in project.trainable_tasks() { @for label in &task.labels { (chip(label)) " " } } }
            h2 { "Datasets" }
            (datasets(&shown))
            (disk(&shown.disk))
            h2 { "Models" }
            (models(&shown.deployments))
            p { button type="button" data-export={ (api) ":export" } { "Export the project (zip)" } }
        },
    ))
}

fn datasets(shown: &Shown) -> Markup {
    let rows = shown.project.datasets.iter().zip(&shown.statistics);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table" { table {
            thead { tr { th { "Dataset" } th.number { "Images" } th.number { "Labelled" }
                th.number { "Rejected" } td {} } }
            tbody { @for (dataset, statistics) in rows {
                @let base = format!("/projects/{}/datasets/{}", shown.project.id, dataset.id);
                tr {
                    td { a href=(base) { (dataset.name) }
                        @if dataset.use_for_training { " " span.tag { "training" } } }
                    td.number { (statistics.images) }
                    td.number { (statistics.annotated) }
                    td.number { (statistics.rejected) }
                    td { a href={ (base) "/plots" } { "Plots" } }
                }
            } }
        } }
    }
}

fn disk(used: &DiskUse) -> Markup {
    html! {
        p.dim {
            "On the disk: images and videos " (megabytes(used.media))
            @if let Some(limit) = used.limit { " of " (megabytes(limit)) " that they may take" }
            ", models " (megabytes(used.deployments)) "."
        }
    }
}

/// Bytes for people.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn models(deployments: &[DeploymentRecord]) -> Markup {
    html! {
        @if deployments.is_empty() { p.empty { "No deployment was imported." } }
        @else { ul { @for deployment in deployments.iter().rev() { li {
            (deployment.name)
            @if deployment.active { " " span.tag { "active" } }
            " " span.dim { "imported " (moment(deployment.created_at)) }
        } } } }
    }
}

/// A label with its colour.
pub(super) fn chip(label: &Label) -> Markup {
    html! { span.chip { (dot(label.color)) (label.name) } }
}

/// A spot of a colour; an attribute of SVG, since the policy allows no inline style.
pub(super) fn dot(color: Color) -> Markup {
    let [r, g, b] = color.rgb;
    html! {
        svg.dot viewBox="0 0 10 10" aria-hidden="true" {
            circle cx="5" cy="5" r="5" fill={ "#" (format!("{r:02x}{g:02x}{b:02x}")) } {}
        }
    }
}

/// A time for people: UTC, to the minute.
pub(super) fn moment(time: straylight_core::Timestamp) -> Markup {
    let iso = straylight_store::render_time(time);
    let short = time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    html! { time datetime=(iso) { (short) } }
}
