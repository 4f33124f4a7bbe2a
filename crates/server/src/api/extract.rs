use std::collections::HashMap;
use std::error::Error;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use straylight_geti::wire::{ErrorCode, is_object_id, is_uuid};

use super::spool::{Held, Spool};
use super::{ApiError, ApiResult};
use crate::app::Shared;
use crate::connection::BodyError;

/// The identifiers of a path, each of the right form, organization and workspace being ours.
pub(crate) struct Ids {
    values: HashMap<String, String>,
    /// What stands behind a colon at the end of the last one: `{p}:train`.
    pub(crate) action: Option<String>,
}

impl Ids {
    /// The identifier of this name; empty when the route has none, which finds nothing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    pub(crate) fn project(&self) -> &str {
        self.get("p")
    }

    pub(crate) fn dataset(&self) -> &str {
        self.get("d")
    }

    /// The number of a frame, `{n}`.
    pub(crate) fn frame(&self) -> ApiResult<u64> {
        let number = self.get("n").parse().ok();
        number.ok_or_else(|| ApiError::bad("A frame is named by its number, from 0"))
    }

    pub(crate) fn image(&self) -> &str {
        self.get("i")
    }
}

impl FromRequestParts<Shared> for Ids {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ApiResult<Self> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|e| ApiError::bad(e.to_string()))?;
        let mut ids = Self {
            values: HashMap::new(),
            action: None,
        };
        for (name, value) in &params {
            let (value, action) = split_action(value);
            check(app, name, value)?;
            ids.action = action.map(str::to_owned);
            ids.values.insert(name.to_owned(), value.to_owned());
        }
        Ok(ids)
    }
}

fn split_action(value: &str) -> (&str, Option<&str>) {
    match value.split_once(':') {
        Some((id, action)) => (id, Some(action)),
        None => (value, None),
    }
}

fn check(app: &Shared, name: &str, value: &str) -> ApiResult<()> {
    let workspace = app.store.workspace();
    let ours = match name {
        "org" => Some(("organization", &workspace.organization_id)),
        "ws" => Some(("workspace", &workspace.id)),
        _ => None,
    };
    let well_formed = match (ours, name) {
        (Some(_), _) => is_uuid(value),
        (None, "n") => value.len() <= 18 && value.parse::<u64>().is_ok(),
        (None, _) => is_object_id(value),
    };
    if !well_formed {
        let shown: String = value.chars().take(100).collect();
        let message = format!("Invalid request parameters: '{shown}' is no valid identifier");
        return Err(ApiError::bad(message));
    }
    match ours {
        Some((what, id)) if !id.eq_ignore_ascii_case(value) => {
            let message = format!("This server has no {what} {value}");
            Err(ApiError::Status(StatusCode::NOT_FOUND, message))
        }
        _ => Ok(()),
    }
}

/// A JSON body, whatever content type it claims: the SDK's session may send a stale one.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> ApiResult<Self> {
        let bytes = body(request, app.config.limits.json_bytes, app).await?;
        parse_json(&bytes).map(Self)
    }
}

/// The whole body as it came, of the size of JSON at most.
pub(crate) struct Raw(pub(crate) Held);

impl FromRequest<Shared> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> ApiResult<Self> {
        body(request, app.config.limits.json_bytes, app)
            .await
            .map(Self)
    }
}

/// Reads JSON, telling apart what is none from what has another shape.
pub(crate) fn parse_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> ApiResult<T> {
    serde_json::from_slice(bytes).map_err(|e| {
        if e.is_data() {
            ApiError::bad(format!("The body is not as expected: {e}"))
        } else {
            ApiError::new(ErrorCode::MissingPayload, "The body is not JSON")
        }
    })
}

/// The whole body, up to a limit.
pub(crate) async fn body(request: Request, limit: usize, app: &Shared) -> ApiResult<Held> {
    let mut body = request.into_body();
    let mut spool = Spool::new(app, limit as u64);
    while let Some(frame) = body.frame().await {
        if let Ok(part) = frame.map_err(|e| unread(&e))?.into_data() {
            spool.push(&part).await?;
        }
    }
    spool.finish().await
}

/// What it means that a body did not come to its end.
pub(crate) fn unread(error: &(dyn Error + 'static)) -> ApiError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(BodyError::Slow(_)) = error.downcast_ref() {
            return timeout();
        }
        cause = error.source();
    }
    ApiError::bad("The body ended early")
}

pub(crate) fn too_large(limit: u64) -> ApiError {
    let message = format!("The upload is larger than {limit} bytes");
    ApiError::new(ErrorCode::PayloadTooLarge, message)
}

pub(crate) fn timeout() -> ApiError {
    let message = "The body was too slow to come".to_owned();
    ApiError::Status(StatusCode::REQUEST_TIMEOUT, message)
}

/// The query of a URL, read leniently by name.
pub(crate) struct Query(HashMap<String, String>);

impl FromRequestParts<Shared> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> ApiResult<Self> {
        let query = axum::extract::Query::<HashMap<String, String>>::try_from_uri(&parts.uri);
        let query = query.map_err(|e| ApiError::bad(format!("Invalid query: {e}")))?;
        Ok(Self(query.0))
    }
}

impl Query {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// A number within bounds; the default when it is not given.
    pub(crate) fn number(&self, name: &str, default: u64, bounds: (u64, u64)) -> ApiResult<u64> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let number = text
            .parse()
            .ok()
            .filter(|n| (bounds.0..=bounds.1).contains(n));
        number.ok_or_else(|| {
            let (low, high) = bounds;
            ApiError::bad(format!("`{name}` must be a number from {low} to {high}"))
        })
    }
}
