//! The shapes, statuses and error codes of the REST API.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use common::{TestServer, demo_deployment, new_project, png};
use serde_json::{Value, json};
use straylight_server::{Limits, Tls, import_deployment};

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

#[test]
fn uploads_are_checked_by_name_size_and_content() {
    let mut limits = Limits::default();
    limits.image_bytes = 100_000;
    limits.image_pixels = 1_000_000;
    let server = TestServer::with(limits, Tls::Off);
    let (_, dataset) = server.project();
    let good = png(64, 48);
    let invalid = Some((415, "invalid_media"));
    struct Case(&'static str, Vec<u8>, Option<(u16, &'static str)>);
    for Case(name, bytes, error) in [
        Case("a.png", good.clone(), None),
        Case("Küste ☂.PNG", good.clone(), None),
        Case("wrong-extension.jpg", good.clone(), None),
        Case("a.exe", good.clone(), invalid),
        Case("a", good.clone(), invalid),
        Case(".png", good.clone(), invalid),
        Case("a.png", b"no image".to_vec(), invalid),
        Case("a.png", good[..40].to_vec(), invalid),
        Case("a.png", Vec::new(), invalid),
        Case("a.png", png(31, 48), invalid),
        Case("a.png", png(1200, 1200), invalid),
        Case("a.png", vec![0; 300_000], Some((413, "payload_too_large"))),
    ] {
        let answer = server.upload(&dataset, name, &bytes);
        match error {
            None => {
                let media = answer.json();
                assert_eq!(media["media_information"]["width"], 64, "{name}");
                let url = media["media_information"]["display_url"].as_str().unwrap();
                assert!(url.ends_with("/display/full"));
                assert_eq!(server.get(url).body, bytes);
                assert_eq!(
                    server
                        .get(media["thumbnail"].as_str().unwrap())
                        .header("content-type"),
                    "image/jpeg"
                );
            }
            Some((status, code)) => assert_eq!(answer.error(), (status, code.to_owned()), "{name}"),
        }
    }
    let video = server.call("POST", &format!("{dataset}/media/videos"), b"");
    assert_eq!(video.error(), (415, "invalid_media".to_owned()));
}

#[test]
fn media_queries_page_sort_and_refuse_what_they_do_not_know() {
    let server = TestServer::start();
    let (_, dataset) = server.project();
    for index in [3, 1, 4, 2, 0] {
        server.upload(
            &dataset,
            &format!("image_{index}.png"),
            &png(40 + index, 40),
        );
    }
    let images = json!({"condition": "and", "rules": [{"field": "media_type", "operator": "equal", "value": "IMAGE"}]});
    let mut path = format!("{dataset}/media:query?limit=2");
    let mut names = Vec::new();
    for _ in 0..10 {
        let page = server.post(&path, &images).json();
        assert_eq!(
            (
                page["total_matched_images"].as_u64(),
                page["total_images"].as_u64()
            ),
            (Some(5), Some(5))
        );
        names.extend(
            page["media"]
                .as_array()
                .unwrap()
                .iter()
                .map(|m| m["name"].as_str().unwrap().to_owned()),
        );
        match page["next_page"].as_str() {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!(
        names,
        ["image_0", "image_1", "image_2", "image_3", "image_4"]
    );
    let videos = json!({"rules": [{"field": "MEDIA_TYPE", "operator": "EQUAL", "value": "video"}]});
    let page = server
        .post(&format!("{dataset}/media:query"), &videos)
        .json();
    assert_eq!(
        (
            page["media"].as_array().unwrap().len(),
            &page["total_matched_videos"]
        ),
        (0, &json!(0))
    );
    let wide = server
        .post(
            &format!("{dataset}/media:query?sort_by=media_width&sort_direction=dsc"),
            &json!({}),
        )
        .json();
    assert_eq!(wide["media"][0]["name"], "image_4");
    let strange = json!({"rules": [{"field": "X", "operator": "EQUAL", "value": 1}]});
    assert_eq!(
        server
            .post(&format!("{dataset}/media:query"), &strange)
            .error(),
        (400, "invalid_filter".into())
    );
    assert_eq!(
        server
            .post(&format!("{dataset}/media:query?limit=1001"), &json!({}))
            .status,
        400
    );
    assert_eq!(
        server
            .post(&format!("{dataset}/media:query?sort_by=x"), &json!({}))
            .status,
        400
    );
}

#[test]
fn annotations_have_exactly_the_keys_that_the_sdk_takes() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let label = server.get(&project).json()["pipeline"]["tasks"][1]["labels"][0]["id"].clone();
    let id = server.upload(&dataset, "a.png", &png(64, 48)).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{dataset}/media/images/{id}/annotations");
    let none = server.get(&format!("{path}/latest"));
    assert_eq!((none.status, none.body.len()), (204, 0));
    let scene = |image: &str, width: u32| {
        json!({
        "annotations": [{"labels": [{"id": label, "probability": 1.0, "name": "cat"}],
                         "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": width, "height": 48}}],
        "media_identifier": {"type": "image", "image_id": image}})
    };
    assert_eq!(server.post(&path, &scene(&id, 63)).status, 400);
    assert_eq!(
        server
            .post(&path, &scene("000000000000000000000000", 64))
            .status,
        400
    );
    let stored = server.post(&path, &scene(&id, 64)).json();
    assert_eq!(server.get(&format!("{path}/latest")).json(), stored);
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&stored),
        [
            "annotation_state_per_task",
            "annotations",
            "id",
            "kind",
            "labels_to_revisit_full_scene",
            "media_identifier",
            "modified"
        ]
    );
    let annotation = &stored["annotations"][0];
    assert_eq!(
        keys(annotation),
        ["id", "labels", "labels_to_revisit", "modified", "shape"]
    );
    assert_eq!(
        keys(&annotation["labels"][0]),
        ["id", "probability", "source"]
    );
    assert_eq!(annotation["shape"]["width"].to_string(), "64");
    let statistics = server.get(&format!("{dataset}/statistics")).json();
    assert_eq!(statistics["overview"]["annotated_images"], 1);
}

#[test]
fn an_imported_deployment_is_listed_packed_and_asked() {
    let server = TestServer::start();
    let record = import_deployment(&server.store, &demo_deployment()).unwrap();
    let project = format!("{}/projects/{}", server.workspace(), record.project_id);
    let groups = server.get(&format!("{project}/model_groups")).json();
    let group = &groups["model_groups"][0];
    assert_eq!(group["models"][0]["active_model"], true);
    let algorithms = server
        .get(&format!("{project}/supported_algorithms"))
        .json();
    assert_eq!(
        algorithms["supported_algorithms"][0]["model_manifest_id"],
        group["model_template_id"]
    );
    let (group, model) = (
        group["id"].as_str().unwrap(),
        group["models"][0]["id"].as_str().unwrap(),
    );
    let detail = server
        .get(&format!("{project}/model_groups/{group}/models/{model}"))
        .json();
    let optimized = detail["optimized_models"][0]["id"].as_str().unwrap();
    let path = format!("{project}/deployment_package:download");
    let models = json!([{"model_id": optimized, "model_group_id": group}]);
    let zip = server.post(
        &path,
        &json!({"package_type": "geti_sdk", "models": models}),
    );
    assert_eq!(
        (zip.status, zip.header("content-type")),
        (200, "application/zip")
    );
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip.body)).unwrap();
    assert!(
        archive
            .by_name("deployment/Classification task/model/model.xml")
            .is_ok()
    );
    assert!(archive.by_name("deployment/hook_config.json").is_err());
    assert_eq!(server.post(&path, &json!({"models": models})).status, 422);
    let unknown = json!([{"model_id": "000000000000000000000000", "model_group_id": group}]);
    let unknown = server.post(
        &path,
        &json!({"package_type": "geti_sdk", "models": unknown}),
    );
    assert_eq!(unknown.error(), (404, "model_not_found".to_owned()));
    predict_both_ways(&server, &project);
}

fn predict_both_ways(server: &TestServer, project: &str) {
    let dataset = server.get(project).json()["datasets"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let image = server
        .upload(
            &format!("{project}/datasets/{dataset}"),
            "a.png",
            &png(64, 48),
        )
        .json();
    let body = json!({"image_id": image["id"], "dataset_id": dataset});
    let answer = server
        .post(
            &format!("{project}/pipelines/active:predict?use_cache=auto"),
            &body,
        )
        .json();
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["created", "media_identifier", "predictions"]);
    let probability = answer["predictions"][0]["labels"][0]["probability"]
        .as_f64()
        .unwrap();
    assert!((probability - 0.64).abs() < 1e-6);
    let stored = server
        .store
        .prediction(image["id"].as_str().unwrap())
        .unwrap();
    assert_eq!(stored.unwrap().annotations.len(), 1);
    let failed = server.post(&format!("{project}/pipelines/active:explain"), &body);
    assert_eq!(failed.status, 500);
    assert!(
        !failed.text().contains("saliency"),
        "the cause stays in the log"
    );
}

#[test]
fn inference_speaks_the_open_protocol() {
    let server = TestServer::start();
    let record = import_deployment(&server.store, &demo_deployment()).unwrap();
    let path = format!("/v2/models/{}", record.id);
    assert_eq!(server.get(&path).json()["inputs"][0]["name"], "image");
    assert_eq!(server.get(&format!("{path}/ready")).json()["ready"], true);
    let image = base64_of(&png(50, 40));
    let request = json!({"id": "7", "inputs": [
        {"name": "image", "datatype": "BYTES", "shape": [2], "data": [image, image]}]});
    // KServe clients know no such header; the token is proof enough.
    let headers = [("x-api-key", server.token.as_str())];
    let answer = server.send(
        "POST",
        &format!("{path}/infer"),
        &headers,
        request.to_string().as_bytes(),
    );
    let answer = answer.json();
    assert_eq!(
        (answer["id"].as_str(), answer["model_name"].as_str()),
        (Some("7"), Some(record.id.as_str()))
    );
    let output = |name: &str| {
        let outputs = answer["outputs"].as_array().unwrap();
        outputs.iter().find(|o| o["name"] == name).unwrap()["data"].clone()
    };
    assert_eq!(output("ood_score"), json!([0.25, 0.25]));
    assert_eq!(output("probability"), json!([0.5, 0.5]));
    assert_eq!(output("hooks"), json!(["strays", "strays"]));
    let pixels = json!({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 2, 3], "data": [1, 2, 3, 4, 5, 6]}]});
    assert_eq!(
        server
            .post(&format!("{path}/versions/1/infer"), &pixels)
            .status,
        200
    );
    for bad in [
        json!({"inputs": []}),
        json!({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 2, 3], "data": [1]}]}),
        json!({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 2, 3], "data": [1, 2, 3, 4, 5, 256]}]}),
        json!({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["%"]}]}),
        json!({"inputs": [{"name": "image", "datatype": "FP32", "shape": [1], "data": [1]}]}),
    ] {
        assert_eq!(
            server.post(&format!("{path}/infer"), &bad).status,
            400,
            "{bad}"
        );
    }
    assert!(
        server
            .get("/metrics")
            .text()
            .contains(r#"hook="strays",outcome="fired"} 3"#)
    );
    assert_eq!(
        server.get("/v2/models/nothing").error(),
        (404, "model_not_found".to_owned())
    );
}

/// Base64 by hand, so that the test does not share the server's code.
fn base64_of(bytes: &[u8]) -> String {
    let digits: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['+', '/'])
        .collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = (0..3).fold(0_usize, |n, i| {
            n << 8 | usize::from(*chunk.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            text.push(if i <= chunk.len() {
                digits[n >> (18 - 6 * i) & 63]
            } else {
                '='
            });
        }
    }
    text
}
