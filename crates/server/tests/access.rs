//! Who gets in, and who does not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use common::TestServer;
use serde_json::json;
use straylight_server::{Limits, Server, ServerConfig, ServerError, Tls, create_token};
use straylight_store::Store;

#[test]
fn nothing_of_the_users_is_open() {
    let server = TestServer::start();
    let workspace = server.workspace();
    struct Case(&'static str, String, u16);
    for Case(method, path, status) in [
        Case("GET", "/healthz".into(), 200),
        Case("GET", "/readyz".into(), 200),
        Case("GET", "/v2/health/live".into(), 200),
        Case("GET", "/login".into(), 200),
        Case("GET", "/static/app.js".into(), 200),
        Case("GET", "/".into(), 401),
        Case("GET", "/metrics".into(), 401),
        Case("GET", "/docs".into(), 401),
        Case("GET", "/v2/models/x".into(), 401),
        Case("GET", "/api/v1/product_info".into(), 401),
        Case("GET", format!("{workspace}/projects"), 401),
        Case(
            "DELETE",
            format!("{workspace}/projects/000000000000000000000000"),
            401,
        ),
        Case("POST", "/actions/undo".into(), 401),
        Case("GET", "/no/such/route".into(), 401),
    ] {
        let answer = server.send(method, &path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[test]
fn tokens_open_until_they_are_revoked() {
    let server = TestServer::start();
    let token = create_token(&server.store, "second", None).unwrap();
    let bearer = format!("Bearer {}", token.reveal());
    let get = |header: (&str, &str)| {
        server
            .send("GET", "/api/v1/product_info", &[header], b"")
            .status
    };
    assert_eq!(get(("x-api-key", token.reveal())), 200);
    assert_eq!(get(("authorization", &bearer)), 200);
    server.store.revoke_token(&token.record.id).unwrap();
    assert_eq!(get(("x-api-key", token.reveal())), 401);
    let refused = server.send("GET", "/api/v1/product_info", &[("x-api-key", "x")], b"");
    assert!(refused.header("content-type").starts_with("text/plain"));
    assert_eq!(refused.text(), "Invalid authorization token");
}

#[test]
fn changes_need_the_header_that_no_foreign_site_can_send() {
    let server = TestServer::start();
    let path = format!("{}/projects", server.workspace());
    let body = common::new_project(&["a", "b"]).to_string();
    let headers = [("x-api-key", server.token.as_str())];
    assert_eq!(
        server.send("POST", &path, &headers, body.as_bytes()).status,
        403
    );
    assert_eq!(server.call("POST", &path, body.as_bytes()).status, 201);
}

#[test]
fn too_many_failures_have_to_wait() {
    let mut limits = Limits::default();
    limits.failed_logins = 3;
    let server = TestServer::with(limits, Tls::Off);
    let status = || {
        server.send(
            "GET",
            "/api/v1/product_info",
            &[("x-api-key", "wrong")],
            b"",
        )
    };
    for _ in 0..3 {
        assert_eq!(status().status, 401);
    }
    let refused = status();
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 60);
    let login = [("x-geti-csrf-protection", "1")];
    let body = json!({"secret": "wrong"}).to_string();
    assert_eq!(
        server
            .send("POST", "/login", &login, body.as_bytes())
            .status,
        429
    );
}

/// The cookie that a login set, as a browser sends it back.
fn log_in(server: &TestServer, secret: &str) -> Option<String> {
    let body = json!({"secret": secret}).to_string();
    let headers = [("x-geti-csrf-protection", "1")];
    let answer = server.send("POST", "/login", &headers, body.as_bytes());
    if answer.status != 204 {
        return None;
    }
    let cookie = answer.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    Some(cookie.split(';').next().unwrap().to_owned())
}

#[test]
fn a_browser_logs_in_with_a_token_and_out_again() {
    let server = TestServer::start();
    let page = server.send("GET", "/", &[("accept", "text/html")], b"");
    assert_eq!((page.status, page.header("location")), (303, "/login"));
    let cookie = log_in(&server, &server.token).unwrap();
    let with = [("cookie", cookie.as_str()), ("accept", "text/html")];
    assert_eq!(server.send("GET", "/", &with, b"").status, 200);
    // A form of a foreign site brings the cookie at most, never the header.
    let path = format!("{}/projects", server.workspace());
    assert_eq!(server.send("POST", &path, &with, b"{}").status, 403);
    let out = [("cookie", cookie.as_str()), ("x-geti-csrf-protection", "1")];
    assert_eq!(server.send("POST", "/logout", &out, b"").status, 204);
    assert_eq!(server.send("GET", "/", &with, b"").status, 303);
}

#[test]
fn the_printed_code_works_once_and_a_session_ends_with_its_token() {
    let server = TestServer::start();
    let code = server.code_url.split('#').nth(1).unwrap().to_owned();
    let cookie = log_in(&server, &code).unwrap();
    assert_eq!(log_in(&server, &code), None);
    assert_eq!(
        server.send("GET", "/", &[("cookie", &cookie)], b"").status,
        200
    );
    let token = create_token(&server.store, "browser", None).unwrap();
    let cookie = log_in(&server, token.reveal()).unwrap();
    assert_eq!(
        server.send("GET", "/", &[("cookie", &cookie)], b"").status,
        200
    );
    server.store.revoke_token(&token.record.id).unwrap();
    assert_eq!(
        server.send("GET", "/", &[("cookie", &cookie)], b"").status,
        401
    );
}

#[test]
fn every_answer_forbids_what_pages_do_not_need() {
    let server = TestServer::start();
    for path in ["/", "/login", "/api/v1/product_info", "/nowhere"] {
        let answer = server.get(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let page = server.get("/").text();
    assert!(!page.contains(" style=") && !page.contains("<style") && !page.contains("onclick"));
}

#[test]
fn tls_works_with_the_certificate_of_the_store() {
    let server = TestServer::with(Limits::default(), Tls::SelfSigned);
    assert!(server.base.starts_with("https://localhost:"));
    assert_eq!(server.get("/api/v1/product_info").status, 200);
    let body = json!({"secret": server.token}).to_string();
    let answer = server.send(
        "POST",
        "/login",
        &[("x-geti-csrf-protection", "1")],
        body.as_bytes(),
    );
    assert!(answer.header("set-cookie").contains("Secure"));
}

#[test]
fn plain_http_stays_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(Store::open(dir.path()).unwrap());
    let config = ServerConfig::default()
        .listen_on(([0, 0, 0, 0], 0).into())
        .with_tls(Tls::Off);
    let refused = Server::bind(store, config, None).err().unwrap();
    assert!(
        matches!(refused, ServerError::PlainHttp { .. }),
        "{refused}"
    );
}

#[test]
fn secrets_are_in_no_file_of_the_store() {
    let server = TestServer::start();
    assert_eq!(server.get("/api/v1/product_info").status, 200);
    let secret = server.token.rsplit('_').nth(1).unwrap().as_bytes().to_vec();
    let mut dirs = vec![server.dir.path().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            if entry.path().is_dir() {
                dirs.push(entry.path());
            } else {
                let bytes = std::fs::read(entry.path()).unwrap();
                let found = bytes.windows(secret.len()).any(|w| w == secret);
                assert!(!found, "{}", entry.path().display());
            }
        }
    }
}
