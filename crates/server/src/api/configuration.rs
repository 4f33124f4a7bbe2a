use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use straylight_core::Project;
use straylight_geti::wire::{
    ConfigEntry, ConfigItem, DatasetPreparation, ErrorCode, ProjectConfiguration, TaskConfig,
    TaskTraining, TrainingConfiguration,
};

use super::endpoint::PR;
use super::extract::{Ids, JsonBody, Query};
use super::{ApiError, ApiResult, Endpoint};
use crate::app::{App, Shared};

/// Under which key the store keeps whether a task is trained on its own.
const AUTO_TRAINING: &str = "auto_training";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let task = "/configuration/task_chain/{t}";
    vec![
        Endpoint::at(PR, "/project_configuration")
            .get("The configuration of a project", get)
            .patch("Change the configuration of a project", patch)
            .status(204),
        Endpoint::at(PR, "/training_configuration").get(
            "What a model was trained with, as far as it is known",
            training,
        ),
        Endpoint::at(PR, "/configuration")
            .get("The older way: all configuration", legacy_all)
            .post("The older way: change all configuration", legacy_ignore),
        Endpoint::at(PR, "/configuration/global")
            .get("The older way: configuration of the project", legacy_global)
            .post(
                "The older way: change the project's configuration",
                legacy_ignore,
            ),
        Endpoint::at(PR, task)
            .get("The older way: configuration of a task", legacy_task)
            .post("The older way: change a task's configuration", legacy_set),
    ]
}

/// Whether each task is to be trained on its own, as the user last said; kept because clients
/// write it and read it back. Nothing is trained here.
fn auto_training(app: &App, project: &Project) -> ApiResult<Map<String, Value>> {
    let stored = app.store.setting(&project.id, AUTO_TRAINING)?;
    Ok(stored
        .and_then(|v| v.as_object().cloned())
        .unwrap_or_default())
}

fn is_on(settings: &Map<String, Value>, task: &str) -> bool {
    settings.get(task).and_then(Value::as_bool).unwrap_or(false)
}

async fn get(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<ProjectConfiguration>> {
    let (project, settings) = app
        .run(move |app| {
            let project = app.store.project(ids.project())?;
            let settings = auto_training(app, &project)?;
            Ok((project, settings))
        })
        .await?;
    let task_configs = project.trainable_tasks().map(|task| TaskConfig {
        task_id: task.id.clone(),
        training: TaskTraining {
            constraints: vec![ConfigItem::new("min_images_per_label", 0)],
        },
        auto_training: vec![
            ConfigItem::new("enable", is_on(&settings, &task.id)),
            ConfigItem::new("enable_dynamic_required_annotations", false),
            ConfigItem::new("min_images_per_label", 12),
        ],
    });
    let task_configs = task_configs.collect();
    Ok(Json(ProjectConfiguration { task_configs }))
}

async fn patch(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(new): JsonBody<ProjectConfiguration>,
) -> ApiResult<StatusCode> {
    app.run(move |app| {
        let project = app.store.project(ids.project())?;
        let mut settings = auto_training(app, &project)?;
        for task in new.task_configs {
            known_task(&project, &task.task_id)?;
            let enable = task.auto_training.iter().find(|item| item.key == "enable");
            if let Some(enable) = enable.and_then(|item| item.value.as_bool()) {
                settings.insert(task.task_id, json!(enable));
            }
        }
        let settings = Value::Object(settings);
        Ok(app
            .store
            .set_setting(&project.id, AUTO_TRAINING, &settings)?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn known_task(project: &Project, id: &str) -> ApiResult<()> {
    if project.trainable_tasks().any(|task| task.id == id) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::TaskNotFound,
        "The project has no such task",
    ))
}

/// The training happened elsewhere, and nothing is known of it; these are the least values
/// that the SDK takes, which it only writes into a file.
async fn training(
    State(app): State<Shared>,
    ids: Ids,
    query: Query,
) -> ApiResult<Json<TrainingConfiguration>> {
    let task_id = query.text("task_id").map(str::to_owned);
    let project = app
        .run(move |app| Ok(app.store.project(ids.project())?))
        .await?;
    if let Some(task) = &task_id {
        known_task(&project, task)?;
    }
    let first = project.trainable_tasks().next().map(|t| t.id.clone());
    Ok(Json(TrainingConfiguration {
        task_id: task_id.or(first),
        dataset_preparation: DatasetPreparation::default(),
        training: vec![
            ConfigEntry::Item(ConfigItem::new("max_epochs", 1)),
            ConfigEntry::Item(ConfigItem::new("learning_rate", 0.001)),
            ConfigEntry::Group(Map::from_iter([(
                "early_stopping".to_owned(),
                json!([{"key": "enable", "value": false}, {"key": "patience", "value": 1}]),
            )])),
        ],
        evaluation: Vec::new(),
    }))
}

async fn legacy_task(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Value>> {
    let value = app
        .run(move |app| {
            let project = app.store.project(ids.project())?;
            known_task(&project, ids.get("t"))?;
            let on = is_on(&auto_training(app, &project)?, ids.get("t"));
            Ok(legacy_component(&project, ids.get("t"), on, app))
        })
        .await?;
    Ok(Json(value))
}

fn legacy_component(project: &Project, task: &str, on: bool, app: &App) -> Value {
    let title = project
        .trainable_tasks()
        .find(|t| t.id == task)
        .map(|t| t.title.clone());
    json!({
        "task_id": task,
        "task_title": title.unwrap_or_default(),
        "components": [{
            "header": "Annotation requirements",
            "type": "CONFIGURABLE_PARAMETERS",
            "entity_identifier": {
                "workspace_id": app.store.workspace().id,
                "project_id": project.id,
                "task_id": task,
                "type": "COMPONENT_PARAMETERS",
                "component": "TASK_NODE",
            },
            "parameters": [{
                "name": "auto_training", "header": "Auto-training", "data_type": "boolean",
                "default_value": false, "value": on, "editable": true,
                "description": "Kept, but nothing is trained on this server",
                "warning": null, "template_type": "input",
            }],
        }],
    })
}

async fn legacy_global(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Value>> {
    app.run(move |app| Ok(app.store.project(ids.project())?))
        .await?;
    Ok(Json(json!({"global": []})))
}

async fn legacy_all(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Value>> {
    let tasks = app
        .run(move |app| {
            let project = app.store.project(ids.project())?;
            let settings = auto_training(app, &project)?;
            let task = |task: &straylight_core::Task| {
                legacy_component(&project, &task.id, is_on(&settings, &task.id), app)
            };
            Ok(project.trainable_tasks().map(task).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(json!({"global": [], "task_chain": tasks})))
}

/// Takes over `auto_training` of a whole entity that was read before.
async fn legacy_set(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(entity): JsonBody<Value>,
) -> ApiResult<Json<Value>> {
    app.run(move |app| {
        let project = app.store.project(ids.project())?;
        known_task(&project, ids.get("t"))?;
        let mut settings = auto_training(app, &project)?;
        if let Some(on) = find_auto_training(&entity) {
            settings.insert(ids.get("t").to_owned(), json!(on));
        }
        let settings = Value::Object(settings);
        Ok(app
            .store
            .set_setting(&project.id, AUTO_TRAINING, &settings)?)
    })
    .await?;
    Ok(Json(json!({})))
}

fn find_auto_training(entity: &Value) -> Option<bool> {
    let components = entity["components"].as_array()?.iter();
    let mut parameters = components
        .filter_map(|c| c["parameters"].as_array())
        .flatten();
    parameters.find(|p| p["name"] == "auto_training")?["value"].as_bool()
}

async fn legacy_ignore(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(_): JsonBody<Value>,
) -> ApiResult<Json<Value>> {
    app.run(move |app| Ok(app.store.project(ids.project())?))
        .await?;
    Ok(Json(json!({})))
}
