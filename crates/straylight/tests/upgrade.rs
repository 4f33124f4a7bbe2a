//! What the version of 2026-11-24 wrote opens through the public API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use straylight::hookfile::{HookFile, names, read_hooks};
use straylight::hooks::QueueFolder;
use straylight::ood::{ModelBinding, OodModel};
use straylight::store::{ImageFilter, ImageSort, Page, SortDirection, Store};

/// A copy of what the old version wrote: opening may change it.
fn old() -> tempfile::TempDir {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/upgrade/2026-11-24");
    let scratch = tempfile::tempdir().unwrap();
    copy(&fixture, scratch.path());
    scratch
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_old_store_opens_with_its_images_and_predictions() {
    let old = old();
    let store = Store::open(old.path().join("store")).unwrap();
    let project = store.projects_named("upgrade").unwrap().pop().unwrap();
    let dataset = store.dataset_named(&project.id, "Strays").unwrap().unwrap();
    let order = (ImageSort::default(), SortDirection::default());
    let page = store.images(&dataset.id, &ImageFilter::default(), order, Page::first(9));
    let images = page.unwrap().images;
    let mut names: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["known", "strange0", "strange1", "strange2", "strange3"]
    );
    for image in &images {
        assert_eq!(image.hook.as_deref(), Some("to-store"));
        assert_eq!(image.predicted_label.as_deref(), Some("alpha"));
        assert!(!store.image_bytes(&image.id).unwrap().is_empty());
    }
}

#[test]
fn an_old_queue_still_holds_its_events() {
    let old = old();
    let folders = QueueFolder::all(&old.path().join("state")).unwrap();
    assert_eq!(folders.len(), 1);
    assert_eq!(folders[0].hook(), "away");
    let events = folders[0].events().unwrap();
    assert_eq!(events.len(), 5);
    for event in &events {
        assert_eq!(event.attempts, 1);
        let details = folders[0].show(event.id).unwrap().unwrap();
        assert_eq!(details.prediction.annotations.len(), 1);
        assert!(details.image.is_file());
    }
}

#[test]
fn old_hook_files_are_read() {
    let old = old();
    let at = |name: &str| -> PathBuf { old.path().join(name) };
    for (file, name) in [
        ("hooks_block.json", "block"),
        ("hooks_drop_oldest.json", "drop-oldest"),
        ("hooks_away.json", "away"),
    ] {
        assert_eq!(names(&read_hooks(&at(file)).unwrap()), [name]);
    }
    let file = HookFile::open(&at("deployment")).unwrap();
    assert_eq!(
        file.names(),
        ["0-OODTrigger-FileSystemDataCollection", "to-store"]
    );
    // Its paths are relative: they belong to the folder in which the program runs.
    let problems = file.check().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("hook `to-store`: there is no store in"),
        "{problems:?}"
    );
}

#[test]
fn an_old_ood_model_is_loaded_with_its_threshold() {
    let old = old();
    let model = OodModel::load(&old.path().join("deployment/ood"), ModelBinding::Any).unwrap();
    assert!((model.threshold() - 0.6347).abs() < 1e-4);
}
