use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::Shared;

const STYLE: &str = include_str!("static/app.css");
const SCRIPT: &str = include_str!("static/app.js");
const ICON: &str = include_str!("static/icon.svg");

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/static/app.css",
            get(async || asset("text/css; charset=utf-8", STYLE)),
        )
        .route(
            "/static/app.js",
            get(async || asset("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route(
            "/static/icon.svg",
            get(async || asset("image/svg+xml", ICON)),
        )
}

/// A file of the program. Browsers ask again each time, so that a new program is seen at once.
fn asset(mime: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, mime),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
