//! The numbers that triggers keep are those that counting gives, whatever was done.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod common;

use std::collections::BTreeMap;

use common::{image, project, stray};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use straylight_core::{Shape, Timestamp};
use straylight_store::{
    ImageFilter, ImageRecord, ImageSort, NewImage, Page, Review, SortDirection, Store,
    StoredAnnotation, StoredLabel,
};

#[derive(Debug, Clone)]
enum Step {
    Add {
        score: Option<u8>,
        minute: u8,
        hook: bool,
        into: bool,
    },
    Annotate(u8, bool),
    Forget(u8),
    Review(u8, Review),
    Move(u8, bool),
    Delete(u8),
    DeleteDataset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let score = proptest::option::of(0_u8..=20);
    let add =
        (score, 0_u8..40, any::<bool>(), any::<bool>()).prop_map(|(score, minute, hook, into)| {
            Step::Add {
                score,
                minute,
                hook,
                into,
            }
        });
    let review = prop::sample::select(vec![Review::Open, Review::Accepted, Review::Rejected]);
    let step = prop_oneof![
        6 => add,
        1 => (any::<u8>(), any::<bool>()).prop_map(|(i, l)| Step::Annotate(i, l)),
        1 => any::<u8>().prop_map(Step::Forget),
        1 => (any::<u8>(), review).prop_map(|(i, r)| Step::Review(i, r)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(i, t)| Step::Move(i, t)),
        2 => any::<u8>().prop_map(Step::Delete),
        1 => Just(Step::DeleteDataset),
    ];
    proptest::collection::vec(step, 1..40)
}

fn shows(label: &str) -> StoredAnnotation {
    StoredAnnotation {
        id: String::new(),
        shape: Shape::whole_image(4, 3),
        labels: vec![StoredLabel {
            id: label.to_owned(),
            name: label.to_owned(),
            probability: 0.5,
        }],
    }
}

fn new_image(score: Option<u8>, minute: u8, hook: bool) -> NewImage {
    let hook = if hook { "one" } else { "two" };
    let mut new = match score {
        Some(score) => stray("a", f64::from(score) / 20.0, hook, "r"),
        None => image("b"),
    };
    new.idempotency_key = None;
    new.prediction = score.map(|_| vec![shows("bird")]);
    // Around 1970, where a wrong division shows.
    new.captured_at = Timestamp::from_second(i64::from(minute) * 47 - 900).ok();
    new
}

/// Does something with one of the images, if there are any.
fn on(images: &[String], i: u8, work: impl FnOnce(&str)) {
    if let Some(id) = images.get(i as usize % images.len().max(1)) {
        work(id);
    }
}

fn act(store: &Store, datasets: &mut [String; 2], images: &mut Vec<String>, step: &Step) {
    match *step {
        Step::Add {
            score,
            minute,
            hook,
            into,
        } => {
            let new = new_image(score, minute, hook);
            let added = store.add_image(&datasets[usize::from(into)], &new).unwrap();
            images.push(added.image().id.clone());
        }
        Step::Annotate(i, l) => {
            let label = if l { "cat" } else { "dog" };
            on(images, i, |id| {
                drop(store.set_annotation(id, &[shows(label)]).unwrap());
            });
        }
        Step::Forget(i) => {
            on(images, i, |id| store.remove_annotation(id).unwrap());
        }
        Step::Review(i, review) => {
            on(images, i, |id| store.set_review(id, review).unwrap());
        }
        Step::Move(i, to) => {
            let target = &datasets[usize::from(to)];
            on(images, i, |id| store.move_image(id, target).unwrap());
        }
        Step::Delete(i) => {
            on(images, i, |id| store.delete_image(id).unwrap());
            images.retain(|id| store.image(id).is_ok());
        }
        Step::DeleteDataset => {
            store.delete_dataset(&datasets[1]).unwrap();
            let project = store.project_of_dataset(&datasets[0]).unwrap();
            datasets[1] = store.create_dataset(&project, "strays").unwrap().id;
            images.retain(|id| store.image(id).is_ok());
        }
    }
}

fn check(store: &Store, dataset: &str) {
    let sort = (ImageSort::Name, SortDirection::Ascending);
    let all = store.images(dataset, &ImageFilter::default(), sort, Page::ALL);
    let all = all.unwrap().images;
    let found = store.statistics(dataset).unwrap();
    let count = |is: &dyn Fn(&ImageRecord) -> bool| all.iter().filter(|i| is(i)).count() as u64;
    assert_eq!(found.images, all.len() as u64);
    assert_eq!(found.annotated, count(&|i| i.annotated_at.is_some()));
    assert_eq!(found.rejected, count(&|i| i.review == Review::Rejected));
    assert_eq!(found.bytes, all.iter().map(|i| i.size).sum::<u64>());
    for hook in ["one", "two"] {
        let told = found.hooks.iter().find(|h| h.name == hook);
        let amount = count(&|i| i.hook.as_deref() == Some(hook));
        assert_eq!(told.map_or(0, |h| h.images), amount);
    }
    for label in ["bird", "cat", "dog"] {
        let filter = |i: &ImageRecord| {
            let scene = store
                .annotation(&i.id)
                .unwrap()
                .or(store.prediction(&i.id).unwrap());
            scene.is_some_and(|s| s.annotations[0].labels[0].name == label)
        };
        let told = found.labels.iter().find(|l| l.name == label);
        assert_eq!(told.map_or(0, |l| l.images), count(&filter), "{label}");
    }
    for (bin, &amount) in found.score_histogram.iter().enumerate() {
        let in_bin = |i: &ImageRecord| i.ood_score.map(|s| ((s * 20.0) as usize).min(19));
        assert_eq!(amount, count(&|i| in_bin(i) == Some(bin)));
    }
    for seconds in [60, 300, 900, 3600, 86_400, 7] {
        timeline(store, dataset, &all, seconds);
    }
}

fn timeline(store: &Store, dataset: &str, all: &[ImageRecord], seconds: u32) {
    let width = i64::from(seconds) * 1_000_000;
    let mut expected: BTreeMap<i64, Vec<Option<f64>>> = BTreeMap::new();
    for image in all {
        let start = image.captured_at.as_microsecond() / width * width;
        expected.entry(start).or_default().push(image.ood_score);
    }
    let found = store.timeline(dataset, seconds).unwrap();
    let starts: Vec<i64> = found.iter().map(|b| b.start.as_microsecond()).collect();
    assert_eq!(starts, expected.keys().copied().collect::<Vec<_>>());
    for (bucket, scores) in found.iter().zip(expected.values()) {
        assert_eq!(bucket.images, scores.len() as u64);
        let scores: Vec<f64> = scores.iter().copied().flatten().collect();
        let greatest = scores.iter().copied().reduce(f64::max);
        assert_eq!(bucket.max_score, greatest, "{seconds}");
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let told = bucket.mean_score.unwrap_or(f64::NAN);
        assert!((told - mean).abs() < 1e-6 || told.is_nan() && mean.is_nan());
    }
}

#[test]
fn tallies_are_what_counting_gives() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    TestRunner::new(Config::with_cases(24))
        .run(&steps(), |steps| {
            let (project, training) = project(&store);
            let strays = store.create_dataset(&project.id, "strays").unwrap();
            let mut datasets = [training.id, strays.id];
            let mut images = Vec::new();
            for step in &steps {
                act(&store, &mut datasets, &mut images, step);
            }
            for dataset in &datasets {
                check(&store, dataset);
            }
            store.delete_project(&project.id).unwrap();
            Ok(())
        })
        .unwrap();
}
