//! Uploads, queries of media, and annotations.

#![allow(clippy::unwrap_used, clippy::panic, clippy::items_after_statements)]

mod common;

use common::{TestServer, png};
use serde_json::{Value, json};
use straylight_server::{Limits, Tls};

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
        // Far more than a socket holds: the answer arrives though nobody reads the file.
        Case("a.png", vec![0; 8 << 20], Some((413, "payload_too_large"))),
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
