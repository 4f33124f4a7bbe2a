//! Videos through the public interface.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use straylight_core::{Shape, TaskType};
use straylight_store::{
    NewProject, NewVideo, Page, SortDirection, Store, StoreError, StoredAnnotation, StoredLabel,
    VideoFormat, VideoRecord,
};

fn store(dir: &Path) -> (Store, String) {
    let store = Store::open(dir.join("store")).unwrap();
    let new = NewProject::single("p", TaskType::Classification, &["a", "b"]);
    let project = store.create_project(&new).unwrap();
    (store, project.datasets[0].id.clone())
}

fn add(store: &Store, dataset: &str, name: &str, bytes: &[u8]) -> Result<VideoRecord, StoreError> {
    let file = store.pending_file()?;
    std::fs::write(file.path(), bytes).unwrap();
    let new = NewVideo {
        name: name.to_owned(),
        format: VideoFormat::Mp4,
        width: 64,
        height: 48,
        frame_count: 10,
        frame_rate: 5.0,
        duration: 2.0,
    };
    store.add_video(dataset, &new, &file)
}

fn annotation() -> StoredAnnotation {
    StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(64, 48),
        labels: vec![StoredLabel {
            id: "0123456789abcdef01234567".to_owned(),
            name: "a".to_owned(),
            probability: 1.0,
        }],
    }
}

#[test]
fn equal_videos_share_a_file_that_goes_with_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let (store, dataset) = store(dir.path());
    let first = add(&store, &dataset, "one", b"content").unwrap();
    let second = add(&store, &dataset, "two", b"content").unwrap();
    let path = store.video_path(&first.id).unwrap();
    assert_eq!(path, store.video_path(&second.id).unwrap());
    store.delete_video(&first.id).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"content");
    store.delete_video(&second.id).unwrap();
    assert!(!path.exists());
    let gone = store.video(&second.id).unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { what: "video", .. }));
}

#[test]
fn what_cannot_be_added_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let (store, dataset) = store(dir.path());
    assert!(add(&store, &dataset, "", b"x").is_err());
    assert!(add(&store, "0123456789abcdef01234567", "a", b"x").is_err());
    drop(store.pending_file().unwrap());
    let left = std::fs::read_dir(dir.path().join("store/pending")).unwrap();
    let left: Vec<_> = left.flatten().map(|e| e.file_name()).collect();
    // The file of the unknown dataset has a note, which the next start settles.
    let is_note = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".note");
    assert!(left.iter().all(is_note), "{left:?}");
}

#[test]
fn frames_keep_their_annotations_until_the_dataset_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = store(dir.path());
    let (projects, _) = store.projects(Page::ALL).unwrap();
    let strays = store.create_dataset(&projects[0].id, "strays").unwrap();
    let video = add(&store, &strays.id, "v", b"content").unwrap();
    let scene = store
        .set_frame_annotation(&video.id, 3, &[annotation()])
        .unwrap();
    let again = store
        .set_frame_annotation(&video.id, 3, &[annotation()])
        .unwrap();
    assert_eq!(scene.id, again.id);
    assert_eq!(store.frame_annotation(&video.id, 3).unwrap(), Some(again));
    assert_eq!(store.frame_annotation(&video.id, 4).unwrap(), None);
    let statistics = store.statistics(&strays.id).unwrap();
    assert_eq!(
        (
            statistics.videos,
            statistics.annotated_videos,
            statistics.annotated_frames
        ),
        (1, 1, 1)
    );
    let path = store.video_path(&video.id).unwrap();
    store.delete_dataset(&strays.id).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_backup_has_the_videos() {
    let dir = tempfile::tempdir().unwrap();
    let (store, dataset) = store(dir.path());
    let video = add(&store, &dataset, "v", b"content").unwrap();
    let target = dir.path().join("backup");
    assert_eq!(store.backup(&target).unwrap().media, 1);
    let copy = Store::open(&target).unwrap();
    let found = copy
        .videos(&dataset, "V", SortDirection::Ascending, Page::ALL)
        .unwrap();
    assert_eq!(found.videos, std::slice::from_ref(&video));
    assert_eq!(
        std::fs::read(copy.video_path(&video.id).unwrap()).unwrap(),
        b"content"
    );
}
