//! Nearest images by feature vectors.
#![allow(clippy::unwrap_used)]

mod common;

use common::{image, project};
use straylight_store::{Review, Store};

#[test]
fn the_nearest_come_first_and_only_those_that_can_be_compared() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("store")).unwrap();
    let (birds, training) = project(&store);
    let strays = store.create_dataset(&birds.id, "strays").unwrap();
    let folder = dir.path().join("deployment");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("project.json"), b"{}").unwrap();
    let deployment = store
        .add_deployment(&birds.id, "d", &folder, &serde_json::json!({}))
        .unwrap();
    let add = |dataset: &str, name: &str| {
        let added = store.add_image(dataset, &image(name)).unwrap();
        added.image().id.clone()
    };
    let stray = add(&strays.id, "stray");
    let [near, far, rejected, unread, unseen] =
        ["near", "far", "rejected", "unread", "unseen"].map(|name| add(&training.id, name));
    let keep = |id: &str, features: &[f32]| {
        store.set_features(&deployment.id, id, features).unwrap();
    };
    assert!(!store.has_features(&deployment.id, &stray).unwrap());
    keep(&stray, &[9.0, 0.0]);
    keep(&near, &[0.1, 0.01]);
    keep(&far, &[-5.0, 5.0]);
    keep(&rejected, &[9.0, 0.0]);
    keep(&unread, &[]);
    store.set_review(&rejected, Review::Rejected).unwrap();

    let found = |count| store.nearest(&deployment.id, &training.id, &stray, count);
    let neighbours = found(9).unwrap();
    let ids: Vec<&str> = neighbours.iter().map(|n| n.image.id.as_str()).collect();
    assert_eq!(ids, [&near, &far]);
    assert!(neighbours[0].similarity > 0.99 && neighbours[1].similarity < -0.7);
    assert_eq!(found(1).unwrap().len(), 1);
    let missing = store.without_features(&deployment.id, &training.id, 9);
    assert_eq!(missing.unwrap(), (vec![unseen], 1));
    // Other vectors of the same image take the place of the earlier ones.
    keep(&far, &[9.0, 0.0]);
    assert_eq!(found(1).unwrap()[0].image.id, far);
    store.delete_deployment(&deployment.id).unwrap();
    assert!(found(9).unwrap().is_empty());
}
