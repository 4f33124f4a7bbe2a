//! Many images at once: every image keeps its own prediction, and nobody waits for ever.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use straylight_core::{Frame, Prediction};
use straylight_deploy::{DeployError, Deployment, Input, Keep, StreamOptions};

/// How many different pictures there are; each gives its own scores.
const PICTURES: usize = 61;
/// How many images pass through in a test.
const IMAGES: usize = 4000;

struct Scene {
    _root: tempfile::TempDir,
    deployment: Arc<Deployment>,
    pictures: Vec<Frame>,
    expected: Vec<Prediction>,
}

impl Scene {
    /// A tiny classifier with all its pictures inferred one after the other.
    fn new() -> Self {
        let (root, deployment) = common::load_case(&common::case("single_explain"));
        let picture = |index: usize| common::picture(20, 14, index as u32 * 4, &index.to_string());
        let pictures: Vec<Frame> = (0..PICTURES).map(picture).collect();
        let infer = |frame: &Frame| deployment.infer_with(frame, Keep::ACTIVATIONS).unwrap();
        let expected: Vec<Prediction> = pictures.iter().map(infer).collect();
        for (index, one) in expected.iter().enumerate() {
            assert!(
                expected[..index].iter().all(|other| other != one),
                "pictures must differ"
            );
        }
        Self {
            _root: root,
            deployment: Arc::new(deployment),
            pictures,
            expected,
        }
    }

    fn picture(&self, image: usize) -> Frame {
        self.pictures[image * 7 % PICTURES].clone()
    }

    fn check(&self, frame: &Frame, prediction: &Prediction) {
        let index: usize = frame.name().parse().unwrap();
        assert_eq!(*prediction, self.expected[index], "image {index}");
    }
}

fn options() -> StreamOptions {
    StreamOptions {
        keep: Keep::ACTIVATIONS,
        workers: 4,
        in_flight: 9,
    }
}

#[test]
fn thousands_of_images_keep_their_own_predictions() {
    let scene = Scene::new();
    let (sender, receiver) = channel();
    let workers = scene.deployment.start_async(options()).unwrap();
    for image in 0..IMAGES {
        let sender = sender.clone();
        workers
            .submit(scene.picture(image), move |outcome| {
                sender.send(outcome).unwrap();
            })
            .unwrap();
    }
    workers.await_all();
    let outcomes: Vec<_> = receiver.try_iter().collect();
    assert_eq!(outcomes.len(), IMAGES);
    for outcome in outcomes {
        let (frame, prediction) = outcome.unwrap();
        scene.check(&frame, &prediction);
    }
}

#[test]
fn threads_that_infer_synchronously_never_mix_their_results() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let scene = &scene;
            scope.spawn(move || {
                for image in (thread..IMAGES).step_by(16) {
                    let frame = scene.picture(image);
                    let prediction = scene
                        .deployment
                        .infer_with(&frame, Keep::ACTIVATIONS)
                        .unwrap();
                    scene.check(&frame, &prediction);
                }
            });
        }
    });
}

#[test]
fn ordered_results_come_in_the_order_of_the_images() {
    let scene = Scene::new();
    let inputs = (0..500).map(|image| scene.picture(image));
    let results = scene.deployment.infer_ordered(inputs, options()).unwrap();
    let mut count = 0;
    for (position, result) in results.enumerate() {
        assert_eq!(result.index, position as u64);
        let (frame, prediction) = result.outcome.unwrap();
        assert_eq!(frame.name(), scene.picture(position).name());
        scene.check(&frame, &prediction);
        count += 1;
    }
    assert_eq!(count, 500);
}

#[test]
fn unordered_results_are_complete() {
    let scene = Scene::new();
    let inputs = (0..500).map(|image| scene.picture(image));
    let results = scene.deployment.infer_unordered(inputs, options()).unwrap();
    let mut seen: Vec<u64> = results
        .map(|result| {
            let (frame, prediction) = result.outcome.unwrap();
            scene.check(&frame, &prediction);
            result.index
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..500).collect::<Vec<u64>>());
}

#[test]
fn a_stream_takes_no_more_images_than_it_may() {
    let scene = Scene::new();
    let taken = Arc::new(AtomicUsize::new(0));
    let inputs = (0..200).map(|image| {
        taken.fetch_add(1, Ordering::SeqCst);
        scene.picture(image)
    });
    let mut results = scene.deployment.infer_ordered(inputs, options()).unwrap();
    for given in 1..=50 {
        results.next().unwrap().outcome.unwrap();
        assert!(taken.load(Ordering::SeqCst) <= given + 9, "after {given}");
    }
}

#[test]
fn a_full_pool_gives_the_image_back() {
    let scene = Scene::new();
    let options = StreamOptions {
        workers: 1,
        in_flight: 2,
        keep: Keep::NOTHING,
    };
    let workers = scene.deployment.start_async(options).unwrap();
    assert_eq!(workers.bound(), 2);
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let (sender, receiver) = channel();
    let wait = |gate: &Arc<Mutex<()>>| {
        let (gate, sender) = (Arc::clone(gate), sender.clone());
        move |_| {
            sender.send(()).unwrap();
            drop(gate.lock());
        }
    };
    workers.submit(scene.picture(0), wait(&gate)).unwrap();
    receiver.recv().unwrap(); // The only worker now waits at the gate.
    workers.submit(scene.picture(1), wait(&gate)).unwrap();
    let refused = workers.try_submit(scene.picture(2), |_| {}).unwrap_err();
    assert!(matches!(refused, Input::Frame(frame) if frame.name() == scene.picture(2).name()));
    drop(closed);
    workers.await_all();
    workers.try_submit(scene.picture(2), |_| {}).unwrap();
}

#[test]
fn files_are_read_by_the_workers_and_errors_name_them() {
    let scene = Scene::new();
    let good = common::root().join("fixtures/demo_io/crop_5x3.png");
    let inputs = [good, PathBuf::from("/no/such/picture.png")];
    let results: Vec<_> = scene
        .deployment
        .infer_ordered(inputs, options())
        .unwrap()
        .collect();
    assert_eq!(results[0].outcome.as_ref().unwrap().0.name(), "crop_5x3");
    let error = results[1].outcome.as_ref().unwrap_err();
    assert!(
        matches!(error, DeployError::Image(_))
            && error.to_string().contains("/no/such/picture.png")
    );
}

#[test]
fn a_completion_that_panics_stops_nothing() {
    let scene = Scene::new();
    let options = StreamOptions {
        workers: 1,
        ..StreamOptions::default()
    };
    let workers = scene.deployment.start_async(options).unwrap();
    workers
        .submit(scene.picture(0), |_| panic!("on purpose"))
        .unwrap();
    let (sender, receiver) = channel();
    workers
        .submit(scene.picture(1), move |outcome| {
            sender.send(outcome.is_ok()).unwrap();
        })
        .unwrap();
    workers.await_all();
    assert_eq!(receiver.try_recv(), Ok(true));
}

#[test]
fn dropping_the_workers_completes_what_was_accepted() {
    let scene = Scene::new();
    let done = Arc::new(AtomicUsize::new(0));
    let workers = scene.deployment.start_async(options()).unwrap();
    for image in 0..50 {
        let done = Arc::clone(&done);
        let count = move |_| {
            done.fetch_add(1, Ordering::SeqCst);
        };
        workers.submit(scene.picture(image), count).unwrap();
    }
    drop(workers);
    assert_eq!(done.load(Ordering::SeqCst), 50);
}
