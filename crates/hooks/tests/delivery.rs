//! Delivery when processes come and go, answers are lost, and disks fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use common::*;
use straylight_core::Frame;
use straylight_hooks::clock::ManualClock;
use straylight_hooks::{
    ActionError, Event, EventId, HookOptions, HookSetOptions, Observer, Outcome, Overflow,
    QueueFolder, QueueOptions,
};

#[test]
fn block_makes_the_submitter_wait_and_loses_nothing() {
    let sink = Sink::new(|_| {
        std::thread::yield_now();
        Ok(())
    });
    let hooks = Watched::new(HookSetOptions::default());
    let queue = QueueOptions {
        max_events: 2,
        overflow: Overflow::Wait,
        ..QueueOptions::MEMORY
    };
    let options = HookOptions {
        queue: Some(queue),
        ..HookOptions::default()
    };
    hooks.add(hook(&sink, options)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..50).for_each(|_| hooks.submit("x"));
            });
        }
    });
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(sink.has().len(), 200);
}

#[test]
fn what_waits_is_delivered_by_the_next_process_and_the_statistics_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let is_up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_up);
    let sink = Sink::new(move |_| {
        if switch.load(SeqCst) {
            Ok(())
        } else {
            Err(ActionError::transient("cable pulled"))
        }
    });
    let hooks = on_disk(folder.path(), &clock);
    hooks.add(hook(&sink, inline())).unwrap();
    for name in ["a", "b", "c"] {
        hooks.submit(name);
    }
    drop(hooks);
    let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
    let ledger = queue.ledger().unwrap();
    assert_eq!(
        (ledger.fired, ledger.queued, ledger.balances()),
        (3, 3, true)
    );
    let names: Vec<String> = queue
        .events()
        .unwrap()
        .into_iter()
        .map(|event| event.name)
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    is_up.store(true, SeqCst);
    let hooks = on_disk(folder.path(), &clock);
    hooks.add(hook(&sink, inline())).unwrap();
    clock.advance(Duration::from_secs(3_600));
    assert!(hooks.drain(Duration::ZERO));
    assert_eq!(sink.has().len(), 3);
    let ledger = hooks.statistics().ledger;
    assert_eq!(
        (ledger.fired, ledger.delivered, ledger.balances()),
        (3, 3, true)
    );
}

/// What waits for a remote sink is on disk, what waits for a local one in memory.
#[test]
fn only_what_waits_for_a_remote_sink_is_kept_on_disk_unasked() {
    for is_remote in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink {
            is_remote,
            ..Sink::new(|_| Err(ActionError::transient("not yet")))
        };
        let hooks = on_disk(folder.path(), &ManualClock::new(start()));
        hooks.add(hook(&sink, inline())).unwrap();
        hooks.submit("a");
        let stats = hooks.statistics();
        let (memory, disk) = (stats.memory_bytes > 0, stats.disk_bytes > 0);
        assert_eq!((memory, disk), (!is_remote, is_remote));
    }
}

#[test]
fn a_lost_answer_is_reconciled_and_nothing_is_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let sink = Sink::new(|_| Ok(()));
    let arrived = Arc::clone(&sink.has);
    let first = AtomicBool::new(true);
    let losing = Sink {
        behaviour: Arc::new(move |event| {
            if first.swap(false, SeqCst) {
                arrived.lock().unwrap().push(event.name.to_string());
                return Err(ActionError::ambiguous("time-out after the bytes were sent"));
            }
            Ok(())
        }),
        ..sink.clone()
    };
    let hooks = on_disk(folder.path(), &clock);
    hooks.add(hook(&losing, inline())).unwrap();
    hooks.submit("a");
    clock.advance(Duration::from_secs(60));
    assert!(hooks.drain(Duration::ZERO));
    assert_eq!(
        (sink.has(), sink.asked.load(SeqCst)),
        (vec!["a".to_owned()], 1)
    );
    assert_eq!(hooks.statistics().ledger.delivered, 1);
}

#[test]
fn a_trigger_or_action_that_panics_stops_nothing() {
    let sink = Sink::new(|event| {
        if &*event.name == "bad" {
            std::panic!("boom")
        } else {
            Ok(())
        }
    });
    let hooks = Watched::new(HookSetOptions::default());
    hooks.add(hook(&sink, inline())).unwrap();
    for name in ["a", "bad", "b"] {
        hooks.submit(name);
    }
    let stats = hooks.statistics();
    assert_eq!((stats.ledger.delivered, stats.ledger.dead), (2, 1));
    assert_eq!(hooks.dead_letters("hook")[0].error, "the action panicked");
}

struct Panics;

impl Observer for Panics {
    fn decided(&self, _: &str, _: &Frame, _: &Outcome) {
        std::panic!("at the decision")
    }

    fn delivered(&self, _: &str, _: &Event) {
        std::panic!("over a delivery")
    }

    fn died(&self, _: &str, _: EventId, _: &str) {
        std::panic!("over a dead letter")
    }
}

#[test]
fn an_observer_that_panics_stops_nothing() {
    let sink = Sink::new(|event| match &*event.name {
        "bad" => Err(ActionError::permanent("not this one")),
        _ => Ok(()),
    });
    let hooks = Watched::new(HookSetOptions {
        observer: Arc::new(Panics),
        ..HookSetOptions::default()
    });
    hooks.add(hook(&sink, HookOptions::default())).unwrap();
    for name in ["a", "bad", "b"] {
        hooks.submit(name);
    }
    assert!(hooks.drain(Duration::from_secs(60)));
    let ledger = hooks.statistics().ledger;
    assert_eq!((ledger.delivered, ledger.dead), (2, 1));
}

#[test]
fn a_full_disk_keeps_events_staged_and_takes_them_when_there_is_room() {
    // A folder in the place of the spool's next file is what a failing disk looks like.
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let sink = Sink::new(|_| Ok(()));
    let hooks = on_disk(folder.path(), &clock);
    hooks.add(hook(&sink, inline())).unwrap();
    let spool = folder.path().join("hook/spool");
    std::fs::remove_dir(&spool).unwrap();
    hooks.submit("a");
    let stats = hooks.statistics();
    assert_eq!((stats.ledger.queued, stats.ledger.in_memory), (0, 1));
    assert!(stats.memory_bytes > 0 && sink.has().is_empty());
    std::fs::create_dir(&spool).unwrap();
    hooks.drain(Duration::ZERO);
    assert_eq!(sink.has(), ["a"]);
}
