//! Deployments of both generations of the API.

use std::fs;
use std::io::{Cursor, Write};

use serde_json::json;
use straylight_core::NoProgress;
use straylight_geti::{ErrorKind, Geti, wire};

use crate::common::{self, connect};
use crate::session::{VERSION, pets, short};
use crate::stub;

fn zip(entries: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(b"{}").unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A server with one trained model that has a form with and one without an XAI head.
fn with_model(version: &str) -> (common::Server, Geti, wire::Project) {
    let (server, state) = stub::start(version);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let form = |id: &str, xai: bool| {
        json!({"id": id, "name": id, "optimization_type": "MO", "has_xai_head": xai,
            "model_status": "SUCCESS", "performance": {"score": 0.9}})
    };
    let mut state = state.lock().unwrap();
    state.models = json!({
        "groups": {"model_groups": [{"id": "g", "name": "n", "model_template_id": "a",
            "models": [{"id": "m", "name": "n", "active_model": true,
                "creation_date": "2024-08-20T10:00:00Z", "performance": {"score": 0.9}}]}]},
        "model": {"id": "m", "name": "n",
            "optimized_models": [form("plain", false), form("xai", true)]}
    });
    state.deployment = zip(&[
        "README.md",
        "deployment/project.json",
        "deployment/T/model.json",
    ]);
    drop(state);
    server.take_calls();
    (server, geti, project)
}

#[test]
fn a_deployment_comes_in_one_request_from_newer_servers() {
    let (server, geti, project) = with_model(VERSION);
    let folder = tempfile::tempdir().unwrap();
    geti.at(&project.id)
        .deploy_active(true, folder.path(), &NoProgress)
        .unwrap();
    assert!(folder.path().join("deployment/T/model.json").is_file());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let sent = server.requests().pop().unwrap();
    assert_eq!(
        sent.json(),
        json!({"package_type": "geti_sdk", "models": [{"model_id": "xai", "model_group_id": "g"}]})
    );
    assert!(sent.path.ends_with("/deployment_package:download"));
    let error = geti
        .at(&project.id)
        .deploy_active(true, folder.path(), &NoProgress)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
}

#[test]
fn older_servers_are_asked_until_the_deployment_is_ready() {
    let (server, geti, project) = with_model("2.9.0");
    let folder = tempfile::tempdir().unwrap();
    geti.at(&project.id)
        .deploy_active(false, folder.path(), &NoProgress)
        .unwrap();
    assert!(folder.path().join("deployment/project.json").is_file());
    let calls = short(server.take_calls());
    let tail = &calls[calls.len() - 5..];
    assert_eq!(
        tail,
        [
            "POST {W}/projects/{id}/code_deployments:prepare",
            "GET {W}/projects/{id}/code_deployments/c",
            "GET {W}/projects/{id}/code_deployments/c",
            "GET {W}/projects/{id}/code_deployments/c",
            "GET {W}/projects/{id}/code_deployments/c/download",
        ]
    );
}

#[test]
fn a_server_that_only_claims_to_be_new_is_asked_in_the_old_way() {
    let state = stub::memory(VERSION);
    let models = [wire::DeploymentModel {
        model_id: "m".into(),
        model_group_id: "g".into(),
    }];
    let shared = std::sync::Arc::clone(&state);
    let server = common::Server::start(move |request| {
        if request.path.ends_with("deployment_package:download") {
            let body = json!({"endpoint_not_found_response": "no such route"});
            return common::Reply::status(404, &body);
        }
        stub::respond(&shared, request)
    });
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    state.lock().unwrap().deployment = zip(&["deployment/project.json"]);
    let folder = tempfile::tempdir().unwrap();
    let api = geti.at(&project.id);
    api.download_deployment(&models, folder.path(), &NoProgress)
        .unwrap();
    assert!(
        server
            .take_calls()
            .pop()
            .unwrap()
            .ends_with("/code_deployments/c/download")
    );
}
