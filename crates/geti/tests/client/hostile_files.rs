//! Files, deployments and jobs that are cut off or never come.

use std::io::{Cursor, Write};
use std::time::Duration;

use serde_json::json;
use straylight_core::NoProgress;
use straylight_geti::{DownloadOptions, ErrorKind, wire};

use crate::common::{Reply, Server, connect};
use crate::hostile_lists::{after_login, image};
use crate::stub;

#[test]
fn half_an_image_is_never_left_behind() {
    struct Case(&'static str, Reply);
    for Case(name, reply) in [
        Case("cut off", Reply::Raw(
            b"HTTP/1.1 200 X\r\ncontent-type: image/png\r\ncontent-length: 999\r\n\r\n\x89PNG\r\n\x1a\n".to_vec(),
        )),
        Case("empty", Reply::bytes("image/png", "")),
        Case("no image", Reply::bytes("image/png", "hello")),
        Case("web page", Reply::bytes("text/html", "<html>")),
        Case("gone", stub::error(404, "image_not_found")),
    ] {
        let server = after_login(move |_| reply.clone());
        let (geti, _) = connect(&server);
        let media: wire::Media =
            serde_json::from_value(image("1", "/api/v1/i/display/full")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let dataset = geti.at("p").dataset("d");
        let options = DownloadOptions::default();
        let result = dataset.download_images(&[media], folder.path(), options, &NoProgress);
        assert!(result.and_then(straylight_geti::Transfer::all).is_err(), "{name}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
    }
}

fn archive() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["deployment/project.json", "deployment/T/model/model.xml"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&[b'x'; 1000]).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_deployment_that_is_cut_off_leaves_nothing() {
    struct Case(&'static str, Reply, ErrorKind);
    let whole = archive();
    let half = whole[..whole.len() / 2].to_vec();
    let mut short = b"HTTP/1.1 200 X\r\ncontent-type: application/zip\r\n".to_vec();
    short.extend(format!("content-length: {}\r\n\r\n", whole.len()).bytes());
    short.extend(&half);
    for Case(name, reply, kind) in [
        Case(
            "the connection breaks",
            Reply::Raw(short),
            ErrorKind::Connection,
        ),
        Case(
            "the server sends half",
            Reply::bytes("application/zip", half),
            ErrorKind::Archive,
        ),
        Case(
            "an empty file",
            Reply::bytes("application/zip", ""),
            ErrorKind::Connection,
        ),
        Case("no media", Reply::empty(204), ErrorKind::NotFound),
        Case(
            "a web page",
            Reply::bytes("text/html", "<html>"),
            ErrorKind::Login,
        ),
    ] {
        let server = after_login(move |_| reply.clone());
        let (geti, _) = connect(&server);
        let folder = tempfile::tempdir().unwrap();
        let models = [wire::DeploymentModel {
            model_id: "m".into(),
            model_group_id: "g".into(),
        }];
        let error = geti
            .at("p")
            .download_deployment(&models, folder.path(), &NoProgress)
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{name}"
        );
    }
}

#[test]
fn a_deployment_that_fails_or_never_gets_ready_ends() {
    struct Case(&'static str, ErrorKind);
    for Case(state, kind) in [
        Case("FAILED", ErrorKind::Job),
        Case("PREPARING", ErrorKind::Timeout),
    ] {
        let server = Server::start(move |request| {
            stub::session(request, "2.9.0").unwrap_or_else(|| {
                Reply::json(json!({"id": "c", "state": state, "message": "no disk"}))
            })
        });
        let (geti, _) = connect(&server);
        let folder = tempfile::tempdir().unwrap();
        let models = [wire::DeploymentModel {
            model_id: "m".into(),
            model_group_id: "g".into(),
        }];
        let error = geti
            .at("p")
            .download_deployment(&models, folder.path(), &NoProgress)
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn a_job_that_never_ends_is_not_waited_for_without_end() {
    let server = after_login(|_| Reply::json(json!({"id": "j", "name": "n", "state": "running"})));
    let (geti, clock) = connect(&server);
    let error = geti
        .wait_for_job("j", Duration::from_secs(60), &NoProgress)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(clock.sleeps().len(), 30);

    let server = after_login(|_| stub::error(404, "job_not_found"));
    let (geti, _) = connect(&server);
    let error = geti
        .wait_for_job("j", Duration::from_secs(60), &NoProgress)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let server = after_login(|_| {
        Reply::json(json!({"id": "j", "name": "n", "state": "failed",
            "steps": [{"message": "out of memory"}]}))
    });
    let (geti, _) = connect(&server);
    let error = geti
        .wait_for_job("j", Duration::from_secs(60), &NoProgress)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Job);
    assert!(error.message().contains("out of memory"));
}
