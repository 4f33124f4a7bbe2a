//! Sinks that end several deliveries at once.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use straylight_core::{Frame, Prediction, RgbImage};
use straylight_hooks::clock::ManualClock;
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Action, ActionError, Begun, DeadLetter, DeliveryProgress, Event, HookOptions, HookSetOptions,
    HookStats, Overflow, PostInferenceHook, QueueFolder, QueueOptions, RetryOptions,
};

/// Finishes the round of `first` when it is let, and panics over the event called `bomb`.
struct Rounds {
    gate: Mutex<Receiver<()>>,
    started: Sender<()>,
    finished: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Rounds {
    /// With what lets the round of `first` end, and what says that it has begun.
    fn new() -> (Self, Sender<()>, Receiver<()>) {
        let (open, gate) = channel();
        let (started, has_started) = channel();
        let rounds = Self {
            gate: Mutex::new(gate),
            started,
            finished: Arc::default(),
        };
        (rounds, open, has_started)
    }
}

impl Action for Rounds {
    fn name(&self) -> &'static str {
        "Rounds"
    }

    fn sink(&self) -> String {
        "rounds".to_owned()
    }

    fn perform(&self, _event: &Event) -> Result<(), ActionError> {
        unreachable!("the runner begins and finishes")
    }

    fn begin(&self, event: &Event) -> Result<DeliveryProgress, ActionError> {
        match &*event.name {
            "at once" => return Ok(DeliveryProgress::Delivered),
            "refused" => return Err(ActionError::permanent("not this one")),
            _ => {}
        }
        if &*event.name == "large" {
            event.picture.encoded().unwrap();
        }
        Ok(DeliveryProgress::Begun(Begun::new(event.name.to_string())))
    }

    fn finish(&self, begun: &[&Begun]) -> Vec<Result<(), ActionError>> {
        let name = |one: &&Begun| one.get::<String>().unwrap().clone();
        let names: Vec<String> = begun.iter().map(name).collect();
        if names[0] == "first" {
            self.started.send(()).unwrap();
            self.gate.lock().unwrap().recv().unwrap();
        }
        let late = |name: &String| match name.as_str() {
            "late" => Err(ActionError::permanent("too late")),
            _ => Ok(()),
        };
        let results = names.iter().map(late).collect();
        let is_about = |what: &str| names.iter().any(|name| name == what);
        let (is_bomb, is_silent) = (is_about("bomb"), is_about("silence"));
        self.finished.lock().unwrap().push(names);
        assert!(!is_bomb, "boom");
        if is_silent { Vec::new() } else { results }
    }
}

struct Delivered {
    rounds: Vec<Vec<String>>,
    stats: HookStats,
    dead: Vec<DeadLetter>,
}

/// Holds the round of `first` until all the others wait, and says what was finished how.
fn deliver(names: &[&str], threads: usize) -> Delivered {
    let (action, open, has_started) = Rounds::new();
    let rounds = Arc::clone(&action.finished);
    let options = HookOptions {
        max_threads: threads,
        retry: RetryOptions {
            max_attempts: 2,
            initial: Duration::ZERO,
            ..RetryOptions::default()
        },
        ..HookOptions::default()
    };
    let hooks = Watched::new(HookSetOptions::default());
    let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options);
    hooks.add(hook).unwrap();
    hooks.submit("first");
    has_started.recv().unwrap();
    for name in names {
        hooks.submit(name);
    }
    open.send(()).unwrap();
    assert!(hooks.drain(Duration::from_secs(60)));
    let stats = hooks.statistics();
    let hook = stats.hook.clone();
    let rounds = rounds.lock().unwrap().clone();
    Delivered {
        rounds,
        stats,
        dead: hooks.dead_letters(&hook),
    }
}

#[test]
fn what_was_begun_meanwhile_is_finished_in_rounds_of_at_most_thirty_two() {
    let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let delivered = deliver(&names, 1);
    let sizes: Vec<usize> = delivered.rounds.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 32, 8]);
    assert_eq!(delivered.rounds.concat()[1..], names);
    assert_eq!(delivered.stats.ledger.delivered, 41);
}

#[test]
fn each_event_of_a_round_has_its_own_result() {
    let delivered = deliver(&["a", "at once", "late", "refused", "b"], 1);
    assert_eq!(delivered.rounds, [&["first"][..], &["a", "late", "b"]]);
    let ledger = delivered.stats.ledger;
    assert_eq!((ledger.delivered, ledger.dead), (4, 2));
}

#[test]
fn a_panic_over_the_end_costs_the_event_that_it_is_about() {
    let delivered = deliver(&["a", "bomb", "b"], 1);
    let rounds = [
        &["first"][..],
        &["a", "bomb", "b"],
        &["a"],
        &["bomb"],
        &["b"],
        &["bomb"],
    ];
    assert_eq!(delivered.rounds, rounds);
    let ledger = delivered.stats.ledger;
    assert_eq!((ledger.delivered, ledger.dead), (3, 1));
    let error = &delivered.dead[0].error;
    assert!(error.contains("panicked"), "{error}");
}

#[test]
fn an_action_that_says_nothing_about_an_event_has_not_delivered_it() {
    let delivered = deliver(&["a", "silence"], 1);
    let ledger = delivered.stats.ledger;
    assert_eq!((ledger.delivered, ledger.dead), (1, 2));
    let error = &delivered.dead[0].error;
    assert!(error.contains("said nothing"), "{error}");
}

/// Nothing is at its end but what is begun; so a thread that waits for room waits for that.
#[test]
fn who_waits_for_room_does_not_wait_for_the_time_of_a_round() {
    for room in 1..=3 {
        let (action, _open, _has_started) = Rounds::new();
        let finished = Arc::clone(&action.finished);
        let options = HookOptions {
            max_threads: 2,
            queue: Some(QueueOptions {
                max_events: room,
                overflow: Overflow::Wait,
                ..QueueOptions::MEMORY
            }),
            ..HookOptions::default()
        };
        // Time stands still: no round ever becomes due.
        let hooks = in_memory(&ManualClock::new(start()));
        let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options);
        hooks.add(hook).unwrap();
        for n in 0..40 {
            hooks.submit(&n.to_string());
        }
        assert!(hooks.drain(Duration::from_secs(60)));
        assert_eq!(finished.lock().unwrap().concat().len(), 40);
    }
}

#[test]
fn what_waits_for_an_end_that_hangs_goes_to_the_disk() {
    let (action, open, has_started) = Rounds::new();
    let folder = tempfile::tempdir().unwrap();
    let hooks = Watched::new(HookSetOptions {
        state_folder: Some(folder.path().to_owned()),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    });
    let options = HookOptions {
        // In memory, with a disk for what is left.
        queue: Some(QueueOptions {
            overflow: Overflow::Spill,
            ..QueueOptions::MEMORY
        }),
        ..HookOptions::default()
    };
    let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options);
    hooks.add(hook).unwrap();
    hooks.submit("first");
    has_started.recv().unwrap();
    for name in ["a", "b"] {
        hooks.submit(name);
    }
    drop(hooks);
    let ledger = QueueFolder::all(folder.path()).unwrap()[0]
        .ledger()
        .unwrap();
    assert_eq!((ledger.fired, ledger.queued), (3, 3));
    drop(open);
}

#[test]
fn threads_begin_while_another_finishes_and_no_event_is_left_behind() {
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let delivered = deliver(&names, 4);
    let mut finished = delivered.rounds.concat();
    finished.sort_unstable();
    finished.dedup();
    assert_eq!(finished.len(), 101);
    assert_eq!(delivered.stats.ledger.delivered, 101);
}

#[test]
fn what_waits_for_its_end_keeps_its_file_and_not_its_pixels() {
    let (action, open, has_started) = Rounds::new();
    let hooks = Watched::new(HookSetOptions::default());
    let hook = PostInferenceHook::new(
        Box::new(AlwaysTrigger),
        Box::new(action),
        HookOptions::default(),
    );
    hooks.add(hook).unwrap();
    hooks.submit("first");
    has_started.recv().unwrap();
    let pixels = RgbImage::filled(512, 512, [1, 2, 3]).unwrap();
    let frame = Frame::new(pixels, "large", start());
    let waiting = || hooks.statistics().memory_bytes;
    let before = waiting();
    hooks.show(&frame, &Prediction::default());
    while hooks.statistics().ledger.fired < 2 || waiting() > before + 100_000 {
        std::thread::yield_now();
    }
    assert!(waiting() > before, "it waits for the end of the first");
    open.send(()).unwrap();
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(hooks.statistics().ledger.delivered, 2);
}
