use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use straylight_geti::wire::{ErrorBody, ErrorCode};
use straylight_store::StoreError;

use crate::predictor::PredictError;

/// An answer that says what went wrong, in the platform's shape.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// A code of the platform, and what it is about.
    Coded(ErrorCode, String),
    /// 401; the platform's gateway answers it in plain text.
    Unauthorized(&'static str),
    /// 403 without a code of its own.
    Forbidden(&'static str),
    /// 429 with the seconds after which another try is allowed.
    TooMany(u64),
    /// 503: come again.
    Busy,
    /// Another status with a message.
    Status(StatusCode, String),
    /// 500: the cause goes into the log, not to the caller.
    Internal(String),
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Coded(code, message.into())
    }

    /// 400 `bad_request`.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// 415 `invalid_media`.
    pub(crate) fn media(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidMedia, message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { what, .. } => not_found(what, error.to_string()),
            StoreError::DatasetExists { .. } => {
                Self::new(ErrorCode::DatasetAlreadyExists, error.to_string())
            }
            StoreError::TrainingDataset { .. } | StoreError::BadName { .. } => {
                Self::bad(error.to_string())
            }
            StoreError::Invalid(invalid) => Self::new(code(invalid.code), &invalid.message),
            StoreError::DiskFull { .. } => {
                tracing::error!(%error, "the disk is full");
                Self::new(ErrorCode::NotEnoughSpace, "the server's disk is full")
            }
            StoreError::ProjectFull { .. } => {
                Self::new(ErrorCode::NotEnoughSpace, error.to_string())
            }
            StoreError::Deleted => Self::Status(StatusCode::GONE, error.to_string()),
            StoreError::Busy { .. } => Self::Busy,
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<PredictError> for ApiError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Failed(cause) => Self::Internal(cause),
            PredictError::Unfit(reason) => Self::bad(reason),
        }
    }
}

fn not_found(what: &str, message: String) -> ApiError {
    let code = match what {
        "project" => ErrorCode::ProjectNotFound,
        "dataset" => ErrorCode::DatasetNotFound,
        "dataset of the image's project" => ErrorCode::DatasetNotFoundInProject,
        "image" => ErrorCode::ImageNotFound,
        "video" => ErrorCode::VideoNotFound,
        "deployment" => ErrorCode::ModelNotFound,
        "job" => ErrorCode::JobNotFound,
        _ => return ApiError::Status(StatusCode::NOT_FOUND, message),
    };
    ApiError::Coded(code, message)
}

fn code(text: &str) -> ErrorCode {
    let found = ErrorCode::ALL.iter().find(|code| code.as_str() == text);
    found.copied().unwrap_or(ErrorCode::BadRequest)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Coded(code, message) => coded(&ErrorBody::new(code, message)),
            Self::Unauthorized(message) => plain(StatusCode::UNAUTHORIZED, message),
            Self::Forbidden(message) => plain(StatusCode::FORBIDDEN, message),
            Self::TooMany(seconds) => retry_after(StatusCode::TOO_MANY_REQUESTS, seconds),
            Self::Busy => retry_after(StatusCode::SERVICE_UNAVAILABLE, 1),
            Self::Status(status, message) => coded(&ErrorBody {
                error_code: status_code(status),
                message,
                http_status: status.as_u16(),
            }),
            Self::Internal(cause) => {
                tracing::error!(%cause, "a request failed");
                let body = json!({"internal_server_error": "see the server's log"});
                (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
            }
        }
    }
}

fn status_code(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("error");
    reason.to_lowercase().replace([' ', '-'], "_")
}

fn coded(body: &ErrorBody) -> Response {
    let status = StatusCode::from_u16(body.http_status);
    (status.unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

fn plain(status: StatusCode, message: &'static str) -> Response {
    let content = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, content, message).into_response()
}

fn retry_after(status: StatusCode, seconds: u64) -> Response {
    let mut response = coded(&ErrorBody {
        error_code: status_code(status),
        message: format!("try again in {seconds} s"),
        http_status: status.as_u16(),
    });
    let value = HeaderValue::from(seconds);
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}
