use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use straylight_core::{ImageFormat, Timestamp};

use super::HttpBody;
use crate::action::{ActionError, PredictionJson};
use crate::config::HttpConfig;
use crate::event::Event;

/// The event as receivers see it.
#[derive(Serialize)]
struct EventJson<'a> {
    id: String,
    key: &'a str,
    hook: &'a str,
    name: &'a str,
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

/// An event in the structured mode of CloudEvents 1.0.2, JSON event format.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: &'static str,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: EventJson<'a>,
}

/// The media type of the body, `None` if there is none.
pub(super) fn media_type(config: &HttpConfig) -> Option<&'static str> {
    match config.body {
        HttpBody::CloudEvent => Some("application/cloudevents+json"),
        HttpBody::Event => Some("application/json"),
        HttpBody::Sdk => sends_prediction(config).then_some("application/json"),
    }
}

fn sends_prediction(config: &HttpConfig) -> bool {
    config.include_prediction_data && config.method == "POST"
}

/// The body of the request; empty if there is none.
pub(super) fn body(config: &HttpConfig, event: &Event) -> Result<Vec<u8>, ActionError> {
    let json = match config.body {
        HttpBody::Sdk if !sends_prediction(config) => return Ok(Vec::new()),
        HttpBody::Sdk => serde_json::to_vec(&PredictionJson::of(&event.prediction)),
        HttpBody::Event => serde_json::to_vec(&event_json(config, event)?),
        HttpBody::CloudEvent => serde_json::to_vec(&cloud_event(config, event)?),
    };
    json.map_err(ActionError::permanent)
}

fn cloud_event<'a>(config: &HttpConfig, event: &'a Event) -> Result<CloudEvent<'a>, ActionError> {
    Ok(CloudEvent {
        specversion: "1.0",
        id: event.key(),
        source: format!("/straylight/hooks/{}", event.hook),
        r#type: "straylight.hook.fired",
        subject: if event.name.is_empty() {
            "image"
        } else {
            &event.name
        },
        time: event.fired_at,
        datacontenttype: "application/json",
        data: event_json(config, event)?,
    })
}

fn event_json<'a>(config: &HttpConfig, event: &'a Event) -> Result<EventJson<'a>, ActionError> {
    let picture = config
        .include_picture
        .then(|| picture_json(event))
        .transpose()?;
    let prediction = config.include_prediction_data;
    Ok(EventJson {
        id: event.id.to_string(),
        key: event.key(),
        hook: &event.hook,
        name: &event.name,
        captured_at: event.captured_at,
        fired_at: event.fired_at,
        trigger: &event.trigger,
        score: event.score,
        reason: &event.reason,
        prediction: prediction.then(|| PredictionJson::of(&event.prediction)),
        picture,
    })
}

fn picture_json(event: &Event) -> Result<PictureJson, ActionError> {
    let image = event.picture.image()?;
    let encoded = event.picture.encoded()?;
    Ok(PictureJson {
        media_type: media_type_of(encoded.format),
        width: image.width(),
        height: image.height(),
        data: STANDARD.encode(&encoded.bytes),
    })
}

pub(in crate::action) fn media_type_of(format: ImageFormat) -> &'static str {
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
