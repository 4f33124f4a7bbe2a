use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use straylight_core::TaskType;
use straylight_geti::wire::{ErrorCode, Project};

use super::extract::{Ids, JsonBody};
use super::{ApiError, ApiResult, render};
use crate::app::{App, Shared};

/// `PUT` of a project: its name, and names, colours and shortcuts of labels may change, and
/// labels may be added. Tasks and labels cannot be taken away.
pub(super) async fn put(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(request): JsonBody<Value>,
) -> ApiResult<Json<Project>> {
    let project = app
        .run(move |app| update(app, ids.project(), &request))
        .await?;
    Ok(Json(project))
}

fn update(app: &App, id: &str, request: &Value) -> ApiResult<Project> {
    let mut stored = app.store.project_json(id)?;
    if let Some(name) = request["name"].as_str() {
        if name.trim().is_empty() {
            let message = "A project needs a name";
            return Err(ApiError::new(ErrorCode::EmptyProjectName, message));
        }
        stored["name"] = json!(name);
    }
    let wanted = request.pointer("/pipeline/tasks").and_then(Value::as_array);
    let tasks = stored
        .pointer_mut("/pipeline/tasks")
        .and_then(Value::as_array_mut);
    for task in tasks.into_iter().flatten() {
        let changed = wanted.into_iter().flatten().find(|t| t["id"] == task["id"]);
        if let Some(changed) = changed {
            update_labels(app, task, changed)?;
        }
    }
    check_unique(&stored)?;
    app.store.update_project(&stored)?;
    render::project(app, id)
}

fn update_labels(app: &App, task: &mut Value, changed: &Value) -> ApiResult<()> {
    let Some(wanted) = changed["labels"].as_array() else {
        return Ok(());
    };
    let group = task["title"].as_str().unwrap_or_default().to_lowercase() + " label group";
    let is_dataset = task["task_type"] == render::task_type(TaskType::Dataset);
    let Some(labels) = task["labels"].as_array_mut().filter(|_| !is_dataset) else {
        return Ok(());
    };
    for label in labels.iter_mut() {
        let found = wanted.iter().find(|w| w["id"] == label["id"]);
        let found = found.ok_or_else(|| {
            let name = label["name"].as_str().unwrap_or_default();
            ApiError::bad(format!(
                "The label `{name}` is missing: labels cannot be taken away"
            ))
        })?;
        copy_keys(label, found)?;
    }
    for new in wanted
        .iter()
        .filter(|w| w["id"].as_str().is_none_or(str::is_empty))
    {
        labels.push(new_label(app, new, &group)?);
    }
    Ok(())
}

/// Takes over what may change of a label.
fn copy_keys(label: &mut Value, from: &Value) -> ApiResult<()> {
    for key in ["name", "color", "hotkey"] {
        if let Some(text) = from[key].as_str() {
            label[key] = json!(text);
        }
    }
    let read: Result<straylight_geti::wire::Label, _> = serde_json::from_value(label.clone());
    read.map(drop)
        .map_err(|e| ApiError::bad(format!("A label is not as expected: {e}")))
}

fn new_label(app: &App, from: &Value, group: &str) -> ApiResult<Value> {
    let mut label = json!({
        "id": app.store.new_id()?, "name": "", "color": "#808080ff", "hotkey": "",
        "group": from["group"].as_str().unwrap_or(group),
        "is_empty": false, "is_anomalous": false, "parent_id": from["parent_id"],
    });
    copy_keys(&mut label, from)?;
    if label["name"]
        .as_str()
        .is_none_or(|name| name.trim().is_empty())
    {
        return Err(ApiError::bad("A label needs a name"));
    }
    Ok(label)
}

fn check_unique(project: &Value) -> ApiResult<()> {
    let tasks = project.pointer("/pipeline/tasks").and_then(Value::as_array);
    let labels = tasks
        .into_iter()
        .flatten()
        .filter_map(|t| t["labels"].as_array());
    let mut names: Vec<&str> = labels
        .flatten()
        .filter_map(|l| l["name"].as_str())
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            let message = format!("Two labels are named `{}`", pair[0]);
            Err(ApiError::new(ErrorCode::DuplicateLabelNames, message))
        }
        None => Ok(()),
    }
}
