//! Tokens, settings, jobs and deployments through the public interface.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{ManualClock, options, project};
use serde_json::json;
use straylight_store::{Page, Role, Store, StoreError};

#[test]
fn tokens_are_kept_as_hashes_until_they_are_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = Store::open_with(dir.path(), options(&clock)).unwrap();
    let token = store
        .add_token("laptop", Role::default(), [7; 32], None)
        .unwrap();
    store.touch_token(&token).unwrap();
    let used = store.tokens().unwrap().remove(0);
    assert!(used.last_used_at.is_some());
    clock.advance_seconds(30);
    store.touch_token(&used).unwrap();
    assert_eq!(store.tokens().unwrap(), std::slice::from_ref(&used));
    clock.advance_seconds(31);
    store.touch_token(&used).unwrap();
    assert_ne!(store.tokens().unwrap(), [used]);
    assert_eq!(store.revoke_token("laptop").unwrap().id, token.id);
    assert!(matches!(
        store.revoke_token(&token.id),
        Err(StoreError::NotFound { what: "token", .. })
    ));
    assert!(matches!(
        store.add_token(" ", Role::default(), [1; 32], None),
        Err(StoreError::BadName { .. })
    ));
}

#[test]
fn a_name_that_two_tokens_share_revokes_neither() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store
        .add_token("ci", Role::default(), [1; 32], None)
        .unwrap();
    store
        .add_token("ci", Role::default(), [2; 32], None)
        .unwrap();
    assert!(store.revoke_token("ci").is_err());
    assert_eq!(store.tokens().unwrap().len(), 2);
}

#[test]
fn settings_are_replaced_and_go_with_their_project() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, _) = project(&store);
    store.set_setting(&project.id, "k", &json!(1)).unwrap();
    store
        .set_setting(&project.id, "k", &json!({"a": 2}))
        .unwrap();
    assert_eq!(
        store.setting(&project.id, "k").unwrap(),
        Some(json!({"a": 2}))
    );
    store.delete_project(&project.id).unwrap();
    assert_eq!(store.setting(&project.id, "k").unwrap(), None);
}

#[test]
fn jobs_are_listed_and_counted_by_project_and_state() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = Store::open_with(dir.path(), options(&clock)).unwrap();
    let first = store
        .add_job(Some("p"), "running", &json!({"n": 1}))
        .unwrap();
    clock.advance_seconds(1);
    store.add_job(None, "running", &json!({"n": 2})).unwrap();
    store
        .update_job(&first.id, "finished", &json!({"n": 3}))
        .unwrap();
    let all = store.jobs(None, None, Page::ALL).unwrap();
    assert_eq!(
        all.iter().map(|j| j.json["n"].clone()).collect::<Vec<_>>(),
        [2, 3]
    );
    assert_eq!(
        store.jobs(Some("p"), Some("running"), Page::ALL).unwrap(),
        []
    );
    assert_eq!(
        store.count_jobs(Some("p")).unwrap(),
        [("finished".to_owned(), 1)]
    );
}

#[test]
fn a_deployment_is_copied_whole_and_the_newest_is_active() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("store")).unwrap();
    let (project, _) = project(&store);
    let folder = dir.path().join("deployment");
    fs::create_dir_all(folder.join("Task/model")).unwrap();
    fs::write(folder.join("Task/model/model.xml"), b"<xml/>").unwrap();
    let first = store
        .add_deployment(&project.id, "one", &folder, &json!({}))
        .unwrap();
    let second = store
        .add_deployment(&project.id, "two", &folder, &json!({}))
        .unwrap();
    let active = |id: &str| store.deployment(id).unwrap().active;
    assert!(!active(&first.id) && active(&second.id));
    store.activate_deployment(&first.id).unwrap();
    assert!(active(&first.id) && !active(&second.id));
    let copy = store
        .deployment_folder(&first.id)
        .unwrap()
        .join("deployment/Task/model/model.xml");
    assert_eq!(fs::read(&copy).unwrap(), b"<xml/>");
    store.delete_deployment(&first.id).unwrap();
    assert!(!copy.exists());
    assert_eq!(store.deployments(&project.id).unwrap().len(), 1);
    assert!(store.deployment_folder("../../etc").is_err());
}

#[test]
fn a_deployment_of_no_project_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = Store::open_with(dir.path().join("store"), options(&clock)).unwrap();
    let folder = dir.path().join("deployment");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("project.json"), b"{}").unwrap();
    assert!(
        store
            .add_deployment("none", "x", &folder, &json!({}))
            .is_err()
    );
    clock.advance_seconds(2 * 24 * 60 * 60);
    let store = Store::open_with(dir.path().join("store"), options(&clock)).unwrap();
    assert!(common::files_below(&store.root().join("deployments")).is_empty());
}
