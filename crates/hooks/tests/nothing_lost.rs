//! Queues that are full, sinks that stand still, and what is left of an event at the end.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Sink, Watched, hook, start};
use straylight_core::{EncodedImage, Frame, ImageFormat, Prediction, RgbImage};
use straylight_hooks::clock::ManualClock;
use straylight_hooks::{
    ActionError, DrainOptions, DropReason, HookOptions, HookSetOptions, Outcome, Overflow,
    QueueFolder, QueueOptions, SourceKind,
};

/// A sink whose every delivery waits for a word; dropping the words lets all through.
fn gated() -> (Sink, Sender<()>) {
    let (open, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let sink = Sink::new(move |_| {
        let _ = gate.lock().unwrap().recv();
        Ok(())
    });
    (sink, open)
}

/// The same sink, on this machine.
fn local(sink: Sink) -> Sink {
    Sink {
        is_remote: false,
        ..sink
    }
}

fn small(threads: usize, room: usize) -> HookOptions {
    HookOptions {
        max_threads: threads,
        queue_size: Some(room),
        ..HookOptions::default()
    }
}

fn of_source(source: SourceKind) -> HookSetOptions {
    HookSetOptions {
        source,
        ..HookSetOptions::default()
    }
}

#[test]
fn a_source_that_can_wait_waits_and_so_does_whoever_calls_infer() {
    for source in [SourceKind::CanWait, SourceKind::Unknown] {
        let (sink, open) = gated();
        let hooks = Watched::new(of_source(source));
        hooks.add(hook(&sink, small(2, 3))).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..20 {
                    hooks.submit(&n.to_string());
                }
            });
            for _ in 0..20 {
                assert!(hooks.statistics().ledger.waiting() <= 3);
                open.send(()).unwrap();
            }
        });
        let lost = hooks.finish(DrainOptions {
            at_most: None,
            stall: None,
        });
        let stats = hooks.statistics();
        assert!(lost.is_empty() && !stats.has_lost(), "{stats:?}");
        assert_eq!((stats.run.fired, stats.run.delivered), (20, 20));
    }
}

#[test]
fn a_queue_that_stands_still_gives_the_image_up_that_waits_and_says_so() {
    let clock = ManualClock::new(start());
    let stall = Duration::from_secs(600);
    let hooks = Watched::new(HookSetOptions {
        clock: Arc::new(clock.clone()),
        stall: Some(stall),
        source: SourceKind::CanWait,
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    });
    let (sink, open) = gated();
    hooks.add(hook(&sink, small(1, 1))).unwrap();
    hooks.submit("first");
    let prediction = Prediction::default();
    let second = common::frame("second");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| hooks.set().submit(&second, &prediction).remove(0));
        // Half of the time is over when something happens: there is room again.
        clock.advance(stall / 2);
        open.send(()).unwrap();
        let outcome = waiting.join().unwrap();
        assert!(matches!(outcome, Outcome::Queued { .. }), "{outcome:?}");
        let third = scope.spawn(|| hooks.set().submit(&common::frame("third"), &prediction));
        while !third.is_finished() {
            clock.advance(stall);
        }
        let outcome = third.join().unwrap().remove(0);
        let reason = DropReason::Stalled;
        assert!(matches!(outcome, Outcome::Dropped { reason: found, .. } if found == reason));
    });
    let stats = hooks.statistics();
    assert!(stats.has_lost());
    assert_eq!((stats.run.fired, stats.run.total_dropped()), (3, 1));
    drop(open);
}

/// A megapixel in a file of some kilobytes, as a photo is.
fn photo(name: &str) -> (Frame, u64) {
    let image = RgbImage::filled(1_000, 1_000, [90, 100, 110]).unwrap();
    let bytes = straylight_image::encode_jpeg(&image, 80).unwrap();
    let size = bytes.len() as u64;
    let encoded = EncodedImage {
        format: ImageFormat::Jpeg,
        bytes: bytes.into(),
    };
    (Frame::new(image, name, start()).with_encoded(encoded), size)
}

#[test]
fn what_waits_is_the_file_and_limits_count_what_is_held() {
    let (sink, open) = gated();
    let hooks = Watched::new(of_source(SourceKind::CanWait));
    let options = HookOptions {
        max_threads: 1,
        queue: Some(QueueOptions {
            // Room for two photos as pixels, and for all of them as files.
            max_bytes: 7_000_000,
            ..QueueOptions::MEMORY
        }),
        ..HookOptions::default()
    };
    hooks.add(hook(&sink, options)).unwrap();
    for n in 0..50 {
        hooks.show(&photo(&n.to_string()).0, &Prediction::default());
    }
    let held = hooks.statistics().memory_bytes;
    let (_, file) = photo("x");
    let pixels = 3_000_000;
    assert!(
        held <= pixels + 50 * (file + 2_000),
        "{held} bytes for files of {file}"
    );
    drop(open);
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(hooks.statistics().run.delivered, 50);
}

#[test]
fn whoever_infers_does_not_wait_for_a_remote_sink_while_its_queue_has_room() {
    let (sink, open) = gated();
    // Its clock stands still: whoever waited for a moment would wait for ever.
    let hooks = Watched::new(HookSetOptions {
        clock: Arc::new(ManualClock::new(start())),
        ..of_source(SourceKind::Unknown)
    });
    hooks.add(hook(&sink, small(1, 200))).unwrap();
    let (done, all_are_in) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..80 {
                hooks.show(&photo(&n.to_string()).0, &Prediction::default());
            }
            done.send(()).unwrap();
        });
        let waited = all_are_in.recv_timeout(Duration::from_secs(120));
        drop(open);
        waited.unwrap();
    });
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(hooks.statistics().run.delivered, 80);
}

#[test]
fn frames_without_a_file_are_encoded_once_much_waits() {
    let (sink, open) = gated();
    let hooks = Watched::new(of_source(SourceKind::CanWait));
    hooks.add(hook(&sink, small(1, 100))).unwrap();
    for n in 0..30u8 {
        let image = RgbImage::filled(2_000, 1_000, [n; 3]).unwrap();
        hooks.show(
            &Frame::new(image, n.to_string(), start()),
            &Prediction::default(),
        );
    }
    let held = hooks.statistics().memory_bytes;
    assert!(held < 80 << 20, "{held} of 180 million bytes of pixels");
    drop(open);
    assert!(hooks.drain(Duration::from_secs(120)));
}

#[test]
fn what_is_left_at_the_end_waits_for_the_next_run_if_there_is_a_folder_and_is_named_if_not() {
    let fails = || local(Sink::new(|_| Err(ActionError::transient("away"))));
    let end = DrainOptions {
        at_most: Some(Duration::ZERO),
        stall: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let in_folder = || HookSetOptions {
        state_folder: Some(folder.path().to_owned()),
        source: SourceKind::CanWait,
        ..HookSetOptions::default()
    };
    let hooks = Watched::new(in_folder());
    hooks.add(hook(&fails(), HookOptions::default())).unwrap();
    for n in 0..7 {
        hooks.submit(&n.to_string());
    }
    assert_eq!(hooks.finish(end), []);
    let stats = hooks.statistics();
    assert_eq!(
        (stats.run.fired, stats.run.queued, stats.has_lost()),
        (7, 7, false)
    );
    drop(hooks);
    assert_eq!(
        QueueFolder::all(folder.path()).unwrap()[0]
            .ledger()
            .unwrap()
            .queued,
        7
    );

    let hooks = Watched::new(in_folder());
    let works = local(Sink::new(|_| Ok(())));
    // A thread of the hooks before holds the folder until the machine lets it end.
    while hooks.add(hook(&works, HookOptions::default())).is_err() {
        std::thread::yield_now();
    }
    hooks.submit("8");
    assert!(hooks.drain(Duration::from_secs(60)));
    let stats = hooks.statistics();
    assert_eq!((stats.run.fired, stats.run.delivered), (1, 1));
    assert_eq!((stats.earlier.fired, stats.earlier.delivered), (7, 7));
    assert_eq!(stats.ledger.delivered, 8);
    drop(hooks);

    let hooks = Watched::new(of_source(SourceKind::CanWait));
    hooks.add(hook(&fails(), HookOptions::default())).unwrap();
    hooks.submit("a");
    let lost = hooks.finish(end);
    let names: Vec<&str> = lost.iter().map(|image| image.name.as_str()).collect();
    assert_eq!(names, ["a"]);
    let stats = hooks.statistics();
    assert!(stats.has_lost());
    assert_eq!(stats.run.dropped[&DropReason::Closed], 1);
}

/// Two sinks that hang, and a time of their own for nobody: the end comes in time for both.
#[test]
fn hooks_that_hang_end_together() {
    let (first, open_first) = gated();
    let (second, open_second) = gated();
    let hooks = Watched::new(of_source(SourceKind::CanWait));
    for (name, sink) in [("first", &first), ("second", &second)] {
        let options = HookOptions {
            name: Some(name.to_owned()),
            ..HookOptions::default()
        };
        hooks.add(hook(sink, options)).unwrap();
    }
    hooks.submit("a");
    let lost = hooks.finish(DrainOptions {
        at_most: Some(Duration::ZERO),
        stall: None,
    });
    assert_eq!(lost.len(), 2);
    assert!(
        hooks
            .stats()
            .iter()
            .all(|stats| stats.run.in_memory == 0 && stats.has_lost())
    );
    drop((open_first, open_second));
}

#[test]
fn a_dead_letter_of_a_queue_in_memory_is_on_disk_if_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let hooks = Watched::new(HookSetOptions {
        state_folder: Some(folder.path().to_owned()),
        ..HookSetOptions::default()
    });
    let refuses = local(Sink::new(|_| Err(ActionError::permanent("no"))));
    hooks.add(hook(&refuses, HookOptions::default())).unwrap();
    for n in 0..8 {
        hooks.submit(&n.to_string());
    }
    assert!(hooks.drain(Duration::from_secs(60)));
    let stats = hooks.statistics();
    assert_eq!((stats.run.dead, stats.died, stats.has_lost()), (8, 8, true));
    drop(hooks);
    let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
    assert_eq!(queue.ledger().unwrap().dead, 8);
    assert_eq!(queue.events().unwrap().len(), 8);
}

#[test]
fn a_live_source_without_a_disk_loses_new_images_and_hears_of_it() {
    let (sink, open) = gated();
    let hooks = Watched::new(of_source(SourceKind::Live));
    hooks.add(hook(&sink, small(1, 2))).unwrap();
    for n in 0..5 {
        hooks.submit(&n.to_string());
    }
    let stats = hooks.statistics();
    assert_eq!(stats.run.dropped[&DropReason::QueueFull], 3);
    assert!(stats.has_lost());
    drop(open);
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(sink.has(), ["0", "1"]);
}

#[test]
fn a_size_that_is_given_twice_or_is_zero_is_refused() {
    let sink = Sink::new(|_| Ok(()));
    let wrong = [
        HookOptions {
            queue_size: Some(0),
            ..HookOptions::default()
        },
        HookOptions {
            when_full: Overflow::Wait,
            queue: Some(QueueOptions::MEMORY),
            ..HookOptions::default()
        },
        HookOptions {
            when_full: Overflow::Spill,
            ..HookOptions::default()
        },
    ];
    for options in wrong {
        let hooks = Watched::new(HookSetOptions::default());
        assert!(hooks.add(hook(&sink, options)).is_err());
    }
}
