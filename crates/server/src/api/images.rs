use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use straylight_core::{Project, Shape};
use straylight_geti::wire::{Done, ErrorCode, Media};
use straylight_store::{StoredAnnotation, StoredLabel};

use super::endpoint::DS;
use super::extract::Ids;
use super::{ApiError, ApiResult, Endpoint, export, lookup, media_query, render, upload};
use crate::app::{App, Shared};

/// Quality of the JPEG thumbnails, 1 to 100.
const THUMBNAIL_QUALITY: u8 = 82;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let image = "/media/images/{i}";
    vec![
        Endpoint::at(DS, "/media/images")
            .post("Upload an image", post)
            .body("multipart/form-data"),
        Endpoint::at(DS, "/media:query").post("Find media", media_query::query),
        Endpoint::at(DS, image)
            .get("An image", get)
            .delete("Delete an image", delete),
        Endpoint::at(DS, &format!("{image}/display/full")).get("The image file", full),
        Endpoint::at(DS, &format!("{image}/display/thumb")).get("A thumbnail", thumb),
    ]
}

/// What a client sends that may repeat an upload, so that the image is stored once.
fn idempotency_key(request: &Request) -> Option<String> {
    let value = request.headers().get("idempotency-key")?;
    value.to_str().ok().map(str::to_owned)
}

async fn post(State(app): State<Shared>, ids: Ids, request: Request) -> ApiResult<Json<Media>> {
    let key = idempotency_key(&request);
    let upload = upload::read(&app, request).await?;
    let label_ids = upload
        .info
        .as_deref()
        .map(label_ids)
        .transpose()?
        .unwrap_or_default();
    app.metrics.count_upload(upload.content.len());
    let media = app
        .compute(move |app| {
            let (project, dataset) = lookup::dataset(app, &ids)?;
            let mut new = upload::to_image(app, &upload.file_name, &upload.content)?;
            new.idempotency_key = key;
            let annotation = whole_image(&project, &label_ids, (new.width, new.height))?;
            let added = app.store.add_image(&dataset.id, &new)?;
            let mut image = added.image().clone();
            if let Some(annotation) = annotation {
                app.store.set_annotation(&image.id, &[annotation])?;
                image = app.store.image(&image.id)?;
            }
            Ok(render::media(app, &project, &image))
        })
        .await?;
    Ok(Json(media))
}

/// The labels that `upload_info` gives to an image at once.
fn label_ids(info: &str) -> ApiResult<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Info {
        #[serde(default)]
        label_ids: Vec<String>,
    }
    let info: Result<Info, _> = serde_json::from_str(info);
    info.map(|i| i.label_ids)
        .map_err(|e| ApiError::bad(format!("`upload_info` is not as expected: {e}")))
}

fn whole_image(
    project: &Project,
    ids: &[String],
    (width, height): (u32, u32),
) -> ApiResult<Option<StoredAnnotation>> {
    let known = lookup::label_names(project);
    let label = |id: &String| {
        let label = known.get(id.as_str());
        let label = label.ok_or_else(|| ApiError::bad(format!("There is no label {id}")))?;
        Ok(StoredLabel {
            id: id.clone(),
            name: label.name.clone(),
            probability: 1.0,
        })
    };
    let labels = ids.iter().map(label).collect::<ApiResult<Vec<_>>>()?;
    Ok((!labels.is_empty()).then(|| StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(width, height),
        labels,
    }))
}

async fn get(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Media>> {
    let media = app
        .run(move |app| {
            let (project, image) = lookup::image(app, &ids)?;
            Ok(render::media(app, &project, &image))
        })
        .await?;
    Ok(Json(media))
}

async fn delete(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Done>> {
    app.run(move |app| {
        let (project, image) = lookup::image(app, &ids)?;
        app.store.delete_image(&image.id)?;
        export::forget(app, &project.id);
        Ok(())
    })
    .await?;
    Ok(Json(Done::success()))
}

async fn full(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let (format, bytes) = app
        .run(move |app| {
            let (_, image) = lookup::image(app, &ids)?;
            Ok((image.format, app.store.image_bytes(&image.id)?))
        })
        .await?;
    Ok(file(mime(format), bytes))
}

async fn thumb(State(app): State<Shared>, ids: Ids) -> ApiResult<Response> {
    let bytes = app
        .compute(move |app| {
            let (_, image) = lookup::image(app, &ids)?;
            thumbnail(app, &image.id, 256)
        })
        .await?;
    Ok(file("image/jpeg", bytes))
}

/// The content of an image never changes, and is for its owner alone.
pub(super) fn file(mime: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, mime),
        (header::CACHE_CONTROL, "private, max-age=3600"),
    ];
    (headers, bytes).into_response()
}

/// The content type of an image file.
pub(crate) fn mime(format: straylight_core::ImageFormat) -> &'static str {
    use straylight_core::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    match format {
        Jpeg => "image/jpeg",
        Png => "image/png",
        WebP => "image/webp",
        Bmp => "image/bmp",
        Tiff => "image/tiff",
        Gif => "image/gif",
        _ => "application/octet-stream",
    }
}

/// The thumbnail of an image as JPEG, at least `side` pixels on its longer side.
pub(crate) fn thumbnail(app: &App, image_id: &str, side: u32) -> ApiResult<Vec<u8>> {
    let make = |bytes: &[u8], side: u32| {
        let (image, _) = straylight_image::decode(bytes)?;
        let small = straylight_image::thumbnail(&image, side);
        straylight_image::encode_jpeg(&small, THUMBNAIL_QUALITY)
    };
    let made = app.store.thumbnail(image_id, side, make)?;
    made.map_err(|e| ApiError::new(ErrorCode::InvalidMedia, e.to_string()))
}
