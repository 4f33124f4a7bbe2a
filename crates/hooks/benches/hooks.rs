//! What hooks cost inference: submissions that do not fire, that a limit holds back, that queue
//! an event, and the writing of files.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use divan::{Bencher, black_box};
use straylight_core::{
    Activations, Annotation, Color, EncodedImage, Frame, ImageFormat, Prediction, RgbImage,
    ScoredLabel, Shape, Timestamp,
};
use straylight_hooks::action::{FileSystemDataCollection, FileSystemOptions};
use straylight_hooks::trigger::{AlwaysTrigger, ConfidenceTrigger, OodScorer, OodTrigger};
use straylight_hooks::{
    Action, ActionError, Event, HookOptions, HookSet, HookSetOptions, LimitOptions, Overflow,
    PostInferenceHook, QueueOptions, Trigger, TriggerError,
};

fn main() {
    divan::main();
}

/// A photograph-like frame of 640 x 480 with its prediction and a feature vector of 1,280.
fn seen() -> (Frame, Prediction) {
    let noise = |i: u32| (i.wrapping_mul(0x9e37_79b1) >> 27) as u8;
    let pixel = |i: u32| [(i % 640 / 4) as u8, (i / 640 / 2) as u8, noise(i)];
    let pixels = (0..640 * 480).flat_map(pixel).collect();
    let image = RgbImage::new(640, 480, pixels).unwrap();
    let label = ScoredLabel {
        id: "1".into(),
        name: "dog".into(),
        color: Color::BLACK,
        probability: 0.9,
    };
    let shape = Shape::whole_image(640, 480);
    let prediction = Prediction {
        annotations: vec![Annotation {
            shape,
            labels: vec![label],
        }],
        activations: Activations {
            features: Some(vec![0.5; 1_280].into()),
            ..Activations::default()
        },
        ..Prediction::default()
    };
    (Frame::new(image, "frame", Timestamp::now()), prediction)
}

/// A score that costs nothing, so that only the hook is measured.
struct Free;

impl OodScorer for Free {
    fn score(&self, _: &Activations) -> Result<f64, TriggerError> {
        Ok(0.1)
    }

    fn threshold(&self) -> f64 {
        0.5
    }
}

struct Nowhere;

impl Action for Nowhere {
    fn name(&self) -> &'static str {
        "Nowhere"
    }

    fn sink(&self) -> String {
        "nowhere".into()
    }

    fn perform(&self, _: &Event) -> Result<(), ActionError> {
        Ok(())
    }
}

fn set(trigger: Box<dyn Trigger>, action: Box<dyn Action>, options: HookOptions) -> HookSet {
    let set = HookSet::new(HookSetOptions::default());
    set.add(PostInferenceHook::new(trigger, action, options))
        .unwrap();
    set
}

fn submit(bencher: Bencher<'_, '_>, hooks: &HookSet) {
    let (frame, prediction) = seen();
    bencher.bench_local(|| black_box(hooks.submit(&frame, &prediction)));
}

#[divan::bench]
fn ood_that_does_not_fire(bencher: Bencher<'_, '_>) {
    let trigger = Box::new(OodTrigger::new(Arc::new(Free)));
    submit(
        bencher,
        &set(trigger, Box::new(Nowhere), HookOptions::default()),
    );
}

#[divan::bench]
fn confidence_that_does_not_fire(bencher: Bencher<'_, '_>) {
    let trigger = Box::new(ConfidenceTrigger::new(0.5, None));
    submit(
        bencher,
        &set(trigger, Box::new(Nowhere), HookOptions::default()),
    );
}

#[divan::bench]
fn fires_and_is_held_back_by_the_rate(bencher: Bencher<'_, '_>) {
    let limits = LimitOptions {
        max_frames_per_second: Some(0.01),
        ..LimitOptions::default()
    };
    let options = HookOptions {
        limits,
        ..HookOptions::default()
    };
    submit(
        bencher,
        &set(Box::new(AlwaysTrigger), Box::new(Nowhere), options),
    );
}

#[divan::bench]
fn fires_into_a_queue_in_memory(bencher: Bencher<'_, '_>) {
    submit(
        bencher,
        &set(
            Box::new(AlwaysTrigger),
            Box::new(Nowhere),
            HookOptions::default(),
        ),
    );
}

/// Image, prediction, score and overlay of one event, written and synced.
#[divan::bench(sample_count = 20)]
fn files_of_one_event(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let action = FileSystemDataCollection::new(FileSystemOptions::new(folder.path()));
    let options = HookOptions {
        max_threads: 0,
        ..HookOptions::default()
    };
    submit(
        bencher,
        &set(Box::new(AlwaysTrigger), Box::new(action), options),
    );
}

/// An event that is durable on disk, delivered, and removed again; the image is a file already.
#[divan::bench(sample_count = 20)]
fn one_event_through_a_queue_on_disk(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let hooks = HookSet::new(HookSetOptions {
        state_folder: Some(folder.path().to_owned()),
        ..HookSetOptions::default()
    });
    let queue = QueueOptions {
        overflow: Overflow::Wait,
        ..QueueOptions::DISK
    };
    let options = HookOptions {
        max_threads: 0,
        queue: Some(queue),
        ..HookOptions::default()
    };
    hooks
        .add(PostInferenceHook::new(
            Box::new(AlwaysTrigger),
            Box::new(Nowhere),
            options,
        ))
        .unwrap();
    let (frame, prediction) = seen();
    let bytes = straylight_image::encode_jpeg(frame.image(), 90)
        .unwrap()
        .into();
    let frame = frame.with_encoded(EncodedImage {
        format: ImageFormat::Jpeg,
        bytes,
    });
    bencher.bench_local(|| black_box(hooks.submit(&frame, &prediction)));
}

/// 64 events through two workers that write files: events a second of the whole pipe.
#[divan::bench(sample_count = 5)]
fn sixty_four_events_with_files_on_two_threads(bencher: Bencher<'_, '_>) {
    let (frame, prediction) = seen();
    let folder = Mutex::new(Vec::new());
    bencher
        .counter(divan::counter::ItemsCount::new(64u32))
        .bench_local(|| {
            let target = tempfile::tempdir().unwrap();
            let action = FileSystemDataCollection::new(FileSystemOptions::new(target.path()));
            folder.lock().unwrap().push(target);
            let queue = QueueOptions {
                overflow: Overflow::Wait,
                ..QueueOptions::MEMORY
            };
            let options = HookOptions {
                max_threads: 2,
                queue: Some(queue),
                ..HookOptions::default()
            };
            let hooks = set(Box::new(AlwaysTrigger), Box::new(action), options);
            for _ in 0..64 {
                hooks.submit(&frame, &prediction);
            }
            drop(hooks);
        });
}
