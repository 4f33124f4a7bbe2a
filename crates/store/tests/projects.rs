//! Projects and datasets through the public interface.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::items_after_statements)]

mod common;

use serde_json::json;
use straylight_core::TaskType;
use straylight_store::{NewProject, Page, Store, StoreError, is_object_id};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

#[test]
fn a_new_project_has_one_training_dataset() {
    let (_dir, store) = store();
    let (project, dataset) = common::project(&store);
    assert!(is_object_id(&project.id));
    assert_eq!(project.datasets.len(), 1);
    assert_eq!(
        (dataset.name.as_str(), dataset.use_for_training),
        ("Dataset", true)
    );
    assert_eq!(store.project(&project.id).unwrap(), project);
    let value = store.project_json(&project.id).unwrap();
    assert!(value["creation_time"].as_str().unwrap().ends_with("+00:00"));
    assert_eq!(value["datasets"][0]["name"], "Dataset");
}

#[test]
fn names_of_projects_may_repeat_and_pages_end() {
    let (_dir, store) = store();
    for _ in 0..3 {
        common::project(&store);
    }
    assert_eq!(store.projects_named("birds").unwrap().len(), 3);
    let (page, total) = store.projects(Page { skip: 2, limit: 2 }).unwrap();
    assert_eq!((page.len(), total), (1, 3));
    let (page, _) = store.projects(Page { skip: 4, limit: 2 }).unwrap();
    assert!(page.is_empty());
}

#[test]
fn wrong_projects_are_refused_and_leave_nothing() {
    let (_dir, store) = store();
    let one = NewProject::single("p", TaskType::Classification, &["only"]);
    let error = store.create_project(&one).unwrap_err();
    assert!(
        matches!(&error, StoreError::Invalid(e) if e.code == "bad_number_of_labels"),
        "{error}"
    );
    assert_eq!(store.projects(Page::ALL).unwrap().1, 0);
}

#[test]
fn datasets_are_made_once() {
    let (_dir, store) = store();
    let (project, training) = common::project(&store);
    let a = store.get_or_create_dataset(&project.id, "OOD").unwrap();
    assert_eq!(store.get_or_create_dataset(&project.id, "OOD").unwrap(), a);
    assert!(matches!(
        store.create_dataset(&project.id, "OOD"),
        Err(StoreError::DatasetExists { .. })
    ));
    assert!(matches!(
        store.rename_dataset(&a.id, "Dataset"),
        Err(StoreError::DatasetExists { .. })
    ));
    assert_eq!(store.rename_dataset(&a.id, "B").unwrap().name, "B");
    assert!(matches!(
        store.delete_dataset(&training.id),
        Err(StoreError::TrainingDataset { .. })
    ));
    assert_eq!(store.project_of_dataset(&a.id).unwrap(), project.id);
    store.delete_dataset(&a.id).unwrap();
    assert_eq!(store.datasets(&project.id).unwrap(), [training]);
    for bad in ["", "  ", &"x".repeat(201)] {
        assert!(matches!(
            store.create_dataset(&project.id, bad),
            Err(StoreError::BadName { .. })
        ));
    }
}

#[test]
fn an_imported_project_keeps_its_identifiers() {
    let (_dir, store) = store();
    let value = json!({
        "id": "636b963c308ea65372b802bb", "name": "birds",
        "creation_time": "2022-11-09T11:59:56.036000+00:00", "thumbnail": "/x",
        "pipeline": {"connections": [], "tasks": [
            {"id": "636b963c308ea65372b802ba", "title": "Detection task", "task_type": "detection",
             "label_schema_id": "636b963c308ea65372b802c5", "labels": []}]},
        "datasets": [{"id": "x", "name": "elsewhere"}]});
    let project = store.import_project(&value).unwrap();
    assert_eq!(project.id, "636b963c308ea65372b802bb");
    assert_eq!(store.import_project(&value).unwrap(), project);
    let kept = store.project_json(&project.id).unwrap();
    assert_eq!(kept["creation_time"], "2022-11-09T11:59:56.036000+00:00");
    assert_eq!(
        kept["pipeline"]["tasks"][0]["label_schema_id"],
        "636b963c308ea65372b802c5"
    );
    assert_eq!(kept["datasets"].as_array().unwrap().len(), 1);
    for bad in [
        json!(1),
        json!({}),
        json!({"name": "x", "pipeline": {"tasks": []}}),
    ] {
        assert!(matches!(
            store.import_project(&bad),
            Err(StoreError::Invalid(_))
        ));
    }
}

#[test]
fn a_project_can_be_changed_and_deleted() {
    let (_dir, store) = store();
    let (project, _) = common::project(&store);
    let mut value = store.project_json(&project.id).unwrap();
    value["name"] = json!("fish");
    assert_eq!(store.update_project(&value).unwrap().name, "fish");
    assert_eq!(
        store.project(&project.id).unwrap().datasets,
        project.datasets
    );
    store.delete_project(&project.id).unwrap();
    assert!(matches!(
        store.delete_project(&project.id),
        Err(StoreError::NotFound { .. })
    ));
}
