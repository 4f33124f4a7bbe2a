//! Crashes, damage, races, backups.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::items_after_statements)]

mod common;

use std::process::Command;
use std::{env, fs};

use common::{ManualClock, files_below, image, options, project, stray};
use rusqlite::Connection;
use straylight_store::{ImageFilter, Page, Store, StoreError};

/// Set for the copies of this test program that the race test starts.
const WORKER: &str = "STRAYLIGHT_TEST_STORE_WORKER";

fn count(store: &Store, dataset: &str) -> u64 {
    store
        .count_images(dataset, &ImageFilter::default())
        .unwrap()
}

#[test]
fn damaged_and_newer_databases_are_refused_by_name() {
    struct Case(&'static str, fn(&std::path::Path), &'static str);
    let newer = |dir: &std::path::Path| {
        drop(Store::open(dir).unwrap());
        let db = Connection::open(dir.join("store.db")).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
    };
    let stranger = |dir: &std::path::Path| {
        let db = Connection::open(dir.join("store.db")).unwrap();
        db.execute_batch("CREATE TABLE theirs (x)").unwrap();
    };
    for Case(name, prepare, expected) in [
        Case(
            "garbage",
            |dir| fs::write(dir.join("store.db"), [7; 9000]).unwrap(),
            "not a sound store database",
        ),
        Case("newer", newer, "schema version 99"),
        Case("stranger", stranger, "belongs to another program"),
        Case(
            "directory",
            |dir| fs::create_dir(dir.join("store.db")).unwrap(),
            "cannot be written",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let message = Store::open(dir.path()).unwrap_err().to_string();
        assert!(
            message.contains(expected) && message.contains("store.db"),
            "{name}: {message}"
        );
    }
}

#[test]
fn a_store_below_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Store::open(file.path().join("store")).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Io {
                action: "create the folder",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_a_crash_leaves_is_collected_and_what_is_used_stays() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = Store::open_with(dir.path(), options(&clock)).unwrap();
    let (_, dataset) = project(&store);
    let kept = store
        .add_image(&dataset.id, &image("kept"))
        .unwrap()
        .image()
        .clone();
    drop(store);
    let path_of = |hash: &str| {
        dir.path()
            .join("images")
            .join(&hash[..2])
            .join(format!("{hash}.png"))
    };
    let orphan = path_of(&straylight_core::ContentHash::of(b"orphan").to_hex());
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, b"orphan").unwrap();
    let pending = dir.path().join("pending");
    for name in [
        orphan.file_name().unwrap().to_str().unwrap(),
        &format!("{}.png", kept.hash.to_hex()),
    ] {
        fs::write(pending.join(format!("{name}.00.note")), b"").unwrap();
    }
    fs::write(pending.join("aa.part"), b"half").unwrap();
    // Too young: it could belong to a write that is under way.
    drop(Store::open_with(dir.path(), options(&clock)).unwrap());
    assert_eq!(files_below(&pending).len(), 3);
    clock.advance_seconds(120);
    let store = Store::open_with(dir.path(), options(&clock)).unwrap();
    assert!(files_below(&pending).is_empty() && !orphan.exists());
    assert_eq!(store.image_bytes(&kept.id).unwrap(), b"kept");
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    let id = store
        .add_image(&dataset.id, &image("a"))
        .unwrap()
        .image()
        .id
        .clone();
    let path = store.image_path(&id).unwrap();
    fs::remove_file(&path).unwrap();
    let error = store.image_bytes(&id).unwrap_err();
    assert!(
        matches!(&error, StoreError::MissingFile { path: p, .. } if *p == path),
        "{error}"
    );
}

#[test]
fn a_backup_is_whole_while_writing_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("store")).unwrap();
    let (_, dataset) = project(&store);
    let backups: Vec<_> = (0..5)
        .map(|i| dir.path().join(format!("backup {i}")))
        .collect();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..200 {
                let id = store
                    .add_image(&dataset.id, &image(&i.to_string()))
                    .unwrap()
                    .image()
                    .id
                    .clone();
                if i % 3 == 0 {
                    store.delete_image(&id).unwrap();
                }
            }
        });
        for backup in &backups {
            store.backup(backup).unwrap();
        }
        writer.join().unwrap();
    });
    for backup in &backups {
        assert!(
            store.backup(backup).is_err(),
            "a directory in use is not written into"
        );
        let copy = Store::open(backup).unwrap();
        let page = copy
            .images(
                &dataset.id,
                &ImageFilter::default(),
                <_>::default(),
                Page::ALL,
            )
            .unwrap();
        for image in page.images {
            assert_eq!(copy.image_bytes(&image.id).unwrap(), image.name.as_bytes());
        }
    }
}

#[test]
fn a_plain_copy_under_hold_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let store = Store::open(&root).unwrap();
    let (_, dataset) = project(&store);
    let first = store
        .add_image(&dataset.id, &image("first"))
        .unwrap()
        .image()
        .id
        .clone();
    fs::write(root.join("hold"), b"").unwrap();
    let copy = dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["store.db", "store.db-wal"] {
        fs::copy(root.join(name), copy.join(name)).unwrap();
        store.delete_image(&first).unwrap_or_default();
        store.add_image(&dataset.id, &image(name)).unwrap();
    }
    for file in files_below(&root.join("images")) {
        let target = copy.join(file.strip_prefix(&root).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
    fs::remove_file(root.join("hold")).unwrap();
    let copy = Store::open(&copy).unwrap();
    let page = copy
        .images(
            &dataset.id,
            &ImageFilter::default(),
            <_>::default(),
            Page::ALL,
        )
        .unwrap();
    assert!(page.total >= 1);
    for image in page.images {
        assert_eq!(copy.image_bytes(&image.id).unwrap(), image.name.as_bytes());
    }
}

#[test]
fn threads_add_each_key_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, _) = project(&store);
    let new: usize = std::thread::scope(|scope| {
        let work = || {
            let dataset = store.get_or_create_dataset(&project.id, "OOD").unwrap();
            let add =
                |i: usize| store.add_image(&dataset.id, &stray(&i.to_string(), 0.5, "h", "r"));
            (0..50).filter(|&i| add(i).unwrap().is_new()).count()
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    let dataset = store.dataset_named(&project.id, "OOD").unwrap().unwrap();
    assert_eq!((new, count(&store, &dataset.id)), (50, 50));
    assert!(files_below(&dir.path().join("pending")).is_empty());
}

/// Not a test of its own: one of the processes of the test below.
#[test]
#[ignore = "a process that other tests start"]
fn child() {
    worker(&env::var(WORKER).unwrap());
}

#[test]
fn processes_add_each_key_once_while_others_delete() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, _) = project(&store);
    let start = |_| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "--ignored", "child"])
            .env(WORKER, format!("{}\n{}", dir.path().display(), project.id))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let workers: Vec<_> = (0..4).map(start).collect();
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    let dataset = store.dataset_named(&project.id, "OOD").unwrap().unwrap();
    let page = store
        .images(
            &dataset.id,
            &ImageFilter::default(),
            <_>::default(),
            Page::ALL,
        )
        .unwrap();
    assert_eq!(page.total, 40);
    for image in page.images {
        assert!(store.image_bytes(&image.id).is_ok());
    }
    assert_eq!(files_below(&dir.path().join("images")).len(), 40);
}

/// Adds 40 shared images, and between them ones that it deletes again: equal bytes in every
/// process, so that adding and deleting of one file meet.
fn worker(work: &str) {
    let (root, project) = work.split_once('\n').unwrap();
    let store = Store::open(root).unwrap();
    let dataset = store.get_or_create_dataset(project, "OOD").unwrap();
    for i in 0..40 {
        store
            .add_image(&dataset.id, &stray(&i.to_string(), 0.5, "h", "r"))
            .unwrap();
        let passing = store.add_image(&dataset.id, &image("passing")).unwrap();
        store.delete_image(&passing.image().id).unwrap();
    }
}
