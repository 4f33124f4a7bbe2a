//! Imported deployments: what is said of them, their package, and predictions by both protocols.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use common::{TestServer, demo_deployment, png};
use serde_json::json;
use straylight_server::import_deployment;

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
    let refused = server.post(&format!("{project}/pipelines/active:explain"), &body);
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("no saliency maps"),
        "the caller is told why"
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
            .contains("straylight_hook_fired_total{hook=\"strays\"} 3\n")
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

/// The training images that the model sees most like an image are found, in parts.
#[test]
fn the_nearest_training_images_are_shown() {
    let server = TestServer::start();
    let record = import_deployment(&server.store, &demo_deployment()).unwrap();
    let project = server.store.project(&record.project_id).unwrap();
    let training = &project.datasets[0].id;
    let strays = server
        .store
        .get_or_create_dataset(&project.id, "OOD")
        .unwrap();
    let add = |dataset: &str, name: &str, (width, height)| {
        let bytes = png(width, height);
        let format = straylight_core::ImageFormat::Png;
        let new = straylight_store::NewImage::new(name, bytes.into(), format, (width, height));
        server
            .store
            .add_image(dataset, &new)
            .unwrap()
            .image()
            .id
            .clone()
    };
    let stray = add(&strays.id, "stray", (80, 40));
    let page = server.get(&format!("/images/{stray}")).text();
    assert!(page.contains(&format!("data-load=\"/images/{stray}/nearest\"")));
    let nearest = || server.get(&format!("/images/{stray}/nearest"));
    let none = nearest().text();
    assert!(none.contains("no image to compare with"), "{none}");
    // Of the same form, and then ever more upright: more than one request compares.
    let same = add(training, "same", (40, 20));
    let others: Vec<String> = (0..20)
        .map(|i| add(training, &format!("upright {i}"), (40, 50 + i)))
        .collect();
    let first = nearest().text();
    assert!(first.contains("data-more") && first.contains("5 images are not compared yet"));
    let second = nearest().text();
    assert!(!second.contains("data-more"), "{second}");
    let place = |id: &String| second.find(&format!("/thumbnails/{id}"));
    assert!(place(&same) < place(&others[0]) && place(&others[0]) < place(&others[1]));
    assert!(place(&others[4]).is_some() && place(&others[5]).is_none());
    assert!(!second.contains(&format!("/thumbnails/{stray}")));
    server.store.delete_deployment(&record.id).unwrap();
    assert!(nearest().text().contains("no deployment"));
}

/// Events that a hook gave up are on the page with their errors, as text.
#[test]
fn dead_letters_are_on_the_page() {
    let server = TestServer::start();
    assert!(
        server
            .get("/hooks")
            .text()
            .contains("No deployment with hooks")
    );
    let record = import_deployment(&server.store, &demo_deployment()).unwrap();
    let ready = server.get(&format!("/v2/models/{}/ready", record.id));
    assert_eq!(ready.status, 200, "{}", ready.text());
    let page = server.get("/hooks").text();
    assert!(page.contains("Given up by strays") && page.contains("the disk is full"));
    assert!(page.contains("&lt;i&gt;no such") && !page.contains("<i>no such"));
}
