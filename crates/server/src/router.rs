use std::time::Instant;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper::body::Body;
use serde_json::json;

use crate::access_log::Access;
use crate::app::Shared;
use crate::auth::{self, Caller, gate};
use crate::{api, health, hosts, kserve, openapi, web};

/// Characters of a path that are logged.
const LOGGED_PATH: usize = 300;
/// Characters of a method that are logged.
const LOGGED_METHOD: usize = 20;

/// What a page may load: its own files and nothing else, no inline script, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' \
     data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// All routes behind the gate.
pub(crate) fn build(app: &Shared) -> Router {
    let api = api::endpoints()
        .into_iter()
        .fold(Router::new(), |router, endpoint| {
            router.route(&endpoint.path, endpoint.handler)
        });
    Router::new()
        .merge(api)
        .merge(kserve::routes())
        .merge(health::routes())
        .merge(openapi::routes())
        .merge(web::routes())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.config.limits.json_bytes))
        .layer(from_fn_with_state(app.clone(), gate))
        .layer(from_fn_with_state(app.clone(), hosts::check))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app.clone())
}

async fn unknown_route(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let message = format!("Endpoint {path} not found");
    let body = Json(json!({"endpoint_not_found_response": message}));
    (StatusCode::NOT_FOUND, body).into_response()
}

async fn wrong_method() -> Response {
    auth::wrong_method().into_response()
}

/// Measures and logs each request, and adds the headers that every answer has.
async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(LOGGED_PATH).collect();
    let client = auth::client(&app, &request);
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("(none)", MatchedPath::as_str).to_owned();
    let mut response = next.run(request).await;
    let (status, took) = (response.status(), started.elapsed());
    app.metrics
        .observe(method.as_str(), &route, status.as_u16(), took);
    add_headers(&mut response);
    let is_quiet = auth::is_health(&path) && status.is_success();
    if let Some(log) = app.config.access_log.as_ref().filter(|_| !is_quiet) {
        let caller = response.extensions().get::<Caller>();
        log.tell(&Access {
            time: app.now(),
            client,
            caller: caller.map(|caller| caller.name.to_string()),
            method: method.as_str().chars().take(LOGGED_METHOD).collect(),
            path,
            status: status.as_u16(),
            bytes: response.body().size_hint().exact(),
            milliseconds: (took.as_secs_f64() * 1e6).round() / 1e3,
        });
    }
    response
}

fn add_headers(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
