//! The shapes, statuses and error codes of projects and datasets.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use common::{TestServer, new_project};
use serde_json::{Value, json};

#[test]
fn the_server_introduces_itself_as_the_sdk_wants_it() {
    let server = TestServer::start();
    let info = server.get("/api/v1/product_info").json();
    let version = info["build-version"].as_str().unwrap();
    assert!(version.starts_with("2.13.0-"), "{version}");
    let organizations = server
        .get("/api/v1/personal_access_tokens/organization")
        .json();
    let id = organizations["organizations"][0]["organizationId"]
        .as_str()
        .unwrap();
    let workspaces = server
        .get(&format!("/api/v1/organizations/{id}/workspaces"))
        .json();
    assert_eq!(workspaces["workspaces"][0]["name"], "Default Workspace");
    let balance = server.get(&format!("/api/v1/organizations/{id}/balance"));
    assert_eq!((balance.status, balance.body.len()), (204, 0));
}

#[test]
fn a_project_has_the_keys_of_the_platform() {
    let server = TestServer::start();
    let (path, _) = server.project();
    let project = server.get(&path).json();
    let keys: Vec<&str> = project
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = [
        "id",
        "name",
        "creation_time",
        "creator_id",
        "pipeline",
        "thumbnail",
        "performance",
        "storage_info",
        "datasets",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert!(
        project["creation_time"]
            .as_str()
            .unwrap()
            .ends_with("+00:00")
    );
    let label = &project["pipeline"]["tasks"][1]["labels"][0];
    assert_eq!(
        (label["name"].as_str(), &label["parent_id"]),
        (Some("cat"), &Value::Null)
    );
    assert_eq!(
        server.get(&format!("{path}/status")).json()["is_training"],
        false
    );
    assert_eq!(server.get(&format!("{path}/thumbnail")).status, 204);
}

#[test]
fn wrong_projects_get_the_codes_of_the_platform() {
    let server = TestServer::start();
    let path = format!("{}/projects", server.workspace());
    let with = |change: fn(&mut Value)| {
        let mut project = new_project(&["a", "b"]);
        change(&mut project);
        project
    };
    struct Case(Value, u16, &'static str);
    for Case(body, status, code) in [
        Case(json!("text"), 400, "bad_request"),
        Case(with(|p| p["name"] = json!("")), 400, "empty_project_name"),
        Case(
            with(|p| p["pipeline"]["connections"] = json!([])),
            400,
            "no_tasks_connections",
        ),
        Case(
            with(|p| p["pipeline"]["connections"][0]["to"] = json!("x")),
            400,
            "unconnected_tasks",
        ),
        Case(
            with(|p| p["pipeline"]["tasks"][1]["task_type"] = json!("x")),
            400,
            "invalid_task_type",
        ),
        Case(
            with(|p| p["pipeline"]["tasks"] = json!([])),
            400,
            "bad_number_of_task_connections",
        ),
        Case(new_project(&["a"]), 400, "bad_number_of_labels"),
        Case(new_project(&["a", "a"]), 400, "duplicate_label_names"),
        Case(new_project(&["a", "No class"]), 400, "reserved_empty_label"),
    ] {
        let answer = server.post(&path, &body);
        assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
        assert_eq!(answer.json()["http_status"], status);
    }
    assert_eq!(
        server.call("POST", &path, b"{").error(),
        (400, "missing_payload".to_owned())
    );
    assert_eq!(
        server.call("POST", &path, b"").error(),
        (400, "missing_payload".to_owned())
    );
}

#[test]
fn identifiers_of_the_wrong_form_and_unknown_ones_are_told_apart() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let workspace = server.workspace();
    let none = "000000000000000000000000";
    struct Case(String, u16, &'static str);
    for Case(path, status, code) in [
        Case(format!("{workspace}/projects/x"), 400, "bad_request"),
        Case(
            format!("{workspace}/projects/..%2f..%2fetc"),
            400,
            "bad_request",
        ),
        Case(
            format!("{workspace}/projects/{none}"),
            404,
            "project_not_found",
        ),
        Case(
            format!("{project}/datasets/{none}"),
            404,
            "dataset_not_found",
        ),
        Case(
            format!("{dataset}/media/images/{none}"),
            404,
            "image_not_found",
        ),
        Case(
            format!("{project}/model_groups/{none}/models/{none}"),
            404,
            "model_not_found",
        ),
        Case(format!("{workspace}/jobs/{none}"), 404, "job_not_found"),
        Case(format!("{workspace}/projects?limit=0"), 400, "bad_request"),
        Case(format!("{workspace}/projects?skip=-1"), 400, "bad_request"),
    ] {
        assert_eq!(
            server.get(&path).error(),
            (status, code.to_owned()),
            "{path}"
        );
    }
    let unknown = server.get("/api/v1/nothing");
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["endpoint_not_found_response"].is_string());
    assert_eq!(server.call("PUT", "/api/v1/product_info", b"").status, 405);
}

#[test]
fn project_pages_end_and_agree_with_their_total() {
    let server = TestServer::start();
    for _ in 0..5 {
        server.project();
    }
    let mut path = format!("{}/projects?limit=2&skip=0", server.workspace());
    let mut ids = Vec::new();
    for _ in 0..10 {
        let page = server.get(&path).json();
        assert_eq!(page["project_counts"], 5);
        ids.extend(
            page["projects"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p["id"].clone()),
        );
        match page["next_page"].as_str() {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_label_can_be_added_and_renamed_but_not_taken_away() {
    let server = TestServer::start();
    let (path, _) = server.project();
    let mut project = server.get(&path).json();
    project["name"] = json!("fish");
    let labels = project["pipeline"]["tasks"][1]["labels"]
        .as_array_mut()
        .unwrap();
    labels[0]["name"] = json!("lion");
    labels.push(json!({"name": "bird", "color": "#112233", "group": "g"}));
    let changed = server
        .call("PUT", &path, project.to_string().as_bytes())
        .json();
    let names: Vec<&str> = changed["pipeline"]["tasks"][1]["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        (changed["name"].as_str(), names),
        (Some("fish"), vec!["lion", "dog", "bird"])
    );
    project["pipeline"]["tasks"][1]["labels"] = json!([]);
    assert_eq!(
        server
            .call("PUT", &path, project.to_string().as_bytes())
            .status,
        400
    );
}

#[test]
fn datasets_follow_the_rules_of_the_platform() {
    let server = TestServer::start();
    let (project, training) = server.project();
    let path = format!("{project}/datasets");
    let made = server.post(&path, &json!({"name": "OOD"}));
    assert_eq!(
        (made.status, made.json()["use_for_training"].as_bool()),
        (201, Some(false))
    );
    assert_eq!(
        server.post(&path, &json!({"name": "OOD"})).error(),
        (409, "dataset_already_exists".into())
    );
    assert_eq!(server.post(&path, &json!({"name": ""})).status, 400);
    let own = format!("{path}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(
        server.call("PUT", &own, br#"{"name": "B"}"#).json()["name"],
        "B"
    );
    assert_eq!(server.call("DELETE", &training, b"").status, 400);
    assert_eq!(
        server.call("DELETE", &own, b"").json(),
        json!({"result": "success"})
    );
    assert_eq!(
        server.get(&path).json()["datasets"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
