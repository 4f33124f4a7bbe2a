use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use straylight_core::{Label, Task};
use straylight_geti::wire::{
    Algorithm, AlgorithmList, AlgorithmStats, Capabilities, Done, ErrorCode, LabelRef,
    LegacyAlgorithm, Model, ModelGroup, ModelGroupList, ModernAlgorithm, PerformanceRatings,
    PurgeInfo, SupportedGpus, TrainingDatasetInfo, TrainingFramework,
};
use straylight_store::DeploymentRecord;

use super::endpoint::PR;
use super::extract::Ids;
use super::{ApiError, ApiResult, Endpoint};
use crate::app::{App, Shared};
use crate::config::SdkGeneration;
use crate::import::{TaskModel, models};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(PR, "/supported_algorithms")
            .get("The algorithms of the imported models", algorithms),
        Endpoint::at(PR, "/model_groups").get("The imported models", groups),
        Endpoint::at(PR, "/model_groups/{g}")
            .get("A group of models", group)
            .post(
                "`{g}:activate`: predict with this model from now on",
                activate,
            ),
        Endpoint::at(PR, "/model_groups/{g}/models/{m}").get("A model", model),
    ]
}

/// Every imported model of a project with its deployment, the oldest first.
fn all(app: &App, project: &str) -> ApiResult<Vec<(DeploymentRecord, TaskModel)>> {
    let deployments = app.store.deployments(project)?;
    let pairs = deployments.into_iter().flat_map(|deployment| {
        let models = models(&deployment);
        models
            .into_iter()
            .map(move |model| (deployment.clone(), model))
    });
    Ok(pairs.collect())
}

/// The deployment and the model that a group and a model, plain or optimized, name.
pub(super) fn find(
    app: &App,
    project: &str,
    group: &str,
    model: Option<&str>,
) -> ApiResult<(DeploymentRecord, TaskModel)> {
    let fits = |found: &TaskModel| {
        let has = |id: &str| {
            let plain = found.group.models.iter().any(|m| m.id == id);
            plain || found.variants().iter().any(|m| m.id == id)
        };
        found.group.id == group && model.is_none_or(has)
    };
    let found = all(app, project)?
        .into_iter()
        .find(|(_, model)| fits(model));
    found.ok_or_else(|| ApiError::new(ErrorCode::ModelNotFound, "The project has no such model"))
}

async fn groups(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<ModelGroupList>> {
    let all = app.run(move |app| all(app, ids.project())).await?;
    let model_groups = all
        .into_iter()
        .map(|(deployment, model)| as_group(&deployment, model));
    let model_groups = model_groups.collect();
    Ok(Json(ModelGroupList { model_groups }))
}

async fn group(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<ModelGroup>> {
    let (deployment, model) = app
        .run(move |app| find(app, ids.project(), ids.get("g"), None))
        .await?;
    Ok(Json(as_group(&deployment, model)))
}

/// The group with the truth about which deployment is active.
fn as_group(deployment: &DeploymentRecord, mut model: TaskModel) -> ModelGroup {
    for summary in &mut model.group.models {
        summary.active_model = deployment.active;
    }
    model.group
}

async fn activate(State(app): State<Shared>, ids: Ids) -> ApiResult<(StatusCode, Json<Done>)> {
    if ids.action.as_deref() != Some("activate") {
        return Err(ApiError::bad("The only action on a group is `:activate`"));
    }
    app.run(move |app| {
        let (deployment, _) = find(app, ids.project(), ids.get("g"), None)?;
        Ok(app.store.activate_deployment(&deployment.id)?)
    })
    .await?;
    Ok((StatusCode::OK, Json(Done::success())))
}

async fn model(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Value>> {
    let model = app
        .run(move |app| {
            let project = app.store.project(ids.project())?;
            let (_, model) = find(app, ids.project(), ids.get("g"), Some(ids.get("m")))?;
            let mut tasks = project.trainable_tasks();
            let task = tasks.find(|t| Some(&t.id) == model.group.task_id.as_ref());
            let dataset = project.datasets.first().map(|d| d.id.clone());
            let detail = detail(model, task, dataset.unwrap_or_default());
            for_sdk(app.config.generation, &detail)
        })
        .await?;
    Ok(Json(model))
}

/// The model as the SDK of a generation takes it.
fn for_sdk(generation: SdkGeneration, model: &Model) -> ApiResult<Value> {
    let json = serde_json::to_value(model);
    let mut json = json.map_err(|e| ApiError::Internal(format!("a model is no JSON: {e}")))?;
    if generation == SdkGeneration::Legacy {
        // SDK 2.5 demands the key, newer ones refuse it.
        json["score_up_to_date"] = json!(true);
    }
    Ok(json)
}

fn detail(model: TaskModel, task: Option<&Task>, dataset: String) -> Model {
    let optimized_models = model.variants();
    let TaskModel { group, optimized } = model;
    let summary = group.models.into_iter().next();
    let label = |l: &Label| LabelRef {
        id: l.id.clone(),
        name: l.name.clone(),
        other: Map::from_iter([
            ("color".to_owned(), json!(l.color)),
            ("group".to_owned(), json!(l.group)),
            ("is_empty".to_owned(), json!(l.is_empty)),
            ("hotkey".to_owned(), json!(l.hotkey)),
            ("parent_id".to_owned(), json!(l.parent_id)),
        ]),
    };
    Model {
        id: summary.as_ref().map(|m| m.id.clone()).unwrap_or_default(),
        name: group.name.clone(),
        architecture: group.name,
        version: summary.map_or(1, |m| m.version),
        creation_date: optimized.creation_date,
        size: optimized.size,
        total_disk_size: optimized.size,
        performance: optimized.performance,
        precision: optimized.precision,
        label_schema_in_sync: true,
        labels: task
            .into_iter()
            .flat_map(|t| &t.labels)
            .map(label)
            .collect(),
        training_dataset_info: Some(TrainingDatasetInfo {
            dataset_storage_id: dataset,
            ..TrainingDatasetInfo::default()
        }),
        training_framework: Some(TrainingFramework {
            kind: "OTX".to_owned(),
            version: "2.0.0".to_owned(),
        }),
        purge_info: Some(PurgeInfo::default()),
        learning_approach: group.learning_approach,
        fps_throughput: optimized.fps_throughput,
        latency: optimized.latency,
        target_device: Some("CPU".to_owned()),
        target_device_type: None,
        previous_revision_id: None,
        previous_trained_revision_id: None,
        optimized_models,
    }
}

async fn algorithms(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<AlgorithmList>> {
    let generation = app.config.generation;
    let (project, all) = app
        .run(move |app| Ok((app.store.project(ids.project())?, all(app, ids.project())?)))
        .await?;
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for (_, model) in all {
        let mut tasks = project.trainable_tasks();
        let task = tasks.find(|t| Some(&t.id) == model.group.task_id.as_ref());
        let known = algorithms
            .iter()
            .any(|a| a.id() == model.group.model_template_id);
        if let Some(task) = task.filter(|_| !known) {
            algorithms.push(algorithm(generation, &model, task));
        }
    }
    Ok(Json(AlgorithmList {
        supported_algorithms: algorithms,
    }))
}

/// The algorithm of an imported model: it was trained elsewhere, so little is known of it.
fn algorithm(generation: SdkGeneration, model: &TaskModel, task: &Task) -> Algorithm {
    let (id, name) = (
        model.group.model_template_id.clone(),
        model.group.name.clone(),
    );
    match generation {
        SdkGeneration::Current => Algorithm::Modern(Box::new(ModernAlgorithm {
            model_manifest_id: id,
            task: task.task_type.into(),
            description: format!("{name}, imported"),
            name,
            stats: AlgorithmStats {
                performance_ratings: PerformanceRatings {
                    accuracy: 2,
                    training_time: 2,
                    inference_speed: 2,
                },
                ..AlgorithmStats::default()
            },
            support_status: "active".to_owned(),
            supported_gpus: SupportedGpus::default(),
            capabilities: Capabilities {
                xai: model.optimized.has_xai_head,
                tiling: false,
            },
            is_default_model: true,
            performance_category: "other".to_owned(),
        })),
        SdkGeneration::Legacy => Algorithm::Legacy(Box::new(LegacyAlgorithm {
            model_size: json!(model.optimized.size / 1_000_000),
            summary: format!("{name}, imported"),
            name,
            task_type: task.task_type.into(),
            model_template_id: id,
            gigaflops: 0.0,
            supports_auto_hpo: false,
            default_algorithm: true,
            performance_category: "other".to_owned(),
            lifecycle_stage: "active".to_owned(),
        })),
    }
}
