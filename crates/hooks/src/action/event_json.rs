//! An event as JSON, for receivers that are not a dataset.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use straylight_core::{ImageFormat, Timestamp};

use super::{ActionError, PredictionJson};
use crate::event::Event;

/// The event as receivers see it.
#[derive(Serialize)]
pub(super) struct EventJson<'a> {
    id: String,
    key: &'a str,
    hook: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    captured_at: Timestamp,
    fired_at: Timestamp,
    trigger: &'a str,
    score: f64,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<PredictionJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<PictureJson>,
}

#[derive(Serialize)]
struct PictureJson {
    media_type: &'static str,
    width: u32,
    height: u32,
    /// The image file in base64.
    data: String,
}

/// The event with its prediction and picture, as far as they are asked for.
pub(super) fn event_json(
    event: &Event,
    with_prediction: bool,
    with_picture: bool,
) -> Result<EventJson<'_>, ActionError> {
    let picture = with_picture.then(|| picture_json(event)).transpose()?;
    Ok(EventJson {
        id: event.id.to_string(),
        key: event.key(),
        hook: &event.hook,
        name: &event.name,
        source: event.source.as_deref(),
        captured_at: event.captured_at,
        fired_at: event.fired_at,
        trigger: &event.trigger,
        score: event.score,
        reason: &event.reason,
        prediction: with_prediction.then(|| PredictionJson::of(&event.prediction)),
        picture,
    })
}

fn picture_json(event: &Event) -> Result<PictureJson, ActionError> {
    let (width, height) = event.picture.size()?;
    let encoded = event.picture.encoded()?;
    Ok(PictureJson {
        media_type: media_type_of(encoded.format),
        width,
        height,
        data: STANDARD.encode(&encoded.bytes),
    })
}

fn media_type_of(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Png => "image/png",
        ImageFormat::WebP => "image/webp",
        ImageFormat::Bmp => "image/bmp",
        ImageFormat::Tiff => "image/tiff",
        ImageFormat::Gif => "image/gif",
        _ => "application/octet-stream",
    }
}
