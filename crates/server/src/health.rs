use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::Shared;

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok"
}

/// The store can be read.
pub(crate) async fn ready(State(app): State<Shared>) -> Response {
    let read = app.greet(|app| Ok(app.store.tokens()?)).await;
    match read {
        Ok(_) => "ok".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read").into_response(),
    }
}

async fn metrics(State(app): State<Shared>) -> Response {
    let format = "text/plain; version=0.0.4; charset=utf-8";
    (
        [(header::CONTENT_TYPE, format)],
        app.metrics.render() + &app.models.hook_metrics(),
    )
        .into_response()
}
