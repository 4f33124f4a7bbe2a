use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use straylight_core::{Dataset, Project};
use straylight_store::{DatasetStatistics, ImagePage, ImageRecord, Review};

use super::filter::{Choice, PAGE, SORTS};
use super::{PageResult, layout};
use crate::api::{ApiError, ApiResult};
use crate::app::{App, Shared};

/// How the images of an export can be shared out.
const SPLITS: [(&str, &str); 3] = [
    ("", "In one part"),
    ("80/20", "Train 80 %, val 20 %"),
    ("80/10/10", "Train 80 %, val 10 %, test 10 %"),
];

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/projects/{p}/datasets/{d}", get(grid))
        .route("/thumbnails/{i}", get(thumbnail))
}

/// A project and one of its datasets.
pub(super) fn find(app: &App, project: &str, dataset: &str) -> ApiResult<(Project, Dataset)> {
    let project = app.store.project(project)?;
    let found = project.datasets.iter().find(|d| d.id == dataset).cloned();
    let found = found.ok_or_else(|| {
        let code = straylight_geti::wire::ErrorCode::DatasetNotFound;
        ApiError::new(code, "The project has no such dataset")
    })?;
    Ok((project, found))
}

struct Grid {
    project: Project,
    dataset: Dataset,
    page: ImagePage,
    hooks: Vec<String>,
    sources: Vec<String>,
    api: String,
}

async fn grid(
    State(app): State<Shared>,
    Path((project, dataset)): Path<(String, String)>,
    Query(choice): Query<Choice>,
) -> PageResult<Markup> {
    let asked = choice.clone();
    let grid = app
        .run(move |app| {
            let (project, dataset) = find(app, &project, &dataset)?;
            let page = app.store.images(
                &dataset.id,
                &asked.filter(),
                asked.order(),
                asked.grid_page(),
            )?;
            let hooks = app.store.hooks(&dataset.id)?;
            let sources = app.store.sources(&dataset.id)?;
            let workspace = app.store.workspace();
            let api = format!(
                "/api/v1/organizations/{}/workspaces/{}/projects/{}/datasets/{}",
                workspace.organization_id, workspace.id, project.id, dataset.id
            );
            Ok(Grid {
                project,
                dataset,
                page,
                hooks,
                sources,
                api,
            })
        })
        .await?;
    Ok(layout::page(&grid.dataset.name, &render(&grid, &choice)))
}

fn render(grid: &Grid, choice: &Choice) -> Markup {
    let base = format!("/projects/{}/datasets/{}", grid.project.id, grid.dataset.id);
    let skip = choice.grid_page().skip;
    html! {
        (path(&grid.project))
        div.title {
            h1 { (grid.dataset.name) }
            a href={ (base) "/plots" } { "Plots" }
            (export(grid, choice))
        }
        (form(grid, choice, &base))
        p.dim role="status" { (count(grid, choice)) }
        @if grid.page.images.is_empty() {
            p.empty { "No image matches. " @if choice.is_filtered() { a href=(base) { "Show all" } } }
        }
        ol.grid data-grid="" {
            @for (index, image) in grid.page.images.iter().enumerate() {
                @let at = skip + index as u64;
                li { a.tile href={ (base) "/view" (choice.query(None, Some(at))) } { (tile(image)) } }
            }
        }
        (pager(grid.page.total, choice, &base))
    }
}

/// The export of what the filter shows.
fn export(grid: &Grid, choice: &Choice) -> Markup {
    html! {
        label.sr for="format" { "Export format" }
        select #format data-export-key="export_format" {
            @for (value, name) in crate::api::EXPORT_FORMATS { option value=(value) { (name) } }
        }
        label.sr for="split" { "Parts" }
        select #split data-export-key="split" {
            @for (value, name) in SPLITS { option value=(value) { (name) } }
        }
        label title="A training takes them for images of nothing" {
            input type="checkbox" data-export-key="include_unannotated_media" value="true";
            "With unlabelled"
        }
        @let shown = if choice.is_filtered() { "Export these" } else { "Export" };
        button type="button" data-export={ (grid.api) ":prepare-for-export" (choice.query(None, None)) } { (shown) }
    }
}

/// The way up from a dataset.
pub(super) fn path(project: &Project) -> Markup {
    html! {
        nav.path aria-label="You are here" {
            a href="/" { "Projects" } " / " a href={ "/projects/" (project.id) } { (project.name) }
        }
    }
}

fn count(grid: &Grid, choice: &Choice) -> String {
    let total = grid.page.total;
    let first = choice.grid_page().skip + 1;
    let last = choice.grid_page().skip + grid.page.images.len() as u64;
    if grid.page.images.is_empty() {
        format!("{total} images")
    } else {
        format!("{first} to {last} of {total} images")
    }
}

fn tile(image: &ImageRecord) -> Markup {
    html! {
        img src={ "/thumbnails/" (image.id) } alt="" loading="lazy" width="180" height="180";
        span.tile-name { (image.name) }
        span.tile-facts {
            @if let Some(score) = image.ood_score { span.score title="OOD score" { (format!("{score:.2}")) } }
            @if let Some(label) = &image.predicted_label { span { (label) } }
            @if let Some(source) = &image.source { span title="Source" { (source) } }
            @if image.annotated_at.is_some() { span.tag { "labelled" } }
            @match image.review {
                Review::Accepted => { span.tag.good { "accepted" } }
                Review::Rejected => { span.tag.bad { "rejected" } }
                Review::Open => {}
            }
        }
    }
}

fn form(grid: &Grid, choice: &Choice, base: &str) -> Markup {
    let labels = grid.project.trainable_tasks().flat_map(|t| &t.labels);
    let labels: Vec<&str> = labels.map(|l| l.name.as_str()).collect();
    let hooks: Vec<&str> = grid.hooks.iter().map(String::as_str).collect();
    let sources: Vec<&str> = grid.sources.iter().map(String::as_str).collect();
    let sorts: Vec<(&str, &str)> = SORTS.to_vec();
    html! {
        form.filters method="get" action=(base) {
            (choose("sort", "Order", &sorts, &choice.sort))
            (choose("label", "Label", &any(&labels), &choice.label))
            (choose("hook", "Hook", &any(&hooks), &choice.hook))
            @if !sources.is_empty() { (choose("source", "Source", &any(&sources), &choice.source)) }
            (choose("annotated", "Labelled", &[("", "Any"), ("yes", "Yes"), ("no", "No")], &choice.annotated))
            (choose("review", "Review", &[("", "Any"), ("open", "Open"), ("accepted", "Accepted"),
                ("rejected", "Rejected")], &choice.review))
            label { "Score from" input type="number" name="min" min="0" max="1" step="0.01" value=(choice.min); }
            label { "to" input type="number" name="max" min="0" max="1" step="0.01" value=(choice.max); }
            label { "Reason" input type="search" name="reason" value=(choice.reason); }
            label { "Name" input type="search" name="name" value=(choice.name); }
            button type="submit" { "Show" }
            @if choice.is_filtered() { a href=(base) { "Clear" } }
        }
    }
}

/// The names with a first entry for no choice.
fn any<'a>(names: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut entries = vec![("", "Any")];
    entries.extend(names.iter().map(|&name| (name, name)));
    entries
}

fn choose(name: &str, title: &str, entries: &[(&str, &str)], chosen: &str) -> Markup {
    html! {
        label { (title)
            select name=(name) {
                @for (value, text) in entries { option value=(value) selected[*value == chosen] { (text) } }
            }
        }
    }
}

fn pager(total: u64, choice: &Choice, base: &str) -> Markup {
    let pages = total.div_ceil(PAGE).max(1);
    let page = choice.page_number();
    let to = |page: u64| format!("{base}{}", choice.query(Some(page), None));
    html! {
        @if pages > 1 {
            nav.pager aria-label="Pages" {
                @if page > 1 { a href=(to(1)) { "First" } a href=(to(page - 1)) rel="prev" data-key="p" { "Previous" } }
                span { "Page " (page) " of " (pages) }
                @if page < pages { a href=(to(page + 1)) rel="next" data-key="n" { "Next" } a href=(to(pages)) { "Last" } }
            }
        }
    }
}

/// A thumbnail; the content of an image never changes.
async fn thumbnail(State(app): State<Shared>, Path(id): Path<String>) -> ApiResult<Response> {
    let bytes = app
        .compute(move |app| crate::api::thumbnail(app, &id, 256))
        .await?;
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, max-age=86400, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// The most frequent labels and hooks, for the plots.
pub(super) fn statistics(app: &App, dataset: &str) -> ApiResult<DatasetStatistics> {
    Ok(app.store.statistics(dataset)?)
}
