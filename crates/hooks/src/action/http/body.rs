use serde::Serialize;
use straylight_core::Timestamp;

use super::HttpBody;
use crate::action::event_json::{EventJson, event_json};
use crate::action::{ActionError, PredictionJson};
use crate::config::HttpConfig;
use crate::event::Event;

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
        HttpBody::Event => serde_json::to_vec(&data(config, event)?),
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
        data: data(config, event)?,
    })
}

fn data<'a>(config: &HttpConfig, event: &'a Event) -> Result<EventJson<'a>, ActionError> {
    event_json(
        event,
        config.include_prediction_data,
        config.include_picture,
    )
}
