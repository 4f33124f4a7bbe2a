use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use straylight_core::TaskType;
use straylight_geti::wire::{self, Done, ErrorCode, Open, Project, ProjectList};
use straylight_store::{
    ImageFilter, ImageSort, NewLabel, NewProject, NewTask, Page, SortDirection,
};

use super::endpoint::{PR, W};
use super::extract::{Ids, JsonBody, Query};
use super::{ApiError, ApiResult, Endpoint, project_put, render};
use crate::app::{App, Shared};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(W, "/projects")
            .get("A page of the projects", list)
            .post("Make a project", create)
            .status(201),
        Endpoint::at(W, "/projects_names").get("Names of all projects", names),
        Endpoint::at(PR, "")
            .get("A project", get)
            .put(
                "Rename a project; rename, recolour and add labels",
                project_put::put,
            )
            .delete("Delete a project with all that is in it", delete)
            .post(
                "`{p}:train` and `{p}:export`",
                super::export::project_action,
            ),
        Endpoint::at(PR, "/status").get("What a project is doing", status),
        Endpoint::at(PR, "/thumbnail").get("A small picture of the project", thumbnail),
    ]
}

async fn list(State(app): State<Shared>, _ids: Ids, query: Query) -> ApiResult<Json<ProjectList>> {
    let limit = query.number("limit", 10, (1, 100))?;
    let skip = query.number("skip", 0, (0, i64::MAX as u64))?;
    let page = app
        .run(move |app| project_page(app, Page { skip, limit }))
        .await?;
    Ok(Json(page))
}

fn project_page(app: &App, page: Page) -> ApiResult<ProjectList> {
    let (projects, total) = app.store.projects(page)?;
    let summary = |project: &straylight_core::Project| -> ApiResult<Project> {
        let mut summary = render::project(app, &project.id)?;
        summary.datasets = None;
        Ok(summary)
    };
    let projects = projects
        .iter()
        .map(summary)
        .collect::<ApiResult<Vec<_>>>()?;
    let end = page.skip.saturating_add(projects.len() as u64);
    let base = render::base(app.store.workspace());
    let next = format!("{base}/projects?limit={}&skip={end}", page.limit);
    Ok(ProjectList {
        project_counts: total,
        project_page_count: projects.len() as u64,
        next_page: (end < total).then_some(next),
        projects,
    })
}

async fn names(State(app): State<Shared>, _ids: Ids) -> ApiResult<Json<Value>> {
    let (projects, _) = app.run(|app| Ok(app.store.projects(Page::ALL)?)).await?;
    let names = projects
        .iter()
        .map(|p| serde_json::json!({"id": p.id, "name": p.name}));
    Ok(Json(
        serde_json::json!({"projects": names.collect::<Vec<_>>()}),
    ))
}

async fn create(
    State(app): State<Shared>,
    _ids: Ids,
    JsonBody(new): JsonBody<wire::NewProject>,
) -> ApiResult<(StatusCode, Json<Project>)> {
    let new = to_new(new)?;
    let project = app
        .run(move |app| render::project(app, &app.store.create_project(&new)?.id))
        .await?;
    Ok((StatusCode::CREATED, Json(project)))
}

/// What the store is to make: the tasks in the order of their connections.
fn to_new(request: wire::NewProject) -> ApiResult<NewProject> {
    let pipeline = request.pipeline;
    let titles: Vec<&str> = pipeline.tasks.iter().map(|t| t.title.as_str()).collect();
    check_connections(&titles, &pipeline.connections)?;
    let first = pipeline.tasks.first().map(|t| &t.task_type);
    if first != Some(&Open::Known(TaskType::Dataset)) {
        let message = "The first task of a project is its dataset";
        return Err(ApiError::new(ErrorCode::InvalidTaskType, message));
    }
    let tasks = pipeline.tasks.into_iter().skip(1).map(to_task);
    Ok(NewProject {
        name: request.name,
        tasks: tasks.collect::<ApiResult<_>>()?,
    })
}

/// A chain from the first task to the last, each connected to the next.
fn check_connections(titles: &[&str], edges: &[wire::NewConnection]) -> ApiResult<()> {
    if titles.len() > 1 && edges.is_empty() {
        let message = "The tasks are not connected";
        return Err(ApiError::new(ErrorCode::NoTasksConnections, message));
    }
    if edges.len() + 1 != titles.len() {
        let message = format!(
            "{} tasks need {} connections",
            titles.len(),
            titles.len().max(1) - 1
        );
        return Err(ApiError::new(
            ErrorCode::BadNumberOfTaskConnections,
            message,
        ));
    }
    let joined = |pair: &[&str]| edges.iter().any(|e| [e.from.as_str(), &e.to] == pair);
    if let Some(pair) = titles.windows(2).find(|pair| !joined(pair)) {
        let message = format!("`{}` are not connected", pair.join("` and `"));
        return Err(ApiError::new(ErrorCode::UnconnectedTasks, message));
    }
    Ok(())
}

fn to_task(task: wire::NewTask) -> ApiResult<NewTask> {
    let Open::Known(task_type) = task.task_type else {
        let message = format!("`{}` is no task type", task.task_type);
        return Err(ApiError::new(ErrorCode::InvalidTaskType, message));
    };
    let keypoint_structure = task.keypoint_structure.map(|s| serde_json::json!(s));
    Ok(NewTask {
        title: task.title,
        task_type,
        labels: task
            .labels
            .into_iter()
            .flatten()
            .filter_map(to_label)
            .collect(),
        keypoint_structure,
    })
}

/// The SDK sends empty labels of a downloaded project along; the store makes them itself.
fn to_label(label: wire::NewLabel) -> Option<NewLabel> {
    if label.is_empty == Some(true) {
        return None;
    }
    Some(NewLabel {
        name: label.name,
        color: label.color,
        group: label.group.filter(|g| !g.is_empty()),
        hotkey: label.hotkey.unwrap_or_default(),
        parent: label.parent_id.filter(|p| !p.is_empty()),
    })
}

async fn get(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Project>> {
    let project = app
        .run(move |app| render::project(app, ids.project()))
        .await?;
    Ok(Json(project))
}

async fn delete(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Done>> {
    app.run(move |app| {
        let running = app
            .store
            .jobs(Some(ids.project()), Some("running"), Page::first(1))?;
        if !running.is_empty() {
            let message = "Jobs of the project are running";
            return Err(ApiError::new(ErrorCode::ProjectLocked, message));
        }
        for deployment in app.store.deployments(ids.project())? {
            app.models.forget(&deployment.id);
        }
        app.store.delete_project(ids.project())?;
        super::export::forget(app, ids.project());
        Ok(())
    })
    .await?;
    Ok(Json(Done::success()))
}

async fn status(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Value>> {
    let project = app
        .run(move |app| Ok(app.store.project(ids.project())?))
        .await?;
    Ok(Json(render::status(&project)))
}

/// The newest image; 204 while there is none.
async fn thumbnail(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let jpeg = app
        .compute(move |app| {
            let project = app.store.project(ids.project())?;
            let newest = project.datasets.first().map(|dataset| {
                let sort = (ImageSort::UploadedAt, SortDirection::Descending);
                app.store
                    .images(&dataset.id, &ImageFilter::default(), sort, Page::first(1))
            });
            let newest = newest
                .transpose()?
                .and_then(|page| page.images.into_iter().next());
            newest
                .map(|image| super::thumbnail(app, &image.id, 256))
                .transpose()
        })
        .await?;
    Ok(match jpeg {
        Some(bytes) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}
