use std::fs::File;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use straylight_geti::wire::{
    CodeDeployment, CodeDeploymentRequest, CodeDeploymentState, DeploymentModel,
    DeploymentPackageRequest, ErrorCode, PackageType,
};

use super::endpoint::PR;
use super::extract::{Ids, JsonBody, Raw, parse_json};
use super::{ApiError, ApiResult, Endpoint, model_list, render};
use crate::app::{App, Shared};
use crate::{import, package};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let code = "/code_deployments";
    vec![
        Endpoint::at(PR, "/deployment_package:download")
            .post("A deployment as a zip file", download),
        Endpoint::at(PR, &format!("{code}:prepare"))
            .post("The older way: name a deployment", prepare),
        Endpoint::at(PR, &format!("{code}/{{c}}")).get("The older way: is it ready", state),
        Endpoint::at(PR, &format!("{code}/{{c}}/download"))
            .get("The older way: the zip file", download_code),
    ]
}

async fn download(State(app): State<Shared>, ids: Ids, Raw(body): Raw) -> ApiResult<Response> {
    let value: Value = parse_json(&body)?;
    let request: DeploymentPackageRequest = serde_json::from_value(value).map_err(|e| {
        let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
        ApiError::Status(status, format!("The body is not as expected: {e}"))
    })?;
    let file = app
        .run(move |app| pack(app, ids.project(), &request.models, request.package_type))
        .await?;
    Ok(zip_file(file))
}

/// Packs the deployment to which all the models belong.
fn pack(
    app: &App,
    project_id: &str,
    wanted: &[DeploymentModel],
    kind: PackageType,
) -> ApiResult<File> {
    let deployment = deployment_of(app, project_id, wanted)?;
    let folder = app.store.deployment_folder(&deployment)?.join("deployment");
    let project = app.store.project(project_id)?;
    let temporary = app.store.root().join("pending");
    let packed = match kind {
        PackageType::GetiSdk => {
            let replaced = descriptions(app, project_id, &deployment, wanted)?;
            package::geti_sdk(&folder, &replaced, &temporary)
        }
        PackageType::Ovms => {
            let dir = |task: &straylight_core::Task| {
                let dir = import::task_dir(&folder, task);
                dir.map(|dir| (task.id.clone(), dir))
            };
            let tasks: Result<Vec<_>, _> = project.trainable_tasks().map(dir).collect();
            let tasks = tasks.map_err(|e| ApiError::Internal(e.to_string()))?;
            package::ovms(&tasks, &temporary)
        }
    };
    packed.map_err(|e| match e.kind() {
        std::io::ErrorKind::StorageFull => {
            ApiError::new(ErrorCode::NotEnoughSpace, "The server's disk is full")
        }
        _ => ApiError::Internal(format!("a deployment could not be packed: {e}")),
    })
}

/// `project.json` as it is now, and the `model.json` of each model that was asked for.
fn descriptions(
    app: &App,
    project_id: &str,
    deployment: &str,
    wanted: &[DeploymentModel],
) -> ApiResult<Vec<(String, Vec<u8>)>> {
    let project = render::project(app, project_id)?;
    let mut files = vec![("deployment/project.json".to_owned(), to_json(&project)?)];
    for model in import::models(&app.store.deployment(deployment)?) {
        let tasks = project.pipeline.tasks.iter();
        let task = tasks
            .into_iter()
            .find(|t| Some(&t.id) == model.group.task_id.as_ref());
        let asked = |id: &str| wanted.iter().any(|w| w.model_id == id);
        let chosen = model.variants().into_iter().find(|v| asked(&v.id));
        if let (Some(task), Some(chosen)) = (task, chosen) {
            files.push((
                format!("deployment/{}/model.json", task.title),
                to_json(&chosen)?,
            ));
        }
    }
    Ok(files)
}

fn to_json(value: &impl serde::Serialize) -> ApiResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| ApiError::Internal(e.to_string()))
}

/// The one deployment that has all the models.
fn deployment_of(app: &App, project: &str, wanted: &[DeploymentModel]) -> ApiResult<String> {
    let ids = wanted.iter().map(|model| {
        let found = model_list::find(app, project, &model.model_group_id, Some(&model.model_id));
        found.map(|(deployment, _)| deployment.id)
    });
    let ids = ids.collect::<ApiResult<Vec<_>>>()?;
    let Some(first) = ids.first() else {
        return Err(ApiError::bad("`models` names no model"));
    };
    if ids.iter().any(|id| id != first) {
        let message = "The models were imported with different deployments";
        return Err(ApiError::new(ErrorCode::IncompatibleModelFormat, message));
    }
    Ok(first.clone())
}

fn zip_file(file: File) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"deployment.zip\"",
        ),
    ];
    (headers, stream(file)).into_response()
}

/// A file as a body, read piece by piece.
pub(super) fn stream(file: File) -> Body {
    let file = tokio::fs::File::from_std(file);
    let chunks = futures_stream(file);
    Body::new(chunks)
}

fn futures_stream(file: tokio::fs::File) -> FileBody {
    FileBody {
        file,
        buffer: vec![0; 256 << 10],
    }
}

/// A body that reads a file.
struct FileBody {
    file: tokio::fs::File,
    buffer: Vec<u8>,
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
        use std::task::Poll;
        let Self { file, buffer } = &mut *self;
        let mut read = tokio::io::ReadBuf::new(buffer);
        let file = std::pin::Pin::new(file);
        match tokio::io::AsyncRead::poll_read(file, context, &mut read) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(())) if read.filled().is_empty() => Poll::Ready(None),
            Poll::Ready(Ok(())) => {
                let bytes = Bytes::copy_from_slice(read.filled());
                Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes))))
            }
        }
    }
}

/// In the older way a deployment is named by its own identifier, and ready at once.
async fn prepare(
    State(app): State<Shared>,
    ids: Ids,
    JsonBody(request): JsonBody<CodeDeploymentRequest>,
) -> ApiResult<Json<CodeDeployment>> {
    let answer = app
        .run(move |app| {
            let id = deployment_of(app, ids.project(), &request.models)?;
            code_deployment(app, ids.project(), &id, CodeDeploymentState::Preparing)
        })
        .await?;
    Ok(Json(answer))
}

async fn state(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<CodeDeployment>> {
    let answer = app
        .run(move |app| {
            code_deployment(app, ids.project(), ids.get("c"), CodeDeploymentState::Done)
        })
        .await?;
    Ok(Json(answer))
}

fn code_deployment(
    app: &App,
    project: &str,
    id: &str,
    state: CodeDeploymentState,
) -> ApiResult<CodeDeployment> {
    let deployments = app.store.deployments(project)?;
    let found = deployments.into_iter().find(|d| d.id == id);
    let deployment = found.ok_or_else(|| {
        ApiError::new(
            ErrorCode::ExportableCodeNotFound,
            "There is no such deployment",
        )
    })?;
    let models = import::models(&deployment)
        .into_iter()
        .map(|m| DeploymentModel {
            model_id: m.optimized.id,
            model_group_id: m.group.id,
        });
    Ok(CodeDeployment {
        id: deployment.id,
        progress: if state == CodeDeploymentState::Done {
            100.0
        } else {
            0.0
        },
        state: state.into(),
        message: None,
        models: models.collect(),
        creator_id: Some(app.store.workspace().user_id.clone()),
        creation_time: Some(deployment.created_at.into()),
    })
}

async fn download_code(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let file = app
        .run(move |app| {
            let state = CodeDeploymentState::Done;
            let code = code_deployment(app, ids.project(), ids.get("c"), state)?;
            pack(app, ids.project(), &code.models, PackageType::GetiSdk)
        })
        .await?;
    Ok(zip_file(file))
}
