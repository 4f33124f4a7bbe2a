//! The pages: what they show, and what the buttons do.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::TestServer;
use serde_json::{Value, json};
use straylight_core::{ImageFormat, Shape};
use straylight_server::create_token;
use straylight_store::{Collected, NewImage, Review, StoredAnnotation, StoredLabel};

struct Strays {
    server: TestServer,
    project: Value,
    /// Path of the page of the dataset.
    page: String,
    ids: Vec<String>,
}

/// A project with three strays of scores 0.2, 0.5 and 0.8.
fn strays() -> Strays {
    let server = TestServer::start();
    let (path, _) = server.project();
    let project = server.get(&path).json();
    let id = project["id"].as_str().unwrap().to_owned();
    let dataset = server.store.get_or_create_dataset(&id, "OOD").unwrap();
    let label = &project["pipeline"]["tasks"][1]["labels"][0];
    let bytes: Arc<[u8]> = common::png(64, 48).into();
    let add = |score: f64| {
        let mut new = NewImage::new(
            &format!("<b>{score}"),
            bytes.clone(),
            ImageFormat::Png,
            (64, 48),
        );
        new.source = Some(if score > 0.6 { "gate" } else { "<yard>" }.to_owned());
        new.collected = Some(Collected {
            hook: "strays".to_owned(),
            reason: format!("OOD score {score} is high"),
            ood_score: Some(score),
            ..Collected::default()
        });
        new.prediction = Some(vec![StoredAnnotation {
            id: String::new(),
            shape: Shape::whole_image(64, 48),
            labels: vec![StoredLabel {
                id: label["id"].as_str().unwrap().to_owned(),
                name: "cat".to_owned(),
                probability: 0.6,
            }],
        }]);
        server
            .store
            .add_image(&dataset.id, &new)
            .unwrap()
            .image()
            .id
            .clone()
    };
    let ids = [0.2, 0.5, 0.8].map(add).to_vec();
    let page = format!("/projects/{id}/datasets/{}", dataset.id);
    Strays {
        server,
        project,
        page,
        ids,
    }
}

#[test]
fn the_grid_shows_the_strangest_first_and_filters() {
    let s = strays();
    let grid = s.server.get(&s.page).text();
    let place = |id: &String| grid.find(&format!("/thumbnails/{id}")).unwrap();
    assert!(place(&s.ids[2]) < place(&s.ids[1]) && place(&s.ids[1]) < place(&s.ids[0]));
    assert!(
        grid.contains("&lt;b&gt;0.8") && !grid.contains("<b>0.8"),
        "names are escaped"
    );
    let high = s.server.get(&format!("{}?min=0.6", s.page)).text();
    assert!(high.contains(&s.ids[2]) && !high.contains(&s.ids[0]));
    let gate = s.server.get(&format!("{}?source=gate", s.page)).text();
    assert!(gate.contains(&s.ids[2]) && !gate.contains(&s.ids[0]));
    let yard = s
        .server
        .get(&format!("{}?source=%3Cyard%3E", s.page))
        .text();
    assert!(yard.contains(&s.ids[0]) && !yard.contains(&s.ids[2]) && !yard.contains("<yard>"));
    let none = s.server.get(&format!("{}?hook=other", s.page)).text();
    assert!(none.contains("No image matches"));
    let thumbnail = s.server.get(&format!("/thumbnails/{}", s.ids[0]));
    assert_eq!(thumbnail.header("content-type"), "image/jpeg");
}

#[test]
fn an_image_says_why_it_was_collected_and_leads_on() {
    let s = strays();
    let page = s.server.get(&format!("{}/view?at=1", s.page)).text();
    assert!(page.contains("OOD score 0.5 is high") && page.contains("2 of 3"));
    assert!(page.contains("at=0") && page.contains("at=2"));
    // The image that was dealt with stays at its place: the next one is shown.
    let next = s
        .server
        .get(&format!("{}/view?at=1&after={}", s.page, s.ids[1]))
        .text();
    assert!(next.contains("OOD score 0.2 is high"), "{next}");
    assert_eq!(s.server.get(&format!("{}/view?at=9", s.page)).status, 303);
    assert_eq!(s.server.get(&format!("{}/plots", s.page)).status, 200);
    assert_eq!(s.server.get("/images/000000000000000000000000").status, 404);
}

#[test]
fn decisions_are_kept_and_can_be_taken_back_in_order() {
    let s = strays();
    let id = &s.ids[0];
    let act = |what: &str, body: &Value| {
        let answer = s.server.post(&format!("/actions/images/{id}/{what}"), body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let image = || s.server.store.image(id).unwrap();
    let label = || {
        let scene = s.server.store.annotation(id).unwrap();
        scene.map(|scene| scene.annotations[0].labels[0].name.clone())
    };
    let dog = &s.project["pipeline"]["tasks"][1]["labels"][1]["id"];
    act("label", &json!({"label_id": dog}));
    assert_eq!(
        (label().as_deref(), image().review),
        (Some("dog"), Review::Accepted)
    );
    act("reject", &json!({}));
    assert_eq!(image().review, Review::Rejected);
    act("accept", &json!({}));
    assert_eq!(label().as_deref(), Some("cat"));
    act("train", &json!({}));
    assert_eq!(
        image().dataset_id,
        s.project["datasets"][0]["id"].as_str().unwrap()
    );
    let undo = || s.server.post("/actions/undo", &json!({})).json();
    assert_eq!(undo()["then"], format!("/images/{id}"));
    assert!(s.page.ends_with(&image().dataset_id));
    undo();
    assert_eq!(
        (label().as_deref(), image().review),
        (Some("dog"), Review::Rejected)
    );
    undo();
    undo();
    assert_eq!((label(), image().review), (None, Review::Open));
    assert_eq!(undo()["message"], "There is nothing to undo");
}

#[test]
fn everybody_takes_back_their_own_decisions() {
    let s = strays();
    let token = create_token(&s.server.store, "other", None).unwrap();
    let other = [
        ("x-api-key", token.reveal()),
        ("x-geti-csrf-protection", "1"),
    ];
    let undo_of_other = || {
        let answer = s.server.send("POST", "/actions/undo", &other, b"{}");
        answer.json()["message"].as_str().unwrap().to_owned()
    };
    let reject = |id: &str| format!("/actions/images/{id}/reject");
    s.server.post(&reject(&s.ids[0]), &json!({}));
    assert_eq!(undo_of_other(), "There is nothing to undo");
    s.server.send("POST", &reject(&s.ids[0]), &other, b"{}");
    let mine = s.server.post("/actions/undo", &json!({})).json();
    assert!(
        mine["message"]
            .as_str()
            .unwrap()
            .starts_with("Somebody else")
    );
    assert_eq!(undo_of_other(), "The last decision is undone");
}

#[test]
fn wrong_decisions_are_refused() {
    let s = strays();
    let path = format!("/actions/images/{}", s.ids[0]);
    assert_eq!(
        s.server
            .post(&format!("{path}/label"), &json!({"label_id": "x"}))
            .error(),
        (404, "label_not_found".into())
    );
    assert_eq!(
        s.server.post(&format!("{path}/fly"), &json!({})).status,
        400
    );
    assert_eq!(
        s.server.post("/actions/images/x/reject", &json!({})).status,
        404
    );
}
