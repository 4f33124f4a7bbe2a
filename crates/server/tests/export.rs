//! What the REST API exports of a dataset.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::time::{Duration, Instant};

use common::TestServer;
use serde_json::{Value, json};
use straylight_core::TaskType;
use straylight_core::{ImageFormat, RgbImage, Shape};
use straylight_server::ServerConfig;
use straylight_store::{
    Collected, Decision, NewImage, NewProject, NewVideo, StoredAnnotation, StoredLabel, VideoFormat,
};

/// A detection with eight images; their identifiers, and the path of the dataset.
fn strays() -> (TestServer, String, Vec<String>) {
    let server =
        TestServer::configured(ServerConfig::default().with_tls(straylight_server::Tls::Off));
    let new = NewProject::single("parts", TaskType::Detection, &["nut", "bolt"]);
    let project = server.store.create_project(&new).unwrap();
    let dataset = &project.datasets[0].id;
    let ids = (0..8).map(|index| {
        let mut image = NewImage::new(
            &format!("stray {index}"),
            picture(index).into(),
            ImageFormat::Png,
            (64, 48),
        );
        let hook = if index < 6 { "strays" } else { "others" };
        image.collected = Some(Collected {
            hook: hook.to_owned(),
            ood_score: Some(f64::from(index) / 10.0),
            ..Collected::default()
        });
        server
            .store
            .add_image(dataset, &image)
            .unwrap()
            .image()
            .id
            .clone()
    });
    let ids: Vec<String> = ids.collect();
    let path = format!(
        "{}/projects/{}/datasets/{dataset}",
        server.workspace(),
        project.id
    );
    (server, path, ids)
}

/// Pictures that do not look alike.
fn picture(index: u32) -> Vec<u8> {
    let mut data = Vec::new();
    for y in 0..48_u32 {
        for x in 0..64_u32 {
            let cell = (x / 8) * 31 + (y / 8) * 17 + index * 7;
            data.extend([(cell * cell * (index + 3) % 251) as u8; 3]);
        }
    }
    let image = RgbImage::new(64, 48, data).unwrap();
    straylight_image::encode_png(&image).unwrap()
}

fn annotate(server: &TestServer, id: &str, label: usize, shape: Shape) {
    let project = server.store.projects_named("parts").unwrap().remove(0);
    let label = &project.pipeline.tasks[1].labels[label];
    let labels = vec![StoredLabel {
        id: label.id.clone(),
        name: label.name.clone(),
        probability: 1.0,
    }];
    let annotation = StoredAnnotation {
        id: String::new(),
        shape,
        labels,
    };
    server.store.set_annotation(id, &[annotation]).unwrap();
}

fn rectangle() -> Shape {
    Shape::Rectangle {
        x: 16.0,
        y: 12.0,
        width: 32.0,
        height: 24.0,
    }
}

/// The job's end, and the files of the archive that it made.
fn export(server: &TestServer, dataset: &str, query: &str) -> (Value, BTreeMap<String, String>) {
    let answer = server.call(
        "POST",
        &format!("{dataset}:prepare-for-export?{query}"),
        b"",
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["job_id"].as_str().unwrap().to_owned();
    let started = Instant::now();
    let job = loop {
        let job = server
            .get(&format!("{}/jobs/{id}", server.workspace()))
            .json();
        if job["state"] != "running" {
            break job;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{job}");
        std::thread::yield_now();
    };
    let mut files = BTreeMap::new();
    if let Some(url) = job["metadata"]["download_url"].as_str() {
        let mut zip = zip::ZipArchive::new(Cursor::new(server.get(url).body)).unwrap();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    (job, files)
}

#[test]
fn an_export_holds_what_is_decided_and_says_what_it_does_not() {
    let (server, dataset, ids) = strays();
    annotate(&server, &ids[0], 1, rectangle());
    // Nothing on it: the platform's own label says so.
    annotate(&server, &ids[1], 2, Shape::whole_image(64, 48));
    annotate(&server, &ids[2], 0, rectangle());
    server
        .store
        .decide("me", &ids[2], &Decision::Reject)
        .unwrap();
    server
        .store
        .decide("me", &ids[3], &Decision::Reject)
        .unwrap();
    let (job, files) = export(&server, &dataset, "export_format=yolo");
    let facts = &job["metadata"];
    assert_eq!(
        (&facts["images"], &facts["objects"]),
        (&json!(2), &json!(1)),
        "{job}"
    );
    assert_eq!(
        facts["left_out"],
        json!({"rejected": 2, "unlabelled": 4, "frames": 0})
    );
    let message = facts["message"].as_str().unwrap();
    assert!(
        message.contains("4 that nobody has labelled, 2 that were rejected"),
        "{message}"
    );
    assert_eq!(files["labels/default/stray 0.txt"], "1 0.5 0.5 0.5 0.5\n");
    assert_eq!(files["labels/default/stray 1.txt"], "");
    assert!(files["data.yaml"].ends_with("nc: 2\nnames:\n  0: \"nut\"\n  1: \"bolt\"\n"));
    let all = export(
        &server,
        &dataset,
        "export_format=yolo&include_unannotated_media=true",
    )
    .1;
    assert_eq!(
        all.keys()
            .filter(|name| name.starts_with("images/"))
            .count(),
        6
    );
}

#[test]
fn the_filters_of_the_page_are_honoured_and_what_is_no_filter_is_refused() {
    let (server, dataset, ids) = strays();
    for id in &ids {
        annotate(&server, id, 0, rectangle());
    }
    let images = |query: &str| {
        let files = export(&server, &dataset, &format!("export_format=coco&{query}")).1;
        files
            .keys()
            .filter(|name| name.starts_with("images/"))
            .count()
    };
    assert_eq!(images("hook=others"), 2);
    assert_eq!(images("hook=strays&min=0.25&max=0.45"), 2);
    assert_eq!(images("name=stray%207&sort=name"), 1);
    assert_eq!(images("label=nut"), 8);
    let (job, files) = export(&server, &dataset, "export_format=coco&label=bolt");
    assert_eq!((&job["state"], files.len()), (&json!("failed"), 0), "{job}");
    assert!(
        job["steps"][0]["message"]
            .as_str()
            .unwrap()
            .contains("No image"),
        "{job}"
    );
    for wrong in [
        "min=low",
        "review=maybe",
        "annotated=perhaps",
        "split=80/90",
        "yolo_task=x",
        "include_unannotated_media=perhaps",
    ] {
        let path = format!("{dataset}:prepare-for-export?export_format=coco&{wrong}");
        assert_eq!(server.call("POST", &path, b"").status, 400, "{wrong}");
    }
}

#[test]
fn frames_and_videos_that_do_not_come_along_are_counted() {
    let (server, dataset, ids) = strays();
    annotate(&server, &ids[0], 0, rectangle());
    let id = dataset.rsplit('/').next().unwrap();
    let file = server.store.pending_file().unwrap();
    let video = NewVideo {
        name: "clip".to_owned(),
        format: VideoFormat::Mp4,
        width: 64,
        height: 48,
        frame_count: 10,
        frame_rate: 5.0,
        duration: 2.0,
    };
    let video = server.store.add_video(id, &video, &file).unwrap();
    for frame in [3, 7] {
        let store = &server.store;
        store.set_frame_annotation(&video.id, frame, &[]).unwrap();
    }
    let message = |query: &str| {
        let (job, _) = export(&server, &dataset, query);
        job["metadata"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let files = message("export_format=coco");
    assert!(files.contains("2 that are frames of videos"), "{files}");
    let archive = message("export_format=straylight&hook=strays");
    assert!(archive.contains("videos left out: 1"), "{archive}");
    assert_eq!(message("export_format=straylight"), "");
}

#[test]
fn a_split_is_the_same_each_time() {
    let (server, dataset, ids) = strays();
    for id in &ids {
        annotate(&server, id, 0, rectangle());
    }
    let names = |query: &str| -> Vec<String> {
        let files = export(&server, &dataset, &format!("export_format=yolo&{query}")).1;
        files
            .into_keys()
            .filter(|name| name.starts_with("images/"))
            .collect()
    };
    let first = names("split=50/25/25");
    assert_eq!(first, names("split=50/25/25"));
    let count = |part: &str| first.iter().filter(|name| name.contains(part)).count();
    assert_eq!(
        [count("/train/"), count("/val/"), count("/test/")],
        [4, 2, 2],
        "{first:?}"
    );
    assert_ne!(first, names("split=50/25/25&seed=3"));
}

#[test]
fn rejected_images_are_found_by_a_rule_and_survive_an_archive() {
    let (server, dataset, ids) = strays();
    server
        .store
        .decide("me", &ids[5], &Decision::Reject)
        .unwrap();
    let rules = json!({"rules": [{"field": "REVIEW", "operator": "EQUAL", "value": "rejected"}]});
    let found = server
        .post(&format!("{dataset}/media:query"), &rules)
        .json();
    assert_eq!(
        (&found["total_matched_images"], &found["media"][0]["id"]),
        (&json!(1), &json!(ids[5]))
    );
    let wrong = json!({"rules": [{"field": "REVIEW", "operator": "EQUAL", "value": "maybe"}]});
    assert_eq!(
        server
            .post(&format!("{dataset}/media:query"), &wrong)
            .status,
        400
    );
    let (_, files) = export(&server, &dataset, "export_format=straylight");
    let description: Value = serde_json::from_str(&files["straylight.json"]).unwrap();
    let images = description["datasets"][0]["images"].as_array().unwrap();
    let rejected = images
        .iter()
        .filter(|image| image["review"] == "rejected")
        .count();
    assert_eq!((images.len(), rejected), (8, 1));
}
