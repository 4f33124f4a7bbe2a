//! What every route asks for, asked of every route.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use common::{Answer, TestServer, png};
use straylight_server::{Route, create_token_for, routes};
use straylight_store::Role;

const NOBODY: &str = "000000000000000000000000";

/// A path of the route with identifiers of things that are not there.
fn filled(server: &TestServer, route: &Route) -> String {
    let workspace = server.store.workspace();
    let path = route.path();
    let parts = path.split('/').map(|part| {
        let Some((before, rest)) = part.split_once('{') else {
            return part.to_owned();
        };
        let (name, after) = rest.split_once('}').unwrap();
        let value = match name {
            "org" => &workspace.organization_id,
            "ws" => &workspace.id,
            "n" | "version" => "1",
            "what" => "accept",
            _ => NOBODY,
        };
        format!("{before}{value}{after}")
    });
    parts.collect::<Vec<_>>().join("/")
}

fn ask(server: &TestServer, method: &str, path: &str, token: Option<&str>) -> Answer {
    let mut headers = vec![("x-geti-csrf-protection", "1")];
    headers.extend(token.map(|token| ("x-api-key", token)));
    server.send(method, path, &headers, b"")
}

/// Whether the answer is that of the check of roles.
fn lacks_role(answer: &Answer) -> bool {
    answer.status == 403 && answer.text().contains("the role")
}

#[test]
fn every_route_lets_in_those_it_should_and_nobody_else() {
    let server = TestServer::start();
    let token = |role: Role| {
        let made = create_token_for(&server.store, role.as_str(), role, None).unwrap();
        made.reveal().to_owned()
    };
    let tokens = Role::ALL.map(|role| (role, token(role)));
    for route in routes() {
        let (method, path) = (route.method, filled(&server, route));
        let answer = ask(&server, method, &path, None);
        assert_eq!(
            answer.status == 401,
            route.role.is_some(),
            "{method} {path}: {}",
            answer.status
        );
        for (role, token) in &tokens {
            let answer = ask(&server, method, &path, Some(token));
            let may = route.role.is_none_or(|needed| *role >= needed);
            // A head has no body that says what is missing.
            let refused = lacks_role(&answer) || (method == "HEAD" && answer.status == 403);
            assert_eq!(refused, !may, "{role}: {method} {path}: {}", answer.status);
            assert_ne!(answer.status, 401, "{role}: {method} {path}");
            // An answer of the router would mean that the table has a route that is not there.
            assert_ne!(answer.status, 405, "{role}: {method} {path}");
            assert!(
                !answer.text().contains("endpoint_not_found"),
                "{role}: {method} {path}"
            );
        }
    }
}

#[test]
fn a_camera_adds_and_sees_nothing_and_a_reviewer_deletes_nothing() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let image = server.upload(&dataset, "a.png", &png(64, 48)).json();
    let image = format!("{dataset}/media/images/{}", image["id"].as_str().unwrap());
    let token = |role: Role| {
        let made = create_token_for(&server.store, role.as_str(), role, None).unwrap();
        made.reveal().to_owned()
    };
    let (camera, reviewer) = (token(Role::Collect), token(Role::Review));
    struct Case<'a>(&'a str, &'a str, String, bool);
    for Case(token, method, path, may) in [
        Case(&camera, "GET", project.clone(), true),
        Case(&camera, "POST", format!("{dataset}/media/images"), true),
        Case(&camera, "GET", format!("{image}/display/full"), false),
        Case(&camera, "GET", image.clone(), false),
        Case(&camera, "POST", format!("{dataset}/media:query"), false),
        Case(&camera, "GET", "/".to_owned(), false),
        Case(&camera, "DELETE", image.clone(), false),
        Case(&reviewer, "GET", format!("{image}/display/full"), true),
        Case(&reviewer, "GET", "/".to_owned(), true),
        Case(&reviewer, "POST", format!("{project}:export"), true),
        Case(&reviewer, "DELETE", image.clone(), false),
        Case(&reviewer, "DELETE", project.clone(), false),
        Case(&server.token, "DELETE", image.clone(), true),
    ] {
        let answer = ask(&server, method, &path, Some(token));
        assert_eq!(
            !lacks_role(&answer),
            may,
            "{method} {path}: {}",
            answer.text()
        );
    }
}

#[test]
fn a_session_has_the_role_of_its_token() {
    let server = TestServer::start();
    let token = create_token_for(&server.store, "r", Role::Review, None).unwrap();
    let body = serde_json::json!({"secret": token.reveal()}).to_string();
    let csrf = ("x-geti-csrf-protection", "1");
    let answer = server.send("POST", "/login", &[csrf], body.as_bytes());
    let cookie = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let headers = [csrf, ("cookie", cookie.as_str())];
    assert_eq!(server.send("GET", "/", &headers, b"").status, 200);
    let path = format!("{}/projects", server.workspace());
    let refused = server.send("POST", &path, &headers, b"{}");
    assert!(lacks_role(&refused), "{}", refused.text());
}
