//! Imports and exports of archives: resumable uploads, jobs, files.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::common::{Received, Reply, Server, connect};
use crate::stub;
use serde_json::{Value, json};
use straylight_core::NoProgress;
use straylight_geti::{ErrorKind, wire};

const MIB: usize = 1024 * 1024;

/// The file that the server has so far, and how its chunks are answered.
#[derive(Default)]
struct Upload {
    bytes: Vec<u8>,
    length: usize,
    /// What happens to the chunks in turn: false loses the answer.
    answered: Vec<bool>,
    chunks: usize,
}

fn tus(request: &Received, upload: &Mutex<Upload>) -> Option<Reply> {
    let mut upload = upload.lock().unwrap();
    let number = |name: &str| request.header(name).unwrap().parse::<usize>().unwrap();
    let resumable = |reply: Reply| reply.with_header("tus-resumable", "1.0.0");
    Some(resumable(match request.method.as_str() {
        "OPTIONS" => Reply::empty(204).with_header("tus-version", "1.0.0,0.2.2"),
        "POST" if request.path.ends_with("/uploads/resumable") => {
            upload.length = number("upload-length");
            let path = format!("{}/abc", request.path);
            Reply::empty(201).with_header("location", path)
        }
        "HEAD" => Reply::empty(200).with_header("upload-offset", upload.bytes.len().to_string()),
        "PATCH" => {
            assert_eq!(
                request.header("content-type"),
                Some(wire::tus::CONTENT_TYPE)
            );
            if number("upload-offset") != upload.bytes.len() {
                return Some(stub::error(409, "wrong_offset"));
            }
            upload.bytes.extend(&request.body);
            upload.chunks += 1;
            if !upload
                .answered
                .get(upload.chunks - 1)
                .copied()
                .unwrap_or(true)
            {
                return Some(Reply::Hangup);
            }
            Reply::empty(204).with_header("upload-offset", upload.bytes.len().to_string())
        }
        _ => return None,
    }))
}

fn finished(metadata: &Value) -> Reply {
    Reply::json(json!({"id": "j", "name": "n", "state": "finished", "metadata": metadata}))
}

fn project() -> Reply {
    Reply::json(json!({"id": "p", "name": "p", "pipeline": {"tasks": []}}))
}

fn start(
    upload: &Arc<Mutex<Upload>>,
    rest: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> Server {
    let upload = Arc::clone(upload);
    Server::start(move |request| {
        stub::session(request, "2.13.0")
            .or_else(|| tus(request, &upload))
            .unwrap_or_else(|| rest(request))
    })
}

#[test]
fn an_archive_goes_up_in_chunks_and_survives_lost_answers() {
    for answered in [vec![], vec![false], vec![true, false, false]] {
        let lost = answered.iter().filter(|answered| !**answered).count();
        let upload = Arc::new(Mutex::new(Upload {
            answered,
            ..Upload::default()
        }));
        let server = start(&upload, |request| {
            let path = request.path.split('?').next().unwrap();
            match path.rsplit('/').next().unwrap() {
                "projects:import" => {
                    assert_eq!(
                        request.json(),
                        json!({"file_id": "abc", "project_name": "n"})
                    );
                    Reply::json(json!({"job_id": "j"}))
                }
                "j" => finished(&json!({"project": {"id": "p"}})),
                _ => project(),
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("project.zip");
        let bytes: Vec<u8> = (0..12 * MIB).map(|n| (n % 251) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let (geti, clock) = connect(&server);
        let imported = geti
            .import_project_archive(&path, Some("n"), &NoProgress)
            .unwrap();
        assert_eq!(imported.id, "p");
        let upload = upload.lock().unwrap();
        assert!(upload.bytes == bytes && upload.length == bytes.len());
        assert_eq!(upload.chunks, 3);
        assert_eq!(clock.sleeps().len(), lost);
    }
}

#[test]
fn an_upload_that_gets_nowhere_is_given_up() {
    let server = Server::start(|request| {
        stub::session(request, "2.13.0").unwrap_or_else(|| match request.method.as_str() {
            "OPTIONS" => Reply::empty(204).with_header("tus-resumable", "1.0.0"),
            "POST" => Reply::empty(201).with_header("location", "/api/v1/x/abc"),
            _ => Reply::empty(204).with_header("upload-offset", "0"),
        })
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, b"x").unwrap();
    let (geti, clock) = connect(&server);
    let error = geti
        .import_project_archive(&path, None, &NoProgress)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
    assert_eq!(clock.sleeps().len(), 4);
}

#[test]
fn a_dataset_becomes_a_project_of_a_type_that_it_fits() {
    let upload = Arc::new(Mutex::new(Upload::default()));
    let server = start(&upload, |request| {
        let path = request.path.split('?').next().unwrap();
        match path.rsplit('/').next().unwrap() {
            "datasets:prepare-for-import" => {
                assert!(request.path.ends_with("?file_id=abc"));
                Reply::json(json!({"job_id": "prepare"}))
            }
            "prepare" => finished(&json!({"file_id": "abc", "supported_project_types": [
                {"project_type": "classification", "pipeline": {"tasks": [
                    {"labels": [{"name": "cat"}, {"name": "dog"}]}]}}]})),
            "projects:import-from-dataset" => {
                assert_eq!(
                    request.json(),
                    json!({"project_name": "n", "task_type": "classification", "file_id": "abc",
                        "labels": [{"name": "cat"}, {"name": "dog"}]})
                );
                Reply::json(json!({"job_id": "import"}))
            }
            "import" => finished(&json!({"project_id": "p"})),
            _ => project(),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, b"x").unwrap();
    let (geti, _) = connect(&server);
    geti.import_dataset_archive(&path, "n", "classification", &NoProgress)
        .unwrap();
    upload.lock().unwrap().bytes.clear();
    let error = geti
        .import_dataset_archive(&path, "n", "detection", &NoProgress)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.hint().unwrap().contains("classification"));
}

#[test]
fn exports_are_downloaded_when_their_jobs_have_finished() {
    let server = Server::start(|request| {
        stub::session(request, "2.13.0").unwrap_or_else(|| {
            let last = request.path.rsplit('/').next().unwrap();
            match last {
                "j" => finished(&json!({"download_url": "/api/v1/exports/file"})),
                "file" => Reply::bytes("application/zip", "zip"),
                "d:prepare-for-export?export_format=coco&include_unannotated_media=true"
                | "p:export?include_models=none" => Reply::json(json!({"job_id": "j"})),
                _ => stub::error(404, "bad_route"),
            }
        })
    });
    let (geti, _) = connect(&server);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/export.zip");
    let project = geti.at("p");
    project
        .export_archive(wire::ProjectModels::None, &path, &NoProgress)
        .unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"zip");
    let format = wire::ExportFormat::Coco;
    project
        .dataset("d")
        .export_archive(format, true, &path, &NoProgress)
        .unwrap();
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
}
