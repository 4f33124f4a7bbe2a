//! Whole flows against a small server in memory, with the requests that they make.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::{Cursor, Write};
use std::time::Duration;

use common::stub::{self, workspace};
use common::{connect, jpeg, png};
use serde_json::json;
use straylight_core::{NoProgress, TaskType};
use straylight_geti::{
    CachePolicy, ClassFolders, DownloadOptions, ErrorKind, Geti, ProjectDownload, ProjectPlan,
    ProjectUpload, Rendition, TaskPlan, image_annotation, wire,
};

const VERSION: &str = "2.13.0";

/// The calls with the workspace's path written `{W}` and identifiers written `{id}`.
fn short(calls: Vec<String>) -> Vec<String> {
    let is_id = |part: &str| part.len() == 24 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let short = |call: String| {
        let call = call.replace(&workspace(), "{W}");
        let parts = call
            .split('/')
            .map(|part| if is_id(part) { "{id}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    calls.into_iter().map(short).collect()
}

fn pets(geti: &Geti) -> wire::Project {
    let plan = ProjectPlan::single(
        "pets",
        TaskPlan::new(TaskType::Classification, ["cat", "dog"]),
    );
    geti.create_project(&plan.request(geti.version()).unwrap())
        .unwrap()
}

#[test]
fn a_session_asks_who_and_where_it_is() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    assert_eq!(geti.workspace_id(), stub::WORKSPACE);
    assert_eq!(
        server.take_calls(),
        [
            "GET /api/v1/product_info".to_owned(),
            "GET /api/v1/personal_access_tokens/organization".to_owned(),
            format!(
                "GET /api/v1/organizations/{}/workspaces",
                stub::ORGANIZATION
            ),
        ]
    );
}

#[test]
fn a_workspace_that_is_known_is_not_asked_for() {
    let (server, _state) = stub::start(VERSION);
    let mut details = server.details();
    details.workspace_id = Some(stub::WORKSPACE.to_owned());
    Geti::connect(&details).unwrap();
    assert_eq!(server.take_calls().len(), 2);
}

#[test]
fn projects_are_created_found_and_deleted() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    server.take_calls();
    let project = pets(&geti);
    assert_eq!(
        short(server.take_calls()),
        ["POST {W}/projects", "GET {W}/projects/{id}/status"]
    );
    assert_eq!(geti.project_named("pets").unwrap().unwrap().id, project.id);
    assert_eq!(
        short(server.take_calls()),
        ["GET {W}/projects?limit=50&skip=0", "GET {W}/projects/{id}"]
    );
    assert!(geti.project_named("birds").unwrap().is_none());
    pets(&geti);
    assert_eq!(
        geti.project_named("pets").unwrap_err().kind(),
        ErrorKind::Conflict
    );
    geti.delete_project(&project.id).unwrap();
    geti.delete_project(&project.id).unwrap();
    let error = geti.project(&project.id).unwrap_err();
    assert_eq!(error.error_code(), Some("project_not_found"));
    assert_eq!(error.request().unwrap().0, "GET");
}

#[test]
fn datasets_are_found_or_created() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = geti.at(&pets(&geti).id);
    server.take_calls();
    let created = project.ensure_dataset("strays").unwrap();
    assert_eq!(
        short(server.take_calls()),
        [
            "GET {W}/projects/{id}/datasets",
            "POST {W}/projects/{id}/datasets"
        ]
    );
    assert_eq!(project.ensure_dataset("strays").unwrap(), created);
    assert_eq!(
        short(server.take_calls()),
        ["GET {W}/projects/{id}/datasets"]
    );
    let error = project.create_dataset("strays").unwrap_err();
    assert!(error.is(wire::ErrorCode::DatasetAlreadyExists));
    assert!(project.training_dataset().unwrap().use_for_training);
}

#[test]
fn images_go_up_and_come_down_unchanged() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let dataset = geti
        .at(&project.id)
        .dataset(&project.datasets.unwrap()[0].id);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b.JPG"), jpeg("b")).unwrap();
    fs::write(folder.path().join("Vögel \"1\".png"), png("c")).unwrap();
    fs::write(folder.path().join("no-extension"), png("d")).unwrap();
    fs::write(folder.path().join("notes.jpg"), b"text").unwrap();

    dataset.upload_image(png("a"), "from memory.jpg").unwrap();
    server.take_calls();
    let upload = dataset
        .upload_image_folder(folder.path(), &NoProgress)
        .unwrap();
    assert_eq!(upload.ignored, [folder.path().join("notes.jpg")]);
    assert_eq!(upload.transfer.all().unwrap().len(), 3);
    let calls = short(server.take_calls());
    assert_eq!(
        calls[0],
        "POST {W}/projects/{id}/datasets/{id}/media:query?limit=100"
    );
    assert_eq!(
        calls[1..],
        ["POST {W}/projects/{id}/datasets/{id}/media/images"; 3]
    );

    let again = dataset
        .upload_image_folder(folder.path(), &NoProgress)
        .unwrap();
    assert_eq!((again.transfer.skipped, again.transfer.done.len()), (3, 0));
    let images = dataset.images().unwrap();
    let mut names: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
    names.sort_unstable();
    // Quotes are escaped on the wire, and not every server takes that back.
    assert!(names.contains(&"Vögel %221%22"), "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "b").count(), 1);
    assert!(names.contains(&"from memory") && names.contains(&"no-extension"));
}

#[test]
fn downloads_have_true_extensions_and_go_on_where_they_stopped() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let dataset = geti
        .at(&project.id)
        .dataset(&project.datasets.unwrap()[0].id);
    dataset.upload_image(png("1"), "a.jpg").unwrap();
    dataset.upload_image(jpeg("2"), "../b/c").unwrap();
    dataset.upload_image(jpeg("3"), "same").unwrap();
    dataset.upload_image(png("4"), "Same").unwrap();
    let images = dataset.images().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = DownloadOptions::default();
    let files = dataset
        .download_images(&images, folder.path(), options, &NoProgress)
        .unwrap();
    assert_eq!(files.all().unwrap().len(), 4);
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let (same, other) = (&images[2].id, &images[3].id);
    let (same, other) = (format!("same_{same}.jpg"), format!("Same_{other}.png"));
    assert_eq!(names, [other.as_str(), "_b_c.jpg", "a.png", &same]);
    assert_eq!(fs::read(folder.path().join("a.png")).unwrap(), png("1"));

    fs::remove_file(folder.path().join("a.png")).unwrap();
    server.take_calls();
    let files = dataset
        .download_images(&images, folder.path(), options, &NoProgress)
        .unwrap();
    assert_eq!((files.done.len(), files.skipped), (1, 3));
    assert_eq!(server.take_calls().len(), 1);

    let thumbnail = dataset
        .download_image(&images[0], Rendition::Thumbnail)
        .unwrap();
    assert_eq!(thumbnail, jpeg("thumb"));
    assert!(server.take_calls()[0].ends_with("/display/thumb"));
}

#[test]
fn annotations_are_posted_read_appended_and_downloaded() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let labels = project.pipeline.tasks[1].labels();
    let dataset = geti
        .at(&project.id)
        .dataset(&project.datasets.as_ref().unwrap()[0].id);
    let image = dataset.upload_image(png("1"), "a.png").unwrap();
    let bare = dataset.upload_image(png("2"), "b.png").unwrap();
    assert!(dataset.annotation(&image.id).unwrap().is_none());
    dataset
        .annotate(&image.id, vec![image_annotation(&labels[0].id, &image)])
        .unwrap();
    let sent = server.requests().pop().unwrap().json();
    assert_eq!(
        sent,
        json!({"annotations": [{"labels": [{"id": labels[0].id, "probability": 1.0}],
            "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 64, "height": 48}}],
            "media_identifier": {"type": "image", "image_id": image.id}})
    );
    let scene = dataset
        .append_annotations(&image.id, vec![image_annotation(&labels[1].id, &image)])
        .unwrap();
    assert_eq!(scene.annotations.len(), 1);
    assert_eq!(scene.annotations[0].labels.len(), 2);

    let folder = tempfile::tempdir().unwrap();
    let files = dataset
        .download_annotations(&[image, bare], &project, folder.path(), &NoProgress)
        .unwrap();
    assert_eq!((files.done.len(), files.skipped), (1, 1));
    let text = fs::read_to_string(folder.path().join("annotations/a.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written["annotations"][0]["labels"][0]["name"], "cat");
    assert!(!text.contains("\"id\""), "{text}");
}

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
fn predictions_statistics_and_status_are_read() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let dataset = &project.datasets.as_ref().unwrap()[0];
    let api = geti.at(&project.id);
    let image = api
        .dataset(&dataset.id)
        .upload_image(png("1"), "a.png")
        .unwrap();
    let prediction = api
        .predict(&dataset.id, &image.id, CachePolicy::Auto)
        .unwrap()
        .unwrap();
    assert_eq!(prediction.predictions[0].labels[0].probability, 0.5);
    assert!(
        server
            .take_calls()
            .pop()
            .unwrap()
            .ends_with("active:predict?use_cache=auto")
    );
    assert!(api.predict_image(png("2")).unwrap().is_some());
    assert!(
        server
            .take_calls()
            .pop()
            .unwrap()
            .ends_with("active:predict")
    );
    assert_eq!(
        api.dataset(&dataset.id)
            .statistics()
            .unwrap()
            .overview
            .images,
        1
    );
    assert!(!api.status().unwrap().is_training);
    assert!(geti.jobs(Some(&project.id)).unwrap().is_empty());
}

#[test]
fn a_training_is_started_and_waited_for() {
    let (server, _state) = stub::start(VERSION);
    let (geti, clock) = connect(&server);
    let project = pets(&geti);
    let request = wire::TrainRequest {
        task_id: project.pipeline.tasks[1].id.clone(),
        train_from_scratch: false,
        model_template_id: None,
        hyper_parameters: None,
    };
    let job = geti.at(&project.id).train(&request).unwrap();
    let job = geti
        .wait_for_job(&job, Duration::from_secs(60), &NoProgress)
        .unwrap();
    assert!(job.state.is(&wire::JobState::Finished));
    // Unknown at first, then running: two waits, none of them real.
    assert_eq!(clock.sleeps(), [Duration::from_secs(2); 2]);
}

#[test]
fn a_project_is_made_of_class_folders() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let root = tempfile::tempdir().unwrap();
    for path in ["cat/1.png", "cat/2.png", "dog/1.png"] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, png(&path.display().to_string())).unwrap();
    }
    server.take_calls();
    let folders = ClassFolders::read(root.path()).unwrap();
    let (project, images) = geti
        .create_project_from_folders("pets", &folders, true, &NoProgress)
        .unwrap();
    let images = images.all().unwrap();
    assert_eq!(images.len(), 3);
    let calls = short(server.take_calls());
    assert_eq!(
        calls[..4],
        [
            "POST {W}/projects",
            "GET {W}/projects/{id}/status",
            "GET {W}/projects/{id}/project_configuration",
            "PATCH {W}/projects/{id}/project_configuration",
        ]
    );
    let dataset = geti
        .at(&project.id)
        .dataset(&project.datasets.as_ref().unwrap()[0].id);
    let scene = dataset.annotation(&images[2].id).unwrap().unwrap();
    let dog = &project.pipeline.tasks[1].labels()[1];
    assert_eq!(dog.name, "dog");
    assert_eq!(scene.annotations[0].labels[0].id.as_ref(), Some(&dog.id));
}

#[test]
fn a_project_that_was_downloaded_can_be_uploaded_again() {
    let (server, _state) = stub::start(VERSION);
    let (geti, _) = connect(&server);
    let project = pets(&geti);
    let cat = &project.pipeline.tasks[1].labels()[0].id;
    let api = geti.at(&project.id);
    let training = api.dataset(&project.datasets.as_ref().unwrap()[0].id);
    let strays = api.dataset(&api.ensure_dataset("strays / 1").unwrap().id);
    let image = training.upload_image(png("1"), "a.png").unwrap();
    training
        .annotate(&image.id, vec![image_annotation(cat, &image)])
        .unwrap();
    strays.upload_image(jpeg("2"), "a.jpg").unwrap();

    let folder = tempfile::tempdir().unwrap();
    let options = ProjectDownload::default();
    let downloaded = api
        .download_to(folder.path(), options, &NoProgress)
        .unwrap();
    assert_eq!(
        (
            downloaded.media.done.len(),
            downloaded.annotations.done.len()
        ),
        (2, 1)
    );
    let again = api
        .download_to(folder.path(), options, &NoProgress)
        .unwrap();
    assert_eq!(again.media.skipped, 2);

    let taken = geti.upload_project(folder.path(), &ProjectUpload::default(), &NoProgress);
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::Conflict);
    let options = ProjectUpload {
        name: Some("copy".to_owned()),
        auto_training: false,
    };
    let uploaded = geti
        .upload_project(folder.path(), &options, &NoProgress)
        .unwrap();
    assert_eq!(
        (uploaded.media.done.len(), uploaded.annotations.done.len()),
        (2, 1)
    );
    let api = geti.at(&uploaded.project.id);
    let names: Vec<String> = api
        .datasets()
        .unwrap()
        .into_iter()
        .map(|d| d.name)
        .collect();
    assert_eq!(names, ["Dataset", "strays / 1"]);
    let training = api.dataset(&api.training_dataset().unwrap().id);
    let image = &training.images().unwrap()[0];
    let scene = training.annotation(&image.id).unwrap().unwrap();
    let cat = &uploaded.project.pipeline.tasks[1].labels()[0].id;
    assert_eq!(scene.annotations[0].labels[0].id.as_ref(), Some(cat));
    assert_eq!(
        training.download_image(image, Rendition::Full).unwrap(),
        png("1")
    );
}
