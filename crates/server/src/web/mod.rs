//! The pages at `/`: made on the server, with one small script of our own for the keyboard.
//!
//! Everything works by links and forms except changes, which the script sends with the header
//! that foreign sites cannot add. No style and no script is inline, as the policy demands.

mod actions;
mod assets;
mod dataset;
pub(crate) mod filter;
mod hooks;
mod image;
pub(crate) mod layout;
mod login;
mod nearest;
mod overlay;
mod plots;
mod projects;

use std::convert::Infallible;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::api::ApiError;
use crate::app::Shared;

/// All pages and what they load.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .merge(assets::routes())
        .merge(login::routes())
        .merge(projects::routes())
        .merge(dataset::routes())
        .merge(image::routes())
        .merge(nearest::routes())
        .merge(plots::routes())
        .merge(hooks::routes())
        .merge(actions::routes())
}

/// The answer of a router, which cannot fail.
pub(crate) fn respond(answer: Result<Response, Infallible>) -> Response {
    match answer {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// An error as a page.
pub(crate) struct PageError(ApiError);

pub(crate) type PageResult<T> = Result<T, PageError>;

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, message) = match self.0 {
            ApiError::Coded(code, message) => (code.status(), message),
            ApiError::Status(status, message) => (status.as_u16(), message),
            other => return other.into_response(),
        };
        let page = layout::page(
            "Not so",
            &html! {
                h1 { "That did not work" }
                p { (message) }
                p { a href="/" { "Back to the projects" } }
            },
        );
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, page).into_response()
    }
}
