use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout;
use crate::api::{ApiError, ApiResult, body, parse_json};
use crate::app::{App, Shared};
use crate::auth::{COOKIE, client, cookie, find, redeem, refuse};
use crate::config::Tls;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/login", get(page).post(login))
        .route("/logout", post(logout))
}

async fn page() -> Markup {
    layout::bare(
        "Log in",
        &html! {
            h1 { span.mark aria-hidden="true" {} "Straylight" }
            p { "Open the link that " code { "straylight serve" } " printed, or paste an access token. "
                "Make one with " code { "straylight token create" } "." }
            form #login {
                label for="token" { "Access token" }
                input #token type="password" autocomplete="current-password" required;
                button type="submit" { "Log in" }
            }
            noscript { p { "This page needs its script, which this server sends itself." } }
        },
    )
}

#[derive(Deserialize)]
struct Secret {
    secret: String,
}

/// Takes an access token, or a code that the server printed or `straylight token login` made.
async fn login(State(app): State<Shared>, request: Request) -> ApiResult<Response> {
    if !request.headers().contains_key("x-geti-csrf-protection") {
        return Err(ApiError::Forbidden(
            "The header x-geti-csrf-protection is missing",
        ));
    }
    let address = client(&app, &request);
    let secret: Secret = parse_json(&body(request, 4096, &app).await?)?;
    let opened = app
        .greet(move |app| open(app, secret.secret.trim()))
        .await?;
    let Some(id) = opened else {
        return Err(refuse(&app, address));
    };
    let secure = if app.config.tls == Tls::Off {
        ""
    } else {
        "; Secure"
    };
    let cookie = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict{secure}");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

fn open(app: &App, secret: &str) -> ApiResult<Option<String>> {
    let token = find(&app.store, secret, app.now())?;
    let is_code =
        || ApiResult::Ok(app.sessions.redeem(secret) || redeem(&app.store, secret, app.now())?);
    if token.is_none() && !is_code()? {
        return Ok(None);
    }
    let opened = app.sessions.open(token.map(|t| t.id), app.now());
    opened
        .map(Some)
        .map_err(|e| ApiError::Internal(e.to_string()))
}

async fn logout(State(app): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(id) = cookie(&headers) {
        app.sessions.close(id);
    }
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}
