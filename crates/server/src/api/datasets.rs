use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use straylight_geti::wire::{
    Dataset, DatasetList, DatasetStatistics, Done, NewDataset, StatisticsOverview,
};

use super::endpoint::{DS, PR};
use super::extract::{Ids, JsonBody};
use super::{ApiResult, Endpoint, export, lookup};
use crate::app::Shared;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(PR, "/datasets")
            .get("The datasets of a project", list)
            .post("Make a dataset", create)
            .status(201),
        Endpoint::at(DS, "")
            .get("A dataset", get)
            .put("Rename a dataset", rename)
            .delete("Delete a dataset with its images", delete)
            .post("`{d}:prepare-for-export`", export::dataset_action),
        Endpoint::at(DS, "/statistics").get("What is in a dataset", statistics),
    ]
}

async fn list(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<DatasetList>> {
    let datasets = app
        .run(move |app| Ok(app.store.datasets(ids.project())?))
        .await?;
    let datasets = datasets.into_iter().map(Dataset::from).collect();
    Ok(Json(DatasetList { datasets }))
}

async fn create(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(new): JsonBody<NewDataset>,
) -> ApiResult<(StatusCode, Json<Dataset>)> {
    let dataset = app
        .run(move |app| Ok(app.store.create_dataset(ids.project(), &new.name)?))
        .await?;
    Ok((StatusCode::CREATED, Json(dataset.into())))
}

async fn get(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Dataset>> {
    let (_, dataset) = app.run(move |app| lookup::dataset(app, &ids)).await?;
    Ok(Json(dataset.into()))
}

async fn rename(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(new): JsonBody<NewDataset>,
) -> ApiResult<Json<Dataset>> {
    let dataset = app
        .run(move |app| {
            let (_, dataset) = lookup::dataset(app, &ids)?;
            Ok(app.store.rename_dataset(&dataset.id, &new.name)?)
        })
        .await?;
    Ok(Json(dataset.into()))
}

async fn delete(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Done>> {
    app.run(move |app| {
        let (project, dataset) = lookup::dataset(app, &ids)?;
        app.store.delete_dataset(&dataset.id)?;
        export::forget(app, &project.id);
        Ok(())
    })
    .await?;
    Ok(Json(Done::success()))
}

async fn statistics(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<DatasetStatistics>> {
    let (project, statistics) = app
        .run(move |app| {
            let (project, dataset) = lookup::dataset(app, &ids)?;
            Ok((project, app.store.statistics(&dataset.id)?))
        })
        .await?;
    let overview = StatisticsOverview {
        images: statistics.images,
        videos: statistics.videos,
        annotated_images: statistics.annotated,
        annotated_frames: statistics.annotated_frames,
        annotated_videos: statistics.annotated_videos,
    };
    let tasks = project.trainable_tasks().map(|task| {
        let count = |name: &str| {
            let found = statistics.labels.iter().find(|l| l.name == name);
            found.map_or(0, |l| l.images)
        };
        let label = |l: &straylight_core::Label| {
            json!({"id": l.id, "name": l.name, "color": l.color, "value": count(&l.name)})
        };
        let labels: Vec<_> = task.labels.iter().map(label).collect();
        json!({"task_id": task.id, "images_per_label": labels})
    });
    let tasks = tasks.collect();
    Ok(Json(DatasetStatistics { overview, tasks }))
}
