//! Lists that lie about their length or lead astray.

use std::sync::Arc;

use serde_json::{Value, json};
use straylight_geti::{ErrorKind, GetiError, wire};

use crate::common::{Received, Reply, Server, TestClock, connect};
use crate::session::VERSION;
use crate::stub;

/// A server that lets a session be opened and then answers as `after` says.
pub fn after_login(after: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| stub::session(request, VERSION).unwrap_or_else(|| after(request)))
}

pub fn projects_of(
    server: &Server,
) -> (Result<Vec<wire::Project>, GetiError>, Arc<TestClock>, usize) {
    let (geti, clock) = connect(server);
    server.take_calls();
    let result = geti.projects();
    (result, clock, server.take_calls().len())
}

fn project(id: usize) -> Value {
    json!({"id": id.to_string(), "name": "p", "pipeline": {"tasks": []}})
}

pub fn image(id: &str, url: &str) -> Value {
    json!({"id": id, "name": format!("n{id}"), "type": "image",
        "media_information": {"display_url": url, "height": 1, "width": 1}})
}

fn skip(request: &Received) -> usize {
    request
        .path
        .rsplit_once("skip=")
        .map_or(0, |(_, skip)| skip.parse().unwrap())
}

#[test]
fn a_total_that_is_too_high_does_not_loop() {
    let server = after_login(|request| {
        let page = if skip(request) == 0 {
            vec![project(1), project(2)]
        } else {
            vec![]
        };
        Reply::json(json!({"projects": page, "project_counts": 7}))
    });
    let (result, _, calls) = projects_of(&server);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pages);
    assert!(
        error
            .to_string()
            .contains("announces 7 projects, but lists only 2"),
        "{error}"
    );
    assert_eq!(calls, 2);
}

#[test]
fn pages_without_end_are_given_up() {
    let server = after_login(|request| {
        let page: Vec<Value> = (0..50).map(|n| project(skip(request) + n)).collect();
        Reply::json(json!({"projects": page, "project_counts": 60}))
    });
    let (result, _, calls) = projects_of(&server);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Pages);
    assert_eq!(calls, 21);

    let server = after_login(|request| {
        let start = skip(request);
        let media: Vec<Value> = (start..start + 100)
            .map(|n| image(&n.to_string(), "/x"))
            .collect();
        Reply::json(json!({"media": media, "total_matched_images": 6,
            "next_page": format!("/api/v1/media:query?skip={}", start + 100)}))
    });
    let (geti, _) = connect(&server);
    let error = geti.at("p").dataset("d").images().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pages);
    assert!(server.take_calls().len() < 30);
}

#[test]
fn the_same_page_again_and_again_is_given_up() {
    let server = after_login(|_| {
        Reply::json(
            json!({"media": [image("1", "/x")], "total_matched_images": 6,
            "next_page": "/api/v1/media:query?skip=1"}),
        )
    });
    let (geti, _) = connect(&server);
    server.take_calls();
    let error = geti.at("p").dataset("d").images().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pages);
    assert_eq!(server.take_calls().len(), 2);
}

#[test]
fn a_next_page_elsewhere_is_not_fetched() {
    for next in [
        "https://evil.example/x",
        "/api/v1/personal_access_tokens",
        "/x",
    ] {
        let next = next.to_owned();
        let server = after_login(move |_| {
            Reply::json(
                json!({"media": [image("1", "/x")], "total_matched_images": 2,
                "next_page": next}),
            )
        });
        let (geti, _) = connect(&server);
        server.take_calls();
        assert!(geti.at("p").dataset("d").images().is_err());
        assert_eq!(server.take_calls().len(), 1);
    }
}
