//! What people decide, and taking it back.
#![allow(clippy::unwrap_used, clippy::items_after_statements)]

mod common;

use common::{image, project};
use straylight_core::Shape;
use straylight_store::{
    Decision, NewImage, Review, Store, StoreError, StoredAnnotation, StoredLabel, Undone,
};

fn shows(label: &str) -> Vec<StoredAnnotation> {
    vec![StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(4, 3),
        labels: vec![StoredLabel {
            id: format!("id of {label}"),
            name: label.to_owned(),
            probability: 0.7,
        }],
    }]
}

/// A store with one image, which a model takes for a dog.
fn one_image(root: &std::path::Path) -> (Store, String) {
    let store = Store::open(root).unwrap();
    let (_, dataset) = project(&store);
    let new = NewImage {
        prediction: Some(shows("dog")),
        ..image("a")
    };
    let id = store.add_image(&dataset.id, &new).unwrap();
    let id = id.image().id.clone();
    (store, id)
}

fn label(store: &Store, id: &str) -> Option<String> {
    let scene = store.annotation(id).unwrap();
    scene.map(|s| s.annotations[0].labels[0].name.clone())
}

#[test]
fn decisions_are_taken_back_after_a_restart_the_last_first() {
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = one_image(dir.path());
    let annotate = Decision::Annotate(shows("cat"));
    for decision in [&annotate, &Decision::AcceptPrediction, &Decision::Reject] {
        store.decide("me", &id, decision).unwrap();
    }
    let image = store.image(&id).unwrap();
    assert_eq!(
        (label(&store, &id).as_deref(), image.review),
        (Some("dog"), Review::Rejected)
    );
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    struct Case(Option<&'static str>, Review);
    for Case(expected, review) in [
        Case(Some("dog"), Review::Accepted),
        Case(Some("cat"), Review::Accepted),
        Case(None, Review::Open),
    ] {
        assert_eq!(store.undo("me").unwrap(), Undone::Image(id.clone()));
        let found = (label(&store, &id), store.image(&id).unwrap().review);
        assert_eq!(found, (expected.map(str::to_owned), review));
    }
    assert_eq!(store.undo("me").unwrap(), Undone::Nothing);
}

#[test]
fn a_move_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = one_image(dir.path());
    let from = store.image(&id).unwrap().dataset_id;
    let project = store.project_of_dataset(&from).unwrap();
    let target = store.create_dataset(&project, "strays").unwrap();
    store
        .decide("me", &id, &Decision::Move(target.id.clone()))
        .unwrap();
    assert_eq!(store.image(&id).unwrap().dataset_id, target.id);
    store.undo("me").unwrap();
    assert_eq!(store.image(&id).unwrap().dataset_id, from);
}

#[test]
fn nobody_takes_back_what_somebody_else_decided() {
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = one_image(dir.path());
    store
        .decide("me", &id, &Decision::Annotate(shows("cat")))
        .unwrap();
    assert_eq!(store.undo("you").unwrap(), Undone::Nothing);
    store.decide("you", &id, &Decision::Reject).unwrap();
    assert_eq!(store.undo("me").unwrap(), Undone::Overtaken(id.clone()));
    assert_eq!(store.image(&id).unwrap().review, Review::Rejected);
    assert_eq!(store.undo("you").unwrap(), Undone::Image(id.clone()));
    assert_eq!(label(&store, &id).as_deref(), Some("cat"));
    assert_eq!(store.undo("me").unwrap(), Undone::Nothing);
}

#[test]
fn what_failed_is_not_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = one_image(dir.path());
    let nowhere = Decision::Move("0123456789abcdef01234567".to_owned());
    let error = store.decide("me", &id, &nowhere).unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    assert_eq!(store.undo("me").unwrap(), Undone::Nothing);
}

#[test]
fn the_oldest_of_many_decisions_are_forgotten_and_those_of_gone_images() {
    let dir = tempfile::tempdir().unwrap();
    let (store, id) = one_image(dir.path());
    for _ in 0..205 {
        store.decide("me", &id, &Decision::Reject).unwrap();
    }
    let undone = (0..300).take_while(|_| store.undo("me").unwrap() != Undone::Nothing);
    assert_eq!(undone.count(), 200);
    store.decide("me", &id, &Decision::Reject).unwrap();
    store.delete_image(&id).unwrap();
    assert_eq!(store.undo("me").unwrap(), Undone::Nothing);
}
