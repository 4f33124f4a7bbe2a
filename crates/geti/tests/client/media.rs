//! Images and annotations go up and come down.

use std::fs;

use serde_json::json;
use straylight_core::NoProgress;
use straylight_geti::{DownloadOptions, ErrorKind, Rendition, image_annotation, wire};

use crate::common::{Reply, connect, jpeg, png};
use crate::hostile_lists::after_login;
use crate::session::{VERSION, pets, short};
use crate::stub;

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

#[test]
fn an_image_that_is_prepared_later_is_waited_for() {
    struct Case(&'static str, Option<ErrorKind>, usize);
    let media = |status: &str, width: u32| {
        let json = json!({"id": "i", "name": "n", "type": "image",
            "preprocessing": {"status": status},
            "media_information": {"display_url": "/api/v1/i", "width": width, "height": width}});
        serde_json::from_value::<wire::Media>(json).unwrap()
    };
    for Case(becomes, error, waits) in [
        Case("FINISHED", None, 1),
        Case("FAILED", Some(ErrorKind::Refused), 1),
        Case("IN_PROGRESS", Some(ErrorKind::Timeout), 60),
    ] {
        let answer = serde_json::to_value(media(becomes, 64)).unwrap();
        let server = after_login(move |_| Reply::json(answer.clone()));
        let (geti, clock) = connect(&server);
        let dataset = geti.at("p").dataset("d");
        let result = dataset.wait_until_prepared(media("SCHEDULED", 0));
        assert_eq!(result.err().map(|error| error.kind()), error, "{becomes}");
        assert_eq!(clock.sleeps().len(), waits, "{becomes}");
    }
}

#[test]
fn an_image_is_found_by_name_on_servers_that_know_no_such_rule() {
    let server = after_login(|request| {
        if request.json()["rules"][1].is_object() {
            return stub::error(400, "invalid_filter");
        }
        let image =
            |id: &str| json!({"id": id, "name": id, "type": "image", "media_information": {}});
        Reply::json(json!({"media": [image("a"), image("b")], "total_matched_images": 2}))
    });
    let (geti, _) = connect(&server);
    let dataset = geti.at("p").dataset("d");
    assert_eq!(dataset.image_named("b").unwrap().unwrap().id, "b");
    assert!(dataset.image_named("c").unwrap().is_none());
}
