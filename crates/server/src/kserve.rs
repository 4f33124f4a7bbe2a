//! Inference over the KServe V2 REST protocol ("Open Inference Protocol").
//!
//! A model is a deployment, named by its identifier or by its project's. The one input
//! `image` is either `BYTES` of shape `[n]` with image files in base64, or `UINT8` of shape
//! `[1, height, width, 3]` with RGB pixels. For each image the answer holds the best label and
//! its probability, the OOD score (NaN cannot be written in JSON: -1 when no OOD model is
//! fitted), the hooks that fired, and the whole prediction as JSON.

mod data;

use axum::extract::{Path, Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use straylight_core::{Frame, RgbImage};
use straylight_geti::wire::ErrorCode;
use straylight_store::DeploymentRecord;

use crate::api::{ApiError, ApiResult, body, parse_json, predict_bytes, predict_frame, to_stored};
use crate::app::{App, Shared};
use crate::health;
use crate::predictor::Predicted;

use self::data::Data;

/// Images in one request at most.
const MAX_BATCH: usize = 64;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2", get(server))
        .route(
            "/v2/health/live",
            get(|| async { Json(json!({"live": true})) }),
        )
        .route("/v2/health/ready", get(health::ready))
        .route("/v2/models/{name}", get(model))
        .route("/v2/models/{name}/ready", get(ready))
        .route("/v2/models/{name}/infer", post(infer))
        .route("/v2/models/{name}/versions/{version}", get(model))
        .route("/v2/models/{name}/versions/{version}/ready", get(ready))
        .route("/v2/models/{name}/versions/{version}/infer", post(infer))
}

async fn server() -> Json<Value> {
    Json(json!({
        "name": "straylight", "version": env!("CARGO_PKG_VERSION"), "extensions": [],
    }))
}

/// The name is the first part of the path, whether a version follows or not.
type Name = Path<Vec<(String, String)>>;

fn name(Path(parts): &Name) -> String {
    parts
        .first()
        .map(|(_, name)| name.clone())
        .unwrap_or_default()
}

fn deployment(app: &App, name: &str) -> ApiResult<DeploymentRecord> {
    let missing = || ApiError::new(ErrorCode::ModelNotFound, "There is no such model");
    if let Ok(found) = app.store.deployment(name) {
        return Ok(found);
    }
    let deployments = app.store.deployments(name).map_err(|_| missing())?;
    deployments
        .into_iter()
        .find(|d| d.active)
        .ok_or_else(missing)
}

async fn model(State(app): State<Shared>, path: Name) -> ApiResult<Json<Value>> {
    let found = app.run(move |app| deployment(app, &name(&path))).await?;
    let output =
        |name: &str, datatype: &str| json!({"name": name, "datatype": datatype, "shape": [-1]});
    Ok(Json(json!({
        "name": found.id, "versions": ["1"], "platform": "openvino",
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            output("label", "BYTES"), output("probability", "FP32"), output("ood_score", "FP64"),
            output("hooks", "BYTES"), output("prediction", "BYTES"),
        ],
    })))
}

async fn ready(State(app): State<Shared>, path: Name) -> ApiResult<Json<Value>> {
    let found = app
        .compute(move |app| {
            let found = deployment(app, &name(&path))?;
            app.models.load(&app.store, &found)?;
            Ok(found)
        })
        .await?;
    Ok(Json(json!({"name": found.id, "ready": true})))
}

#[derive(Deserialize)]
struct InferRequest<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(borrow)]
    inputs: Vec<Tensor<'a>>,
}

#[derive(Deserialize)]
struct Tensor<'a> {
    datatype: String,
    shape: Vec<usize>,
    #[serde(borrow)]
    data: Data<'a>,
}

async fn infer(State(app): State<Shared>, path: Name, request: Request) -> ApiResult<Json<Value>> {
    // Base64 takes a third more than the file.
    let limit = (app.config.limits.image_bytes / 3 * 4) as usize + (64 << 10);
    let bytes = body(request, limit, &app).await?;
    let answer = app
        .compute(move |app| {
            let request: InferRequest<'_> = parse_json(&bytes)?;
            let found = deployment(app, &name(&path))?;
            let outcomes = run(app, &found, request.inputs)?;
            Ok(render(&found.id, request.id.as_deref(), &outcomes))
        })
        .await?;
    Ok(Json(answer))
}

fn run(app: &App, found: &DeploymentRecord, inputs: Vec<Tensor<'_>>) -> ApiResult<Vec<Predicted>> {
    let Ok([tensor]) = <[Tensor<'_>; 1]>::try_from(inputs) else {
        return Err(ApiError::bad("There is exactly one input, `image`"));
    };
    let predictor = app.models.load(&app.store, found)?;
    if tensor.datatype == "UINT8" {
        let frame = Frame::new(pixels(tensor)?, "image", app.now());
        return Ok(vec![predict_frame(app, &*predictor, &frame)?]);
    }
    let files = files(&tensor)?;
    let outcome =
        |(index, bytes)| predict_bytes(app, &*predictor, &format!("image_{index}"), bytes);
    files.into_iter().enumerate().map(outcome).collect()
}

/// Image files in base64.
fn files(tensor: &Tensor<'_>) -> ApiResult<Vec<Vec<u8>>> {
    if tensor.datatype != "BYTES" || tensor.data.is_no_list {
        return Err(ApiError::bad("The datatype is BYTES or UINT8"));
    }
    let length = tensor.data.length;
    // Some clients write [n, 1]; a product that no number holds fits no data.
    let count = tensor
        .shape
        .iter()
        .try_fold(1_usize, |n, side| n.checked_mul(*side));
    if count != Some(length) || !(1..=MAX_BATCH).contains(&length) {
        let message = format!("The shape must be [n], n from 1 to {MAX_BATCH}, as many as data");
        return Err(ApiError::bad(message));
    }
    let files = tensor.data.texts.iter();
    let files: Vec<Vec<u8>> = files
        .filter_map(|text| BASE64_STANDARD.decode(&**text).ok())
        .collect();
    if files.len() != length {
        return Err(ApiError::bad("Image files are sent in base64"));
    }
    Ok(files)
}

/// RGB pixels, row by row.
fn pixels(tensor: Tensor<'_>) -> ApiResult<RgbImage> {
    let bad = |message: String| ApiError::bad(message);
    let [1, height, width, 3] = tensor.shape[..] else {
        return Err(bad(
            "The shape of UINT8 pixels is [1, height, width, 3]".to_owned()
        ));
    };
    let side = |side: usize| {
        let known = u32::try_from(side).ok();
        known.ok_or_else(|| bad(format!("An image has no side of {side} pixels")))
    };
    let (width, height) = (side(width)?, side(height)?);
    if tensor.data.bytes.len() != tensor.data.length {
        return Err(bad("Pixels are numbers from 0 to 255".to_owned()));
    }
    RgbImage::new(width, height, tensor.data.bytes).map_err(|e| bad(e.to_string()))
}

fn render(model: &str, id: Option<&str>, outcomes: &[Predicted]) -> Value {
    let column = |name: &str, datatype: &str, value: &dyn Fn(&Predicted) -> Value| {
        let data: Vec<Value> = outcomes.iter().map(value).collect();
        json!({"name": name, "datatype": datatype, "shape": [data.len()], "data": data})
    };
    let top = |o: &Predicted| {
        o.prediction
            .top_label()
            .map(|l| (l.name.clone(), l.probability))
    };
    let prediction = |o: &Predicted| {
        let annotations = to_stored(&o.prediction);
        json!(json!({"annotations": annotations, "scores": o.scores}).to_string())
    };
    let mut answer = json!({
        "model_name": model, "model_version": "1",
        "outputs": [
            column("label", "BYTES", &|o| json!(top(o).map(|t| t.0).unwrap_or_default())),
            column("probability", "FP32", &|o| json!(top(o).map_or(0.0, |t| t.1))),
            column("ood_score", "FP64", &|o| json!(o.ood_score.unwrap_or(-1.0))),
            column("hooks", "BYTES", &|o| json!(o.fired.join(","))),
            column("prediction", "BYTES", &prediction),
        ],
    });
    if let Some(id) = id {
        answer["id"] = json!(id);
    }
    answer
}
