//! Images, annotations and queries through the public interface.
#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::items_after_statements)]

mod common;

use common::{files_below, image, project, stray};
use straylight_core::Shape;
use straylight_store::{
    Added, Decision, ImageFilter, ImageSort, NewImage, Page, Review, SortDirection, Store,
    StoreError, StoredAnnotation, StoredLabel,
};

const BY_NAME: (ImageSort, SortDirection) = (ImageSort::Name, SortDirection::Ascending);

fn whole(label: &str, probability: f64) -> StoredAnnotation {
    StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(4, 3),
        labels: vec![StoredLabel {
            id: format!("id of {label}"),
            name: label.to_owned(),
            probability,
        }],
    }
}

fn names(
    store: &Store,
    dataset: &str,
    filter: &ImageFilter,
    sort: (ImageSort, SortDirection),
) -> String {
    let page = store.images(dataset, filter, sort, Page::ALL).unwrap();
    assert_eq!(page.total, page.images.len() as u64);
    page.images
        .iter()
        .map(|i| i.name.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn filter(change: impl FnOnce(&mut ImageFilter)) -> ImageFilter {
    let mut filter = ImageFilter::default();
    change(&mut filter);
    filter
}

#[test]
fn the_same_file_goes_into_a_dataset_once_if_asked() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, dataset) = project(&store);
    let others = store.get_or_create_dataset(&project.id, "others").unwrap();
    let first = NewImage {
        once: true,
        idempotency_key: Some("first".to_owned()),
        ..image("a")
    };
    let added = store.add_image(&dataset.id, &first).unwrap();
    assert!(added.is_new());
    let again = NewImage {
        idempotency_key: Some("second".to_owned()),
        ..first.clone()
    };
    let same = store.add_image(&dataset.id, &again).unwrap();
    assert_eq!(same, Added::SameFile(added.image().clone()));
    let retried = store.add_image(&dataset.id, &first).unwrap();
    assert_eq!(retried, Added::AlreadyThere(added.image().clone()));
    // Also when a person has moved it on since, but not in another dataset.
    assert!(store.add_image(&others.id, &again).unwrap().is_new());
    store.move_image(&added.image().id, &others.id).unwrap();
    let moved = store.add_image(&dataset.id, &again).unwrap();
    assert!(matches!(moved, Added::SameFile(_)), "{moved:?}");
    let each_time = NewImage {
        once: false,
        ..again
    };
    let each_time = NewImage {
        idempotency_key: None,
        ..each_time
    };
    assert!(store.add_image(&dataset.id, &each_time).unwrap().is_new());
}

#[test]
fn an_image_comes_back_as_it_was_added() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    let new = stray("Küstenseeschwalbe 🐦", 0.75, "hook", "score 0.75 >= 0.5");
    let added = store.add_image(&dataset.id, &new).unwrap();
    assert!(added.is_new());
    let found = Store::open(dir.path())
        .unwrap()
        .image(&added.image().id)
        .unwrap();
    assert_eq!(&found, added.image());
    assert_eq!(
        (found.width, found.height, found.ood_score),
        (4, 3, Some(0.75))
    );
    assert_eq!(found.scores["knn"], 0.75);
    assert_eq!(store.image_bytes(&found.id).unwrap(), new.bytes.to_vec());
}

#[test]
fn a_key_is_added_once_also_after_moving_and_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, training) = project(&store);
    let strays = store.get_or_create_dataset(&project.id, "OOD").unwrap();
    let first = store
        .add_image(&strays.id, &stray("a", 0.9, "h", "r"))
        .unwrap();
    store.move_image(&first.image().id, &training.id).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let again = store
        .add_image(&strays.id, &stray("a", 0.9, "h", "r"))
        .unwrap();
    assert!(!again.is_new());
    assert_eq!(again.image().dataset_id, training.id);
    let keyless = NewImage {
        idempotency_key: None,
        ..stray("a", 0.9, "h", "r")
    };
    assert!(store.add_image(&strays.id, &keyless).unwrap().is_new());
}

#[test]
fn equal_bytes_share_a_file_until_the_last_image_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    let a = store
        .add_image(&dataset.id, &image("x"))
        .unwrap()
        .image()
        .id
        .clone();
    let b = store
        .add_image(&dataset.id, &image("x"))
        .unwrap()
        .image()
        .id
        .clone();
    let images = dir.path().join("images");
    store
        .thumbnail(&a, 200, |_, side| Ok::<_, ()>(side.to_string().into()))
        .unwrap()
        .unwrap();
    assert_eq!(files_below(&images).len(), 1);
    store.delete_image(&a).unwrap();
    assert_eq!(store.image_bytes(&b).unwrap(), b"x");
    store.delete_image(&b).unwrap();
    assert!(files_below(&images).is_empty());
    assert!(files_below(&dir.path().join("thumbnails")).is_empty());
    assert!(matches!(
        store.image(&b),
        Err(StoreError::NotFound { what: "image", .. })
    ));
}

#[test]
fn deleting_a_project_removes_every_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, dataset) = project(&store);
    // More than one batch of the clean-up.
    for i in 0..510 {
        store
            .add_image(&dataset.id, &image(&i.to_string()))
            .unwrap();
    }
    store.delete_project(&project.id).unwrap();
    assert!(files_below(&dir.path().join("images")).is_empty());
    assert!(matches!(
        store.datasets(&project.id),
        Err(StoreError::NotFound { .. })
    ));
}

#[test]
fn filters_and_sorts_choose_the_right_images() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    let add = |new: NewImage| {
        store
            .add_image(&dataset.id, &new)
            .unwrap()
            .image()
            .id
            .clone()
    };
    let a = add(NewImage {
        source: Some("gate".to_owned()),
        ..stray("a", 0.9, "ood", "score is high")
    });
    let b = add(stray("b", 0.1, "sample", "one in 100"));
    add(stray("c", 0.5, "ood", "Score is middling"));
    let d = add(NewImage {
        prediction: Some(vec![whole("dog", 0.7)]),
        ..image("d")
    });
    store.set_annotation(&a, &[whole("cat", 1.0)]).unwrap();
    store.set_review(&b, Review::Rejected).unwrap();
    struct Case(ImageFilter, (ImageSort, SortDirection), &'static str);
    use SortDirection::{Ascending, Descending};
    for Case(filter, sort, expected) in [
        Case(ImageFilter::default(), BY_NAME, "a b c d"),
        Case(
            ImageFilter::default(),
            (ImageSort::OodScore, Descending),
            "a c b d",
        ),
        Case(
            ImageFilter::default(),
            (ImageSort::OodScore, Ascending),
            "b c a d",
        ),
        Case(
            ImageFilter::default(),
            (ImageSort::UploadedAt, Descending),
            "d c b a",
        ),
        Case(filter(|f| f.label = Some("dog".into())), BY_NAME, "d"),
        Case(filter(|f| f.label = Some("cat".into())), BY_NAME, "a"),
        Case(
            filter(|f| f.hook = Some("ood".into())),
            (ImageSort::OodScore, Ascending),
            "c a",
        ),
        Case(filter(|f| f.hook = Some("ood".into())), BY_NAME, "a c"),
        Case(filter(|f| f.source = Some("gate".into())), BY_NAME, "a"),
        Case(
            filter(|f| f.source = Some("gate".into())),
            (ImageSort::OodScore, Descending),
            "a",
        ),
        Case(filter(|f| f.source = Some("yard".into())), BY_NAME, ""),
        Case(filter(|f| f.reason = Some("SCORE".into())), BY_NAME, "a c"),
        Case(filter(|f| f.reason = Some("%".into())), BY_NAME, ""),
        Case(filter(|f| f.min_score = Some(0.5)), BY_NAME, "a c"),
        Case(filter(|f| f.max_score = Some(0.5)), BY_NAME, "b c"),
        Case(filter(|f| f.annotated = Some(true)), BY_NAME, "a"),
        Case(filter(|f| f.annotated = Some(false)), BY_NAME, "b c d"),
        Case(filter(|f| f.review = Some(Review::Rejected)), BY_NAME, "b"),
        Case(filter(|f| f.review = Some(Review::Open)), BY_NAME, "a c d"),
        Case(
            filter(|f| (f.min_score, f.max_score) = (Some(0.2), Some(0.6))),
            (ImageSort::OodScore, Descending),
            "c",
        ),
    ] {
        assert_eq!(
            names(&store, &dataset.id, &filter, sort),
            expected,
            "{filter:?} {sort:?}"
        );
    }
    store.set_prediction(&d, &[whole("cat", 0.6)]).unwrap();
    let cats = filter(|f| f.label = Some("cat".into()));
    assert_eq!(names(&store, &dataset.id, &cats, BY_NAME), "a d");
}

#[test]
fn pages_join_to_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    for i in 0..23 {
        store
            .add_image(
                &dataset.id,
                &stray(&format!("{i:02}"), f64::from(i % 3), "h", "r"),
            )
            .unwrap();
    }
    let sort = (ImageSort::OodScore, SortDirection::Descending);
    let mut joined = Vec::new();
    for skip in (0..40).step_by(5) {
        let page = store
            .images(
                &dataset.id,
                &ImageFilter::default(),
                sort,
                Page { skip, limit: 5 },
            )
            .unwrap();
        assert_eq!(page.total, 23);
        joined.extend(page.images);
    }
    let all = store
        .images(&dataset.id, &ImageFilter::default(), sort, Page::ALL)
        .unwrap();
    assert_eq!(joined, all.images);
}

#[test]
fn annotations_keep_their_identity_and_accepting_makes_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    let new = NewImage {
        prediction: Some(vec![whole("dog", 0.7)]),
        ..image("d")
    };
    let id = store
        .add_image(&dataset.id, &new)
        .unwrap()
        .image()
        .id
        .clone();
    assert_eq!(store.annotation(&id).unwrap(), None);
    store.decide("p", &id, &Decision::AcceptPrediction).unwrap();
    let accepted = store.annotation(&id).unwrap().unwrap();
    assert_eq!(accepted.annotations[0].labels[0].probability, 1.0);
    assert_eq!(store.image(&id).unwrap().review, Review::Accepted);
    let changed = store.set_annotation(&id, &[whole("cat", 1.0)]).unwrap();
    assert_eq!(changed.id, accepted.id);
    assert_eq!(store.annotation(&id).unwrap(), Some(changed));
    store.remove_annotation(&id).unwrap();
    assert_eq!(store.annotation(&id).unwrap(), None);
    assert_eq!(store.image(&id).unwrap().annotated_at, None);
}

#[test]
fn statistics_count_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, dataset) = project(&store);
    for (name, score) in [("a", 0.0), ("b", 0.51), ("c", 1.0)] {
        let new = NewImage {
            prediction: Some(vec![whole("dog", 0.7)]),
            ..stray(name, score, "h", "r")
        };
        store.add_image(&dataset.id, &new).unwrap();
    }
    let statistics = store.statistics(&dataset.id).unwrap();
    assert_eq!(
        (statistics.images, statistics.annotated, statistics.bytes),
        (3, 0, 3)
    );
    assert_eq!(
        (
            statistics.labels[0].name.as_str(),
            statistics.labels[0].images
        ),
        ("dog", 3)
    );
    assert_eq!(
        (
            statistics.hooks[0].name.as_str(),
            statistics.hooks[0].images
        ),
        ("h", 3)
    );
    let bins: Vec<usize> = (0..20)
        .filter(|&i| statistics.score_histogram[i] == 1)
        .collect();
    assert_eq!(bins, [0, 10, 19]);
    let timeline = store.timeline(&dataset.id, 3600).unwrap();
    assert_eq!(timeline.iter().map(|b| b.images).sum::<u64>(), 3);
    assert_eq!(timeline.last().unwrap().max_score, Some(1.0));
}

#[test]
fn sources_are_counted_wherever_images_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (project, dataset) = project(&store);
    let other = store.get_or_create_dataset(&project.id, "other").unwrap();
    let add = |name: &str, source: &str| {
        let new = NewImage {
            source: Some(source.to_owned()),
            ..image(name)
        };
        let added = store.add_image(&dataset.id, &new).unwrap();
        added.image().id.clone()
    };
    let (a, b) = (add("a", "gate"), add("b", "yard"));
    add("c", "gate");
    store.add_image(&dataset.id, &image("d")).unwrap();
    assert_eq!(store.image(&a).unwrap().source.as_deref(), Some("gate"));
    let counts = |dataset: &str| {
        let sources = store.statistics(dataset).unwrap().sources;
        let counts = sources.into_iter().map(|count| (count.name, count.images));
        counts.collect::<Vec<_>>()
    };
    let count = |name: &str, images| (name.to_owned(), images);
    assert_eq!(counts(&dataset.id), [count("gate", 2), count("yard", 1)]);
    store.move_image(&a, &other.id).unwrap();
    store.delete_image(&b).unwrap();
    assert_eq!(counts(&dataset.id), [count("gate", 1)]);
    assert_eq!(counts(&other.id), [count("gate", 1)]);
    assert_eq!(store.sources(&dataset.id).unwrap(), ["gate"]);
}

#[test]
fn images_stay_in_their_project() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (_, one) = project(&store);
    let (_, other) = project(&store);
    let id = store
        .add_image(&one.id, &image("a"))
        .unwrap()
        .image()
        .id
        .clone();
    assert!(matches!(
        store.move_image(&id, &other.id),
        Err(StoreError::NotFound { .. })
    ));
    let long = image(&"x".repeat(1001));
    assert!(matches!(
        store.add_image(&one.id, &long),
        Err(StoreError::BadName { .. })
    ));
}
