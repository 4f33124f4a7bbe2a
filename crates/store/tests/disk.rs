//! How much a project may take, what a deletion leaves, backups, and who may read the files.
#![allow(clippy::unwrap_used, clippy::items_after_statements)]

mod common;

use std::fs;
use std::path::Path;

use common::{ManualClock, files_below, image, options, project};
use straylight_store::{NewImage, NewVideo, Store, StoreError, VideoFormat, restore};

fn sized(name: &str, bytes: usize) -> NewImage {
    let mut content = vec![b'.'; bytes];
    content[..name.len()].copy_from_slice(name.as_bytes());
    NewImage {
        bytes: content.into(),
        ..image(name)
    }
}

#[test]
fn a_project_takes_no_more_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, dataset) = project(&store);
    let id = project.id;
    store.set_disk_limit(&id, Some(2500)).unwrap();
    let a = store.add_image(&dataset.id, &sized("a", 1000)).unwrap();
    store.add_image(&dataset.id, &sized("b", 1000)).unwrap();
    let before = files_below(dir.path()).len();
    let refused = store.add_image(&dataset.id, &sized("c", 1000)).unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::ProjectFull {
                used: 2000,
                limit: 2500,
                more: 1000,
                ..
            }
        ),
        "{refused}"
    );
    assert!(refused.is_transient() && refused.to_string().contains("store limit"));
    let video = store.pending_file().unwrap();
    fs::write(video.path(), [0; 501]).unwrap();
    let new = NewVideo {
        name: "v".to_owned(),
        format: VideoFormat::Mp4,
        width: 64,
        height: 48,
        frame_count: 1,
        frame_rate: 1.0,
        duration: 1.0,
    };
    assert!(store.add_video(&dataset.id, &new, &video).is_err());
    drop(video);
    assert_eq!(
        files_below(dir.path()).len(),
        before,
        "a refusal leaves nothing"
    );
    store.delete_image(&a.image().id).unwrap();
    store.add_image(&dataset.id, &sized("c", 1500)).unwrap();
    let used = store.disk_use(&id).unwrap();
    assert_eq!((used.media, used.limit), (2500, Some(2500)));
    store.set_disk_limit(&id, None).unwrap();
    store.add_image(&dataset.id, &sized("d", 9000)).unwrap();
}

#[test]
fn what_a_project_takes_is_counted_through_every_deletion() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, training) = project(&store);
    let id = project.id;
    let strays = store.get_or_create_dataset(&id, "strays").unwrap();
    let kept = store.add_image(&training.id, &sized("a", 10)).unwrap();
    store.add_image(&strays.id, &sized("b", 100)).unwrap();
    let moved = store.add_image(&strays.id, &sized("c", 1000)).unwrap();
    store.move_image(&moved.image().id, &training.id).unwrap();
    let media = || store.disk_use(&id).unwrap().media;
    assert_eq!((media(), store.deletions(&id).unwrap()), (1110, 0));
    store.delete_dataset(&strays.id).unwrap();
    assert_eq!((media(), store.deletions(&id).unwrap()), (1010, 1));
    store.delete_image(&kept.image().id).unwrap();
    assert_eq!((media(), store.deletions(&id).unwrap()), (1000, 2));
    store.delete_project(&id).unwrap();
    assert!(store.disk_use(&id).is_err());
}

#[test]
fn what_was_sent_before_a_deletion_does_not_bring_an_image_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = Store::open_with(dir.path(), options(&clock)).unwrap();
    let (_, dataset) = project(&store);
    let decided = store.clock().now();
    let new = NewImage {
        idempotency_key: Some("k".to_owned()),
        decided_at: Some(decided),
        ..image("a")
    };
    let id = store
        .add_image(&dataset.id, &new)
        .unwrap()
        .image()
        .id
        .clone();
    store
        .thumbnail(&id, 256, |_, _| Ok::<_, ()>(b"small".to_vec()))
        .unwrap()
        .unwrap();
    clock.advance_seconds(60);
    store.delete_image(&id).unwrap();
    let below = |name: &str| files_below(&dir.path().join(name)).len();
    assert_eq!(
        (below("images"), below("thumbnails"), below("pending")),
        (0, 0, 0)
    );
    let refused = store.add_image(&dataset.id, &new).unwrap_err();
    assert!(matches!(refused, StoreError::Deleted), "{refused}");
    assert_eq!(below("images"), 0);
    // A person who adds it again, and an image that was seen since, are new.
    let by_hand = NewImage {
        decided_at: None,
        ..new.clone()
    };
    let again = store.add_image(&dataset.id, &by_hand).unwrap();
    assert!(again.is_new());
    store.delete_image(&again.image().id).unwrap();
    clock.advance_seconds(60);
    let later = NewImage {
        decided_at: Some(store.clock().now()),
        ..new
    };
    assert!(store.add_image(&dataset.id, &later).unwrap().is_new());
}

/// A store with an image, a deployment and a token; its folder and a backup of it.
fn backed_up(dir: &Path) -> (Store, std::path::PathBuf) {
    let store = Store::open(dir.join("store")).unwrap();
    let (project, dataset) = project(&store);
    let id = project.id;
    store.add_image(&dataset.id, &image("a")).unwrap();
    let model = dir.join("model");
    fs::create_dir_all(model.join("task/model")).unwrap();
    fs::write(model.join("task/model/model.bin"), b"weights").unwrap();
    store
        .add_deployment(&id, "m", &model, &serde_json::json!({}))
        .unwrap();
    let backup = dir.join("backup");
    let made = store.backup(&backup).unwrap();
    assert_eq!((made.media, made.files), (1, 3));
    (store, backup)
}

#[test]
fn a_backup_is_restored_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (store, backup) = backed_up(dir.path());
    let target = dir.path().join("restored");
    let restored = restore(&backup, &target).unwrap();
    assert_eq!(restored.files, 3);
    let copy = Store::open(&target).unwrap();
    let (projects, _) = copy.projects(straylight_store::Page::ALL).unwrap();
    let deployment = &copy.deployments(&projects[0].id).unwrap()[0];
    let folder = copy.deployment_folder(&deployment.id).unwrap();
    let weights = fs::read(folder.join("deployment/task/model/model.bin")).unwrap();
    assert_eq!(weights, b"weights");
    assert_eq!(copy.workspace(), store.workspace());
    let error = restore(&backup, &target).unwrap_err();
    assert!(
        error.to_string().contains("restored"),
        "a store in use stays: {error}"
    );
}

#[test]
fn a_damaged_backup_is_refused_by_the_name_of_the_file_and_leaves_nothing() {
    struct Case(&'static str, fn(&Path), &'static str);
    for Case(name, damage, expected) in [
        Case(
            "an image changed",
            |backup| fs::write(&files_below(&backup.join("images"))[0], b"b").unwrap(),
            "not as it was",
        ),
        Case(
            "an image missing",
            |backup| fs::remove_file(&files_below(&backup.join("images"))[0]).unwrap(),
            "missing",
        ),
        Case(
            "the database changed",
            |backup| {
                let path = backup.join("store.db");
                let mut bytes = fs::read(&path).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0xff;
                fs::write(path, bytes).unwrap();
            },
            "store.db",
        ),
        Case(
            "cut off",
            |backup| fs::remove_file(backup.join("backup.json")).unwrap(),
            "no whole backup",
        ),
        Case(
            "a file outside",
            |backup| {
                let path = backup.join("backup.json");
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, text.replace("\"store.db\"", "\"../store/store.db\"")).unwrap();
            },
            "outside",
        ),
        Case(
            "a file that is not listed",
            |backup| {
                let path = backup.join("backup.json");
                let text = fs::read(&path).unwrap();
                let mut value: serde_json::Value = serde_json::from_slice(&text).unwrap();
                let files = value["files"].as_array_mut().unwrap();
                files.retain(|f| !f["path"].as_str().unwrap().starts_with("images/"));
                fs::write(path, value.to_string()).unwrap();
            },
            "it needs `images/",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (_store, backup) = backed_up(dir.path());
        damage(&backup);
        let target = dir.path().join("restored");
        let error = restore(&backup, &target).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
        let left: Vec<_> = files_below(dir.path())
            .into_iter()
            .filter(|path| path.to_string_lossy().contains("restor"))
            .collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

#[test]
fn two_backups_at_a_time_are_one_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = backed_up(dir.path());
    let hold = fs::File::create(store.root().join("hold")).unwrap();
    hold.lock().unwrap();
    let error = store.backup(dir.path().join("second")).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_store_and_its_backups_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let (store, backup) = backed_up(dir.path());
    let page = store.projects(straylight_store::Page::ALL).unwrap();
    let id = store.datasets(&page.0[0].id).unwrap()[0].id.clone();
    let image = store
        .add_image(&id, &image("b"))
        .unwrap()
        .image()
        .id
        .clone();
    store
        .thumbnail(&image, 256, |_, _| Ok::<_, ()>(b"small".to_vec()))
        .unwrap()
        .unwrap();
    restore(&backup, &dir.path().join("restored")).unwrap();
    for root in ["store", "backup", "restored"] {
        let root = dir.path().join(root);
        for file in files_below(&root) {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
            assert_eq!(mode(file.parent().unwrap()), 0o700, "{}", file.display());
        }
        assert_eq!(mode(&root), 0o700);
    }
    // One that an older Straylight made keeps what its group may do.
    let old = dir.path().join("old");
    fs::create_dir(&old).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    Store::open(&old).unwrap();
    assert_eq!(mode(&old), 0o750);
}
