use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use straylight_core::{Frame, Prediction as CorePrediction, RgbImage, SaliencyMap};
use straylight_geti::wire::{
    Explanation, MediaIdentifier, PredictRequest, PredictedAnnotation, PredictedLabel, Prediction,
    SaliencyMapData,
};
use straylight_store::ImageRecord;

use super::endpoint::PR;
use super::extract::{Ids, body, parse_json};
use super::{ApiError, ApiResult, Endpoint, lookup, upload};
use crate::app::{App, Shared};
use crate::predictor::{Predicted, Predictor};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let pipeline = "/pipelines/active";
    vec![
        Endpoint::at(PR, &format!("{pipeline}:predict"))
            .post("Predict a stored image, or one sent along", predict),
        Endpoint::at(PR, &format!("{pipeline}:explain")).post(
            "Saliency maps of a stored image, or of one sent along",
            explain,
        ),
        Endpoint::at(PR, &format!("{pipeline}/status")).get("Whether the model is loaded", status),
    ]
}

/// The image that a request is about.
struct Asked {
    frame: Frame,
    image_id: Option<String>,
}

async fn predict(State(app): State<Shared>, ids: Ids, request: Request) -> ApiResult<Response> {
    let asked = read(&app, &ids, request).await?;
    let image_id = asked.image_id.clone();
    let prediction = app
        .compute(move |app| {
            let predictor = app.models.active(&app.store, ids.project())?;
            let outcome = predict_frame(app, &*predictor, &asked.frame)?;
            if let Some(id) = &asked.image_id {
                let annotations = lookup::to_stored(&outcome.prediction);
                app.store.set_prediction(id, &annotations)?;
            }
            Ok(outcome.prediction)
        })
        .await?;
    Ok(Json(to_wire(&app, &prediction, image_id)).into_response())
}

/// Predicts and counts.
pub(crate) fn predict_frame(
    app: &App,
    predictor: &dyn Predictor,
    frame: &Frame,
) -> ApiResult<Predicted> {
    app.metrics.count_prediction();
    Ok(predictor.predict(frame)?)
}

/// Predicts an image file; for callers who have its bytes.
pub(crate) fn predict_bytes(
    app: &App,
    predictor: &dyn Predictor,
    name: &str,
    bytes: Vec<u8>,
) -> ApiResult<Predicted> {
    predict_frame(app, predictor, &frame(app, name, bytes)?)
}

fn frame(app: &App, name: &str, bytes: Vec<u8>) -> ApiResult<Frame> {
    let limits = straylight_image::DecodeLimits {
        max_pixels: app.config.limits.image_pixels,
        max_file_bytes: app.config.limits.image_bytes,
    };
    let decoded = straylight_image::decode_with(&bytes, &limits);
    let (image, format) = decoded.map_err(|e| ApiError::media(e.to_string()))?;
    let encoded = straylight_core::EncodedImage {
        format,
        bytes: bytes.into(),
    };
    Ok(Frame::new(image, name, app.now()).with_encoded(encoded))
}

/// A stored image, decoded.
pub(crate) fn stored_frame(app: &App, image: &ImageRecord) -> ApiResult<Frame> {
    frame(app, &image.name, app.store.image_bytes(&image.id)?)
}

/// JSON names a stored image; a multipart body holds one.
async fn read(app: &Shared, ids: &Ids, request: Request) -> ApiResult<Asked> {
    let content = request.headers().get(header::CONTENT_TYPE);
    let content = content.and_then(|v| v.to_str().ok()).unwrap_or_default();
    if content.starts_with("multipart/") {
        let upload = upload::read(app, request).await?;
        let work = move |app: &App| frame(app, &upload.file_name, upload.content.to_vec());
        let frame = app.compute(work).await?;
        return Ok(Asked {
            frame,
            image_id: None,
        });
    }
    let bytes = body(request, app.config.limits.json_bytes, app).await?;
    let named: PredictRequest = parse_json(&bytes)?;
    let project = ids.project().to_owned();
    app.compute(move |app| {
        let image = app.store.image(&named.image_id)?;
        if app.store.project_of_dataset(&image.dataset_id)? != project {
            return Err(ApiError::bad("The image belongs to another project"));
        }
        let frame = stored_frame(app, &image)?;
        let image_id = Some(image.id);
        Ok(Asked { frame, image_id })
    })
    .await
}

fn identifier(image_id: Option<String>) -> Option<MediaIdentifier> {
    image_id.map(|image_id| MediaIdentifier::Image { image_id })
}

fn to_wire(app: &App, prediction: &CorePrediction, image_id: Option<String>) -> Prediction {
    let label = |label: &straylight_core::ScoredLabel| PredictedLabel {
        id: label.id.clone(),
        probability: f64::from(label.probability),
    };
    let annotation = |annotation: &straylight_core::Annotation| PredictedAnnotation {
        labels: annotation.labels.iter().map(label).collect(),
        shape: annotation.shape.clone().into(),
    };
    Prediction {
        predictions: prediction.annotations.iter().map(annotation).collect(),
        created: Some(app.now().into()),
        media_identifier: identifier(image_id),
    }
}

async fn explain(State(app): State<Shared>, ids: Ids, request: Request) -> ApiResult<Response> {
    let asked = read(&app, &ids, request).await?;
    let image_id = asked.image_id.clone();
    let maps = app
        .compute(move |app| {
            let predictor = app.models.active(&app.store, ids.project())?;
            let explained = predictor.explain(&asked.frame)?;
            explained
                .saliency_maps
                .iter()
                .map(to_png)
                .collect::<ApiResult<Vec<_>>>()
        })
        .await?;
    let explanation = Explanation {
        maps,
        created: Some(app.now().into()),
        media_identifier: identifier(image_id),
    };
    Ok(Json(explanation).into_response())
}

fn to_png(map: &SaliencyMap) -> ApiResult<SaliencyMapData> {
    let grey = map.data.iter().flat_map(|&level| [level; 3]).collect();
    let image = RgbImage::new(map.width, map.height, grey);
    let image = image.map_err(|e| ApiError::Internal(e.to_string()))?;
    let png = straylight_image::encode_png(&image);
    let png = png.map_err(|e| ApiError::Internal(e.to_string()))?;
    Ok(SaliencyMapData {
        data: BASE64_STANDARD.encode(png),
        label_id: Some(map.label_id.clone()).filter(|id| !id.is_empty()),
    })
}

async fn status(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Value>> {
    let loaded = app
        .run(move |app| {
            let deployments = app.store.deployments(ids.project())?;
            let active = deployments.iter().find(|d| d.active);
            Ok(active.is_some_and(|d| app.models.is_loaded(&d.id)))
        })
        .await?;
    Ok(Json(json!({"pipeline_is_loaded": loaded})))
}
