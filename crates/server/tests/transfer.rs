//! Resumable uploads, jobs, export and import.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::{Answer, TestServer, png};
use serde_json::{Value, json};

fn tus(
    server: &TestServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut all = vec![
        ("x-api-key", server.token.as_str()),
        ("x-geti-csrf-protection", "1"),
        ("tus-resumable", "1.0.0"),
    ];
    all.extend_from_slice(headers);
    server.send(method, path, &all, body)
}

/// Uploads a file in pieces; its identifier.
fn upload(server: &TestServer, bytes: &[u8], piece: usize) -> String {
    let path = format!("{}/projects/uploads/resumable", server.workspace());
    let length = bytes.len().to_string();
    let made = tus(server, "POST", &path, &[("upload-length", &length)], b"");
    assert_eq!(made.status, 201);
    let location = made.header("location").to_owned();
    for (index, chunk) in bytes.chunks(piece).enumerate() {
        let offset = (index * piece).to_string();
        let headers = [
            ("content-type", "application/offset+octet-stream"),
            ("upload-offset", &offset),
        ];
        let answer = tus(server, "PATCH", &location, &headers, chunk);
        assert_eq!(answer.status, 204, "{}", answer.text());
    }
    let head = tus(server, "HEAD", &location, &[], b"");
    assert_eq!(head.header("upload-offset"), length);
    location.rsplit('/').next().unwrap().to_owned()
}

/// Waits for a job to end.
fn finished(server: &TestServer, answer: &Answer) -> Value {
    let id = answer.json()["job_id"].as_str().unwrap().to_owned();
    let started = Instant::now();
    loop {
        let job = server
            .get(&format!("{}/jobs/{id}", server.workspace()))
            .json();
        if job["state"] != "running" {
            return job;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{job}");
        std::thread::yield_now();
    }
}

#[test]
fn uploads_refuse_what_the_protocol_forbids() {
    let server = TestServer::start();
    let path = format!("{}/datasets/uploads/resumable", server.workspace());
    let options = tus(&server, "OPTIONS", &path, &[], b"");
    assert_eq!(
        (options.status, options.header("tus-extension")),
        (204, "creation")
    );
    assert_eq!(server.call("POST", &path, b"").status, 412);
    assert_eq!(
        tus(&server, "POST", &path, &[("upload-length", "0")], b"").status,
        400
    );
    assert_eq!(
        tus(&server, "POST", &path, &[("upload-length", "x")], b"").status,
        400
    );
    assert_eq!(
        tus(
            &server,
            "POST",
            &path,
            &[("upload-length", "99999999999999")],
            b""
        )
        .status,
        413
    );
    let made = tus(&server, "POST", &path, &[("upload-length", "4")], b"");
    let location = made.header("location").to_owned();
    let stream = ("content-type", "application/offset+octet-stream");
    assert_eq!(
        tus(
            &server,
            "PATCH",
            &location,
            &[("upload-offset", "0")],
            b"ab"
        )
        .status,
        415
    );
    assert_eq!(
        tus(
            &server,
            "PATCH",
            &location,
            &[stream, ("upload-offset", "1")],
            b"ab"
        )
        .status,
        409
    );
    assert_eq!(
        tus(
            &server,
            "PATCH",
            &location,
            &[stream, ("upload-offset", "0")],
            b"abcde"
        )
        .status,
        413
    );
    assert_eq!(
        tus(
            &server,
            "PATCH",
            &location,
            &[stream, ("upload-offset", "0")],
            b"ab"
        )
        .status,
        204
    );
    assert_eq!(
        tus(&server, "HEAD", &location, &[], b"").header("upload-offset"),
        "2"
    );
    let elsewhere = format!("{path}/..%2f..%2fstore.db");
    assert_eq!(
        tus(
            &server,
            "PATCH",
            &elsewhere,
            &[stream, ("upload-offset", "0")],
            b"x"
        )
        .status,
        400
    );
}

#[test]
fn a_project_survives_export_and_import() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let label = server.get(&project).json()["pipeline"]["tasks"][1]["labels"][1].clone();
    for name in ["a", "b"] {
        server.upload(&dataset, &format!("{name}.png"), &png(64, 48));
    }
    let listed = server
        .post(&format!("{dataset}/media:query"), &json!({}))
        .json();
    let id = listed["media"][0]["id"].as_str().unwrap();
    let scene = json!({"annotations": [{"labels": [{"id": label["id"], "probability": 1.0}],
        "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 64, "height": 48}}],
        "media_identifier": {"type": "image", "image_id": id}});
    assert_eq!(
        server
            .post(&format!("{dataset}/media/images/{id}/annotations"), &scene)
            .status,
        200
    );
    let job = finished(
        &server,
        &server.call(
            "POST",
            &format!("{project}:export?include_models=none"),
            b"",
        ),
    );
    assert_eq!(job["state"], "finished", "{job}");
    let archive = server
        .get(job["metadata"]["download_url"].as_str().unwrap())
        .body;
    let file_id = upload(&server, &archive, 700);
    let path = format!("{}/projects:import", server.workspace());
    let job = finished(
        &server,
        &server.post(&path, &json!({"file_id": file_id, "project_name": "copy"})),
    );
    assert_eq!(job["state"], "finished", "{job}");
    let copy = server
        .get(&format!(
            "{}/projects/{}",
            server.workspace(),
            job["metadata"]["project_id"].as_str().unwrap()
        ))
        .json();
    assert_eq!(copy["name"], "copy");
    let copied = format!(
        "{}/projects/{}/datasets/{}",
        server.workspace(),
        copy["id"].as_str().unwrap(),
        copy["datasets"][0]["id"].as_str().unwrap()
    );
    let overview = server.get(&format!("{copied}/statistics")).json()["overview"].clone();
    assert_eq!(
        (&overview["images"], &overview["annotated_images"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn an_archive_that_is_none_fails_and_leaves_nothing() {
    let server = TestServer::start();
    let file_id = upload(&server, b"this is no zip file", 8);
    let path = format!("{}/projects:import", server.workspace());
    let job = finished(&server, &server.post(&path, &json!({"file_id": file_id})));
    assert_eq!(job["state"], "failed");
    let message = job["steps"][0]["message"].as_str().unwrap();
    assert!(message.contains("archive cannot be read"), "{message}");
    let projects = server
        .get(&format!("{}/projects", server.workspace()))
        .json();
    assert_eq!(projects["project_counts"], 0);
    let jobs = server
        .get(&format!("{}/jobs?limit=100", server.workspace()))
        .json();
    assert_eq!(jobs["jobs_count"]["n_failed_jobs"], 1);
    let unknown = server.post(&path, &json!({"file_id": "000000000000000000000000"}));
    assert_eq!(unknown.status, 404);
}

#[test]
fn training_is_refused_with_the_way_out() {
    let server = TestServer::start();
    let (project, _) = server.project();
    let answer = server.post(&format!("{project}:train"), &json!({"task_id": "x"}));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("import the deployment"));
}

/// Exports the dataset in a format; the zip file.
fn export(server: &TestServer, dataset: &str, format: &str) -> Vec<u8> {
    let path = format!(
        "{dataset}:prepare-for-export?export_format={format}&include_unannotated_media=true"
    );
    let job = finished(server, &server.call("POST", &path, b""));
    assert_eq!(job["state"], "finished", "{format}: {job}");
    let archive = server.get(job["metadata"]["download_url"].as_str().unwrap());
    assert_eq!(archive.header("content-type"), "application/zip");
    archive.body
}

#[test]
fn a_dataset_survives_export_and_import_in_every_format() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let labels = server.get(&project).json()["pipeline"]["tasks"][1]["labels"].clone();
    for (index, name) in ["a", "a", "../b"].iter().enumerate() {
        let image = server
            .upload(
                &dataset,
                &format!("{name}.png"),
                &png(64, 48 + index as u32),
            )
            .json();
        let (id, label) = (image["id"].as_str().unwrap(), &labels[index % 2]["id"]);
        let scene = json!({"annotations": [{"labels": [{"id": label, "probability": 1.0}],
            "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 64, "height": 48 + index}}],
            "media_identifier": {"type": "image", "image_id": id}});
        let answer = server.post(&format!("{dataset}/media/images/{id}/annotations"), &scene);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for format in ["coco", "datumaro", "voc", "yolo", "geti", "tree"] {
        let file_id = upload(&server, &export(&server, &dataset, format), 1 << 20);
        let path = format!(
            "{}/datasets:prepare-for-import?file_id={file_id}",
            server.workspace()
        );
        let job = finished(&server, &server.call("POST", &path, b""));
        assert_eq!(job["state"], "finished", "{format}: {job}");
        let kinds = &job["metadata"]["supported_project_types"];
        assert_eq!(
            kinds[0]["project_type"], "classification",
            "{format}: {job}"
        );
        let request = json!({"project_name": format, "task_type": "classification",
            "file_id": file_id, "labels": [{"name": "cat"}, {"name": "dog"}]});
        let path = format!("{}/projects:import-from-dataset", server.workspace());
        let job = finished(&server, &server.post(&path, &request));
        assert_eq!(job["state"], "finished", "{format}: {job}");
        let id = job["metadata"]["project_id"].as_str().unwrap();
        let copy = server.store.project(id).unwrap();
        let statistics = server.store.statistics(&copy.datasets[0].id).unwrap();
        assert_eq!(
            (statistics.images, statistics.annotated),
            (3, 3),
            "{format}"
        );
        let counts: Vec<_> = statistics
            .labels
            .iter()
            .map(|l| (l.name.as_str(), l.images))
            .collect();
        assert_eq!(counts, [("cat", 2), ("dog", 1)], "{format}");
    }
    assert!(!export(&server, &dataset, "straylight").is_empty());
    let unknown = server.call(
        "POST",
        &format!("{dataset}:prepare-for-export?export_format=x"),
        b"",
    );
    assert_eq!(unknown.status, 400);
}
