//! Saving: whole or not at all, the same bytes every time, and nothing changes in memory.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use straylight_deploy::{Deployment, LoadOptions};

/// All files below a folder with their bytes.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            let below = content(&path).into_iter();
            found.extend(
                below.map(|(name, bytes)| (Path::new(&entry.file_name()).join(name), bytes)),
            );
        } else {
            found.insert(entry.file_name().into(), fs::read(&path).unwrap());
        }
    }
    found
}

fn load(path: &Path) -> Deployment {
    Deployment::from_folder(path, &LoadOptions::default()).unwrap()
}

#[test]
fn save_load_save_gives_the_same_bytes() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let project = common::demo().project().clone();
    common::demo().save(first.path()).unwrap();
    assert_eq!(*common::demo().project(), project);
    load(first.path()).save(second.path()).unwrap();
    assert_eq!(content(first.path()), content(second.path()));
    assert_eq!(
        content(&first.path().join("deployment")),
        content(&common::demo_folder())
    );
}

#[test]
fn a_deployment_can_be_saved_over_itself_and_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("deployment/stale.json");
    fs::create_dir_all(stale.parent().unwrap()).unwrap();
    fs::write(&stale, "{}").unwrap();
    common::demo().save(folder.path()).unwrap();
    assert!(!stale.exists());
    let before = content(folder.path());
    load(folder.path()).save(folder.path()).unwrap();
    assert_eq!(content(folder.path()), before);
}

#[test]
fn a_save_that_fails_leaves_what_was_there() {
    let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    common::demo().save(source.path()).unwrap();
    let deployment = load(source.path());
    common::demo().save(target.path()).unwrap();
    let before = content(target.path());
    fs::remove_dir_all(source.path().join("deployment")).unwrap();
    let error = deployment.save(target.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&*source.path().to_string_lossy()),
        "{error}"
    );
    assert_eq!(content(target.path()), before);
}

#[test]
fn a_place_that_is_a_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = common::demo().save(file.path()).unwrap_err();
    assert!(
        error.to_string().contains(&*file.path().to_string_lossy()),
        "{error}"
    );
}
