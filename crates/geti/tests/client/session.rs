//! Sessions, projects, datasets and jobs, with the requests that they make.

use std::time::Duration;

use straylight_core::{NoProgress, TaskType};
use straylight_geti::{CachePolicy, ErrorKind, Geti, ProjectPlan, TaskPlan, wire};

use crate::common::{connect, png};
use crate::stub::{self, workspace};

pub const VERSION: &str = "2.13.0";

/// The calls with the workspace's path written `{W}` and identifiers written `{id}`.
pub fn short(calls: Vec<String>) -> Vec<String> {
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

pub fn pets(geti: &Geti) -> wire::Project {
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
    assert_eq!(
        prediction.predictions[0].labels[0].probability.to_string(),
        "0.5"
    );
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
