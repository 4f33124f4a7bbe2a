//! The best of a window, over restarts and crashes.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::*;
use straylight_hooks::clock::ManualClock;
use straylight_hooks::trigger::ConfidenceTrigger;
use straylight_hooks::{
    BestOfOptions, HookOptions, HookSetOptions, LimitKind, LimitOptions, PostInferenceHook,
    QueueFolder, QueueOptions,
};

const SECOND: Duration = Duration::from_secs(1);

/// Hooks that collect the two least certain images of each minute.
fn best_of_two(folder: &Path, clock: &ManualClock, sink: &Sink) -> Watched {
    let hooks = on_disk(folder, clock);
    let limits = LimitOptions {
        best_of: Some(BestOfOptions {
            keep: 2,
            window_seconds: 60.0,
        }),
        ..LimitOptions::default()
    };
    let trigger = Box::new(ConfidenceTrigger::new(1.0, None));
    let action = Box::new(sink.clone());
    hooks
        .add(PostInferenceHook::new(trigger, action, limited(limits)))
        .unwrap();
    hooks
}

fn see(hooks: &Watched, seed: u8, probability: f32) {
    hooks.show(&striped(seed), &labelled("a", probability));
}

#[test]
fn an_open_window_survives_restart_and_crash() {
    for end in [End::Orderly, End::Killed] {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(start());
        let sink = Sink::new(|_| Ok(()));
        let hooks = best_of_two(folder.path(), &clock, &sink);
        for (seed, probability) in [(1, 0.5), (2, 0.9), (3, 0.7)] {
            see(&hooks, seed, probability);
        }
        end.of(hooks);
        let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
        let held: Vec<String> = queue
            .events()
            .unwrap()
            .into_iter()
            .map(|e| e.name)
            .collect();
        assert_eq!(held, ["1", "3"], "{end:?}");
        assert_eq!(queue.ledger().unwrap().fired, 0);
        clock.advance(30 * SECOND);
        let hooks = best_of_two(folder.path(), &clock, &sink);
        assert_eq!(hooks.statistics().held, 2);
        see(&hooks, 4, 0.6);
        assert!(sink.has().is_empty(), "{end:?}");
        clock.advance(29 * SECOND);
        see(&hooks, 5, 0.95);
        clock.advance(SECOND);
        see(&hooks, 6, 0.99);
        assert_eq!(sink.has(), ["1", "4"], "{end:?}");
        let stats = hooks.statistics();
        assert_eq!(
            (stats.held, stats.ledger.fired, stats.ledger.delivered),
            (1, 2, 2)
        );
        assert_eq!(stats.suppressed[&LimitKind::BestOf], 2);
    }
}

#[test]
fn a_window_in_memory_ends_with_the_hooks() {
    let clock = ManualClock::new(start());
    let (hooks, sink) = (in_memory(&clock), Sink::new(|_| Ok(())));
    let limits = LimitOptions {
        best_of: Some(BestOfOptions {
            keep: 1,
            window_seconds: 60.0,
        }),
        ..LimitOptions::default()
    };
    hooks.add(hook(&sink, limited(limits))).unwrap();
    hooks.submit("a");
    assert_eq!(hooks.statistics().held, 1);
    drop(hooks);
    assert_eq!(sink.has(), ["a"]);
}

#[test]
fn candidates_that_are_no_longer_wanted_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let sink = Sink::new(|_| Ok(()));
    let hooks = best_of_two(folder.path(), &clock, &sink);
    see(&hooks, 1, 0.5);
    drop(hooks);
    let without = on_disk(folder.path(), &clock);
    without.add(hook(&sink, inline())).unwrap();
    drop(without);
    let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
    assert!(queue.events().unwrap().is_empty() && sink.has().is_empty());
}

#[test]
fn the_best_of_a_window_go_through_a_queue_in_memory_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let sink = Sink::new(|_| Ok(()));
    let hooks = Watched::new(HookSetOptions {
        state_folder: Some(folder.path().to_owned()),
        clock: Arc::new(clock.clone()),
        ..HookSetOptions::default()
    });
    let limits = LimitOptions {
        best_of: Some(BestOfOptions {
            keep: 1,
            window_seconds: 60.0,
        }),
        ..LimitOptions::default()
    };
    let options = HookOptions {
        queue: Some(QueueOptions::MEMORY),
        ..limited(limits)
    };
    hooks.add(hook(&sink, options)).unwrap();
    hooks.submit("a");
    clock.advance(60 * SECOND);
    hooks.submit("b");
    assert_eq!(sink.has(), ["a"]);
    drop(hooks);
    let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
    let left: Vec<_> = queue
        .events()
        .unwrap()
        .into_iter()
        .map(|e| (e.name, e.held))
        .collect();
    assert_eq!(left, [("b".to_owned(), true)]);
}
