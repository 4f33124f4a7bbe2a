use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::testing::{event_named, event_with};

fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if entry.is_dir() {
            let name = entry.file_name().unwrap().display().to_string();
            found.extend(
                files_below(&entry)
                    .iter()
                    .map(|file| format!("{name}/{file}")),
            );
        } else {
            found.insert(entry.file_name().unwrap().display().to_string());
        }
    }
    found
}

fn collection(folder: &Path) -> FileSystemDataCollection {
    FileSystemDataCollection::new(FileSystemOptions::new(folder))
}

#[test]
fn the_four_files_have_one_stem() {
    let folder = tempfile::tempdir().unwrap();
    let event = event_named("dog");
    collection(folder.path()).perform(&event).unwrap();
    let stem = names::stem("", &event);
    let expected = [
        ("images", "png"),
        ("overlays", "jpg"),
        ("predictions", "json"),
        ("scores", "txt"),
    ];
    let expected: BTreeSet<String> = expected
        .iter()
        .map(|(folder, extension)| format!("{folder}/{stem}.{extension}"))
        .collect();
    assert_eq!(files_below(folder.path()), expected);
    let score = fs::read_to_string(folder.path().join(format!("scores/{stem}.txt"))).unwrap();
    assert_eq!(score, "0.93");
    let image = fs::read(folder.path().join(format!("images/{stem}.png"))).unwrap();
    assert_eq!(
        straylight_image::decode(&image).unwrap().0,
        *event.picture.image().unwrap()
    );
}

#[test]
fn only_the_score_of_an_ood_model_is_drawn_as_one() {
    let mut event = event_named("dog");
    let drawn = |event: &Event, score| {
        let picture =
            Visualizer::default().draw(event.picture.image().unwrap(), &event.prediction, score);
        straylight_image::encode_jpeg(&picture, OVERLAY_QUALITY).unwrap()
    };
    let action = collection("unused".as_ref());
    assert_eq!(action.overlay(&event).unwrap(), drawn(&event, Some(0.93)));
    event.ood_score = None;
    assert_eq!(action.overlay(&event).unwrap(), drawn(&event, None));
    assert_ne!(drawn(&event, Some(0.93)), drawn(&event, None));
}

#[test]
fn the_same_event_again_replaces_its_own_files_and_others_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let first = collection(folder.path());
    let second = collection(folder.path());
    for id in [1, 2] {
        first.perform(&event_with(id, "dog")).unwrap();
        second.perform(&event_with(id, "dog")).unwrap();
    }
    drop((first, second));
    assert_eq!(files_below(folder.path()).len(), 8);
}

#[test]
fn all_files_or_none() {
    let folder = tempfile::tempdir().unwrap();
    // A file in the place of the last subfolder: three moves succeed, the fourth cannot.
    fs::write(folder.path().join("images"), b"in the way").unwrap();
    let error = collection(folder.path())
        .perform(&event_named("dog"))
        .unwrap_err();
    assert!(error.to_string().contains("images"), "{error}");
    assert_eq!(
        files_below(folder.path()),
        BTreeSet::from(["images".to_owned()])
    );
}

#[test]
fn only_what_was_chosen_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let options = FileSystemOptions {
        file_name_prefix: "image".to_owned(),
        save_predictions: false,
        save_scores: false,
        save_overlays: false,
        picture_format: PictureFormat::Jpeg,
        ..FileSystemOptions::new(folder.path())
    };
    let event = event_named("dog");
    FileSystemDataCollection::new(options)
        .perform(&event)
        .unwrap();
    let stem = names::stem("image", &event);
    assert_eq!(
        files_below(folder.path()),
        BTreeSet::from([format!("images/{stem}.jpg")])
    );
}

#[test]
fn a_dead_process_is_finished_and_a_living_one_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let living = collection(folder.path());
    living.perform(&event_with(1, "a")).unwrap();
    let dead = folder.path().join(".staging/00000000deadbeef");
    fs::create_dir_all(&dead).unwrap();
    for name in [
        // Of the first, the score was moved already; of the second, nothing was.
        "x.1.overlays.jpg",
        "x.2.images.png",
        "y.0.scores.txt",
        "y.1.images.png",
        "what is this",
    ] {
        fs::write(dead.join(name), b"bytes").unwrap();
    }
    collection(folder.path())
        .perform(&event_with(2, "b"))
        .unwrap();
    let files = files_below(folder.path());
    assert!(
        files.contains("images/x.png") && files.contains("overlays/x.jpg"),
        "{files:?}"
    );
    assert!(
        !files.iter().any(|file| file.contains("/y.")) && !dead.exists(),
        "{files:?}"
    );
    living.perform(&event_with(3, "c")).unwrap();
    drop(living);
    assert!(!folder.path().join(".staging").exists());
}

#[test]
fn what_never_happened_is_removed_from_its_last_file_to_its_first() {
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join(".staging/00000000deadbeef");
    // A folder in the place of the second file: it cannot be removed as a file.
    fs::create_dir_all(dead.join("y.1.images.png/x")).unwrap();
    for name in ["y.0.scores.txt", "y.2.overlays.jpg"] {
        fs::write(dead.join(name), b"bytes").unwrap();
    }
    let error = collection(folder.path()).perform(&event_named("dog"));
    assert!(error.unwrap_err().to_string().contains("y.1.images.png"));
    assert!(dead.join("y.0.scores.txt").exists() && !dead.join("y.2.overlays.jpg").exists());
    fs::remove_dir_all(dead.join("y.1.images.png")).unwrap();
    collection(folder.path())
        .perform(&event_named("dog"))
        .unwrap();
    assert_eq!(files_below(folder.path()).len(), 4);
}

#[test]
fn a_large_picture_has_a_small_overlay_and_stays_whole_itself() {
    let folder = tempfile::tempdir().unwrap();
    let options = FileSystemOptions {
        overlay_side: 3,
        ..FileSystemOptions::new(folder.path())
    };
    let event = event_named("dog");
    FileSystemDataCollection::new(options)
        .perform(&event)
        .unwrap();
    let stem = names::stem("", &event);
    let read = |file: String| {
        straylight_image::decode(&fs::read(folder.path().join(file)).unwrap())
            .unwrap()
            .0
    };
    let overlay = read(format!("overlays/{stem}.jpg"));
    assert_eq!(overlay.width().max(overlay.height()), 3);
    let image = read(format!("images/{stem}.png"));
    assert_eq!(image, *event.picture.image().unwrap());
}

/// What the collection has begun of an event.
fn begun(collection: &FileSystemDataCollection, event: &Event) -> Begun {
    match collection.begin(event).unwrap() {
        DeliveryProgress::Begun(begun) => begun,
        DeliveryProgress::Delivered => panic!("a folder finishes later"),
    }
}

#[test]
fn of_several_events_each_is_there_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let events = [(1, "good"), (2, "blocked"), (3, "fine")];
    let events = events.map(|(id, name)| event_with(id, name));
    let in_the_way = format!("images/{}.png/x", names::stem("", &events[1]));
    fs::create_dir_all(folder.path().join(&in_the_way)).unwrap();
    let collection = collection(folder.path());
    let begun = events.each_ref().map(|event| begun(&collection, event));
    let results = collection.finish(&begun.each_ref());
    assert_eq!(
        results.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true]
    );
    drop(collection);
    let files = files_below(folder.path());
    assert_eq!(files.len(), 8, "{files:?}");
    let stems = [&events[0], &events[2]].map(|event| names::stem("", event));
    let is_whole = |stem: &&String| files.iter().filter(|file| file.contains(*stem)).count() == 4;
    assert_eq!(stems.iter().filter(is_whole).count(), 2, "{files:?}");
}

#[test]
fn a_failed_end_leaves_nothing_and_the_event_can_be_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("images");
    fs::write(&in_the_way, b"in the way").unwrap();
    let collection = collection(folder.path());
    let event = event_named("dog");
    let first = begun(&collection, &event);
    assert!(collection.finish(&[&first])[0].is_err());
    assert!(
        collection.finish(&[&first])[0].is_err(),
        "its files are gone"
    );
    fs::remove_file(in_the_way).unwrap();
    let small = event.without_pixels().unwrap();
    let second = begun(&collection, &small);
    assert!(collection.finish(&[&second])[0].is_ok());
    drop(collection);
    assert_eq!(files_below(folder.path()).len(), 4);
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_written_before_the_disk_failed_for_another_is_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let collection = collection(folder.path());
    let (before, after) = (event_with(1, "before"), event_with(2, "after"));
    let first = begun(&collection, &before);
    collection.staging().unwrap().disk().fail_once();
    let second = begun(&collection, &after);
    let results = collection.finish(&[&first, &second]);
    let error = results[0].as_ref().unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    assert!(results[1].is_ok());
    collection.perform(&before).unwrap();
    drop(collection);
    assert_eq!(files_below(folder.path()).len(), 8);
}
