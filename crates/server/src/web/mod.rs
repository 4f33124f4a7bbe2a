//! The pages at `/`: made on the server, with one small script of our own for the keyboard.

mod assets;
pub(crate) mod layout;
mod login;

use std::convert::Infallible;

use axum::Router;
use axum::response::Response;

use crate::app::Shared;

/// All pages and what they load.
pub(crate) fn routes() -> Router<Shared> {
    Router::new().merge(assets::routes()).merge(login::routes())
}

/// The answer of a router, which cannot fail.
pub(crate) fn respond(answer: Result<Response, Infallible>) -> Response {
    match answer {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
