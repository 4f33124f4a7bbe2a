use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use straylight_store::{Role, TokenRecord};

use super::routes::needed;
use super::session::Found;
use super::{COOKIE, Route, find};
use crate::api::ApiError;
use crate::app::{App, Shared};
use crate::connection::Seat;

/// The header that browsers send across sites only after asking, which nobody allows them to.
const CSRF_HEADER: &str = "x-geti-csrf-protection";

/// Who calls, and how it was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    proof: Proof,
    /// The identifier of the access token, also when a session was opened with it; empty for
    /// whoever reads the code that the server prints. It outlives sessions and the server.
    pub(crate) person: String,
    /// Name of the token, for the access log.
    pub(crate) name: Arc<str>,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// An access token in a header.
    Token,
    /// The cookie of a session.
    Session,
}

impl Caller {
    fn of_token(record: TokenRecord, proof: Proof) -> Self {
        Self {
            proof,
            person: record.id,
            name: record.name.into(),
            role: record.role,
        }
    }

    /// Whoever reads what the server prints may do what they like.
    fn of_code() -> Self {
        Self {
            proof: Proof::Session,
            person: String::new(),
            name: "browser".into(),
            role: Role::Administer,
        }
    }
}

/// Lets a request pass that needs no login, or whose caller is known, has the role that the route
/// asks for, and cannot have been sent by a foreign site.
pub(crate) async fn gate(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let needed = route.as_ref().map(|r| needed(request.method(), r.as_str()));
    if let Some(Some(Route { role: None, .. })) = needed {
        return next.run(request).await;
    }
    let caller = match identify(&app, request.headers(), client(&app, &request)).await {
        Ok(caller) => caller,
        Err(ApiError::Unauthorized(_)) if wants_page(&request) => {
            return Redirect::to("/login").into_response();
        }
        Err(error) => return error.into_response(),
    };
    if let Some(seat) = request.extensions().get::<Arc<Seat>>() {
        app.admission.promote(seat);
    }
    let allowed = check_csrf(&request, caller.proof).and_then(|()| match needed {
        // No such route, which the router says better.
        None => Ok(()),
        Some(None) => Err(wrong_method()),
        Some(Some(route)) => check_role(&caller, route.role),
    });
    let mut response = if let Err(error) = allowed {
        error.into_response()
    } else {
        request.extensions_mut().insert(caller.clone());
        next.run(request).await
    };
    response.extensions_mut().insert(caller);
    response
}

/// The method is not one of the route's.
pub(crate) fn wrong_method() -> ApiError {
    let message = "This endpoint does not have the method";
    ApiError::Status(StatusCode::METHOD_NOT_ALLOWED, message.to_owned())
}

fn check_role(caller: &Caller, needed: Option<Role>) -> Result<(), ApiError> {
    match needed {
        Some(role) if caller.role < role => {
            let message = format!(
                "This needs a token with the role `{role}`, and that of yours is `{}`",
                caller.role
            );
            Err(ApiError::Status(StatusCode::FORBIDDEN, message))
        }
        _ => Ok(()),
    }
}

/// Whether a path is one of health, which is told to everybody under every name.
pub(crate) fn is_health(path: &str) -> bool {
    matches!(
        path,
        "/healthz" | "/readyz" | "/v2/health/live" | "/v2/health/ready"
    )
}

/// The address of the one who asks: the other end, or the one for whom a trusted proxy asks.
pub(crate) fn client(app: &Shared, request: &Request) -> IpAddr {
    let info = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = info.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
    if !app.admission.is_proxy(peer) {
        return peer;
    }
    // Each proxy adds the address that it saw: from the last on, those of proxies are passed over.
    let headers = request.headers().get_all("x-forwarded-for").iter();
    let named: Vec<&str> = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let addresses = named
        .iter()
        .rev()
        .map_while(|text| text.trim().parse().ok());
    let mut last = peer;
    for address in addresses {
        last = address;
        if !app.admission.is_proxy(address) {
            break;
        }
    }
    last
}

async fn identify(app: &Shared, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, ApiError> {
    if let Some(token) = token(headers) {
        let known = app.greet(move |app| known_token(app, &token)).await?;
        return known
            .map(|record| Caller::of_token(record, Proof::Token))
            .ok_or_else(|| refuse(app, peer));
    }
    let Some(cookie) = cookie(headers) else {
        return Err(ApiError::Unauthorized("Invalid authorization token"));
    };
    match app.sessions.find(cookie, app.now()) {
        Found::Nothing => Err(ApiError::Unauthorized("The session has ended")),
        Found::OfCode => Ok(Caller::of_code()),
        Found::OfToken(id) => {
            let record = app.greet(move |app| still_valid(app, &id)).await?;
            Ok(Caller::of_token(record, Proof::Session))
        }
    }
}

/// The error for a wrong secret: 401, or 429 when there were too many.
pub(crate) fn refuse(app: &Shared, peer: IpAddr) -> ApiError {
    app.metrics.count_failed_login();
    match app.limiter.fail(peer, app.now()) {
        Ok(()) => ApiError::Unauthorized("Invalid authorization token"),
        Err(seconds) => ApiError::TooMany(seconds),
    }
}

/// The record of a token, when there is such a one.
fn known_token(app: &App, text: &str) -> Result<Option<TokenRecord>, ApiError> {
    let Some(record) = find(&app.store, text, app.now())? else {
        return Ok(None);
    };
    app.store.touch_token(&record)?;
    Ok(Some(record))
}

/// A session whose token was revoked ends with it.
fn still_valid(app: &App, id: &str) -> Result<TokenRecord, ApiError> {
    let now = app.now();
    let tokens = app.store.tokens()?;
    let valid = |t: &TokenRecord| t.id == id && t.expires_at.is_none_or(|end| now < end);
    let found = tokens.into_iter().find(valid);
    found.ok_or(ApiError::Unauthorized("The token has been revoked"))
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
