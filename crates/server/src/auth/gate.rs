use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::session::Found;
use super::{COOKIE, find};
use crate::api::ApiError;
use crate::app::Shared;

/// The header that browsers send across sites only after asking, which nobody allows them to.
const CSRF_HEADER: &str = "x-geti-csrf-protection";

/// Who calls, and how it was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    proof: Proof,
    /// The identifier of the access token, also when a session was opened with it; empty for
    /// whoever reads the code that the server prints. It outlives sessions and the server.
    pub(crate) person: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// An access token in a header.
    Token,
    /// The cookie of a session.
    Session,
}

/// Lets a request pass that needs no login, or whose caller is known and that no foreign site
/// can have sent.
pub(crate) async fn gate(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    if is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let caller = match identify(&app, request.headers(), peer(&request)).await {
        Ok(caller) => caller,
        Err(ApiError::Unauthorized(_)) if wants_page(&request) => {
            return Redirect::to("/login").into_response();
        }
        Err(error) => return error.into_response(),
    };
    if let Err(error) = check_csrf(&request, caller.proof) {
        return error.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Health, the login itself, and what it looks like; nothing of the user's.
fn is_open(path: &str) -> bool {
    matches!(
        path,
        "/healthz" | "/readyz" | "/login" | "/v2/health/live" | "/v2/health/ready"
    ) || path.starts_with("/static/")
}

/// The address of the other end.
pub(crate) fn peer(request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| {
        address.ip()
    })
}

async fn identify(app: &Shared, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, ApiError> {
    if let Some(token) = token(headers) {
        let known = app.run(move |app| known_token(app, &token)).await?;
        let proof = Proof::Token;
        return known
            .map(|person| Caller { proof, person })
            .ok_or_else(|| refuse(app, peer));
    }
    let Some(cookie) = cookie(headers) else {
        return Err(ApiError::Unauthorized("Invalid authorization token"));
    };
    let person = match app.sessions.find(cookie, app.now()) {
        Found::Nothing => return Err(ApiError::Unauthorized("The session has ended")),
        Found::OfCode => String::new(),
        Found::OfToken(id) => app.run(move |app| still_valid(app, id)).await?,
    };
    let proof = Proof::Session;
    Ok(Caller { proof, person })
}

/// The error for a wrong secret: 401, or 429 when there were too many.
pub(crate) fn refuse(app: &Shared, peer: IpAddr) -> ApiError {
    app.metrics.count_failed_login();
    match app.limiter.fail(peer, app.now()) {
        Ok(()) => ApiError::Unauthorized("Invalid authorization token"),
        Err(seconds) => ApiError::TooMany(seconds),
    }
}

/// The identifier of a token, when there is such a one.
fn known_token(app: &crate::app::App, text: &str) -> Result<Option<String>, ApiError> {
    let Some(record) = find(&app.store, text, app.now())? else {
        return Ok(None);
    };
    app.store.touch_token(&record)?;
    Ok(Some(record.id))
}

/// A session whose token was revoked ends with it.
fn still_valid(app: &crate::app::App, id: String) -> Result<String, ApiError> {
    let now = app.now();
    let tokens = app.store.tokens()?;
    let valid = tokens
        .iter()
        .any(|t| t.id == id && t.expires_at.is_none_or(|end| now < end));
    if valid {
        Ok(id)
    } else {
        Err(ApiError::Unauthorized("The token has been revoked"))
    }
}

fn token(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let bearer = text("authorization").and_then(|v| v.strip_prefix("Bearer "));
    text("x-api-key").or(bearer).map(|t| t.trim().to_owned())
}

/// The session's identifier among the cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

fn check_csrf(request: &Request, proof: Proof) -> Result<(), ApiError> {
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    // KServe clients send no such header; a token in a header is proof enough there.
    let exempt = proof == Proof::Token && request.uri().path().starts_with("/v2/");
    if changes && !exempt && !request.headers().contains_key(CSRF_HEADER) {
        return Err(ApiError::Forbidden(
            "The header x-geti-csrf-protection is missing",
        ));
    }
    Ok(())
}

/// Whether a person with a browser asks, who is better sent to the login.
fn wants_page(request: &Request) -> bool {
    let path = request.uri().path();
    let accept = request.headers().get(header::ACCEPT);
    let html = accept
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("text/html"));
    request.method() == Method::GET
        && html
        && !path.starts_with("/api/")
        && !path.starts_with("/v2")
}
