//! Sinks that hang, keep failing, or refuse.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use common::*;
use straylight_hooks::clock::ManualClock;
use straylight_hooks::{
    ActionError, BreakerOptions, HookOptions, HookSetOptions, QueueFolder, QueueOptions,
    render_prometheus,
};

#[test]
fn a_sink_that_hangs_for_ever_holds_up_nobody_and_the_counters_tell() {
    let gate = Arc::new((Mutex::new(()), Condvar::new()));
    let sink = Sink::new(move |_| {
        let guard = gate.0.lock().unwrap();
        drop(gate.1.wait_while(guard, |()| true).unwrap());
        Ok(())
    });
    let hooks = Watched::new(HookSetOptions {
        drain_time: Duration::from_millis(50),
        ..HookSetOptions::default()
    });
    let queue = QueueOptions {
        max_events: 10,
        ..QueueOptions::MEMORY
    };
    let options = HookOptions {
        max_threads: 2,
        queue: Some(queue),
        ..HookOptions::default()
    };
    hooks.add(hook(&sink, options)).unwrap();
    for i in 0..1_000 {
        hooks.submit(&i.to_string());
    }
    let stats = hooks.books();
    assert_eq!((stats.ledger.fired, stats.ledger.queued), (1_000, 10));
    assert_eq!(stats.ledger.total_dropped(), 990);
    assert!(stats.memory_bytes < 10 * 2_000, "{}", stats.memory_bytes);
    let text = render_prometheus(&hooks.stats());
    let line =
        "straylight_hook_dropped_total{hook=\"0-AlwaysTrigger-Sink\",reason=\"displaced\"} 990";
    assert!(text.contains(line), "{text}");
    let begun = Instant::now();
    drop(hooks);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "a hanging sink held up the end"
    );
}

#[test]
fn a_sink_that_keeps_failing_is_left_alone_and_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let sink = Sink::new(move |_| {
        count.fetch_add(1, SeqCst);
        Err(ActionError::transient("down"))
    });
    let hooks = on_disk(folder.path(), &clock);
    let breaker = BreakerOptions {
        failures: 3,
        ..BreakerOptions::default()
    };
    hooks
        .add(hook(
            &sink,
            HookOptions {
                breaker,
                ..inline()
            },
        ))
        .unwrap();
    for i in 0..20 {
        hooks.submit(&i.to_string());
    }
    assert_eq!(tries.load(SeqCst), 3);
    assert!(hooks.books().breaker_open);
    clock.advance(Duration::from_secs(5));
    hooks.drain(Duration::ZERO);
    assert_eq!(tries.load(SeqCst), 4, "one probe after the rest");
    assert_eq!(hooks.books().ledger.queued, 20);
    // However long the sink stays away, no probe becomes a dead letter.
    for _ in 0..100 {
        clock.advance(Duration::from_secs(120));
        hooks.drain(Duration::ZERO);
    }
    assert!(tries.load(SeqCst) > 50);
    let ledger = hooks.books().ledger;
    assert_eq!((ledger.queued, ledger.dead), (20, 0));
}

#[test]
fn dead_letters_are_listed_shown_sent_again_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let refuses = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&refuses);
    let sink = Sink::new(move |_| {
        if switch.load(SeqCst) {
            Err(ActionError::permanent("no such project"))
        } else {
            Ok(())
        }
    });
    let hooks = on_disk(folder.path(), &clock);
    hooks.add(hook(&sink, inline())).unwrap();
    for name in ["a", "b", "c"] {
        hooks.submit(name);
    }
    refuses.store(false, SeqCst);
    let dead = hooks.dead_letters("hook");
    assert_eq!((dead.len(), dead[0].error.as_str()), (3, "no such project"));
    assert!(hooks.retry_dead_letter("hook", dead[0].id).unwrap());
    assert!(hooks.drain(Duration::ZERO));
    assert!(hooks.discard_dead_letter("hook", dead[1].id).unwrap());
    assert!(!hooks.discard_dead_letter("hook", dead[1].id).unwrap());
    let ledger = hooks.books().ledger;
    assert_eq!(
        (ledger.delivered, ledger.total_dropped(), ledger.dead),
        (1, 1, 1)
    );
    drop(hooks);
    let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
    assert_eq!(queue.ledger().unwrap(), ledger);
    let shown = queue.show(dead[2].id).unwrap().unwrap();
    assert_eq!(
        (shown.event.name.as_str(), shown.event.error.as_str()),
        ("c", "no such project")
    );
    assert!(shown.image.is_file() && shown.event.died_at.is_some());
    assert_eq!(queue.retry(&[dead[2].id]).unwrap(), 1);
    assert_eq!(queue.discard(&[dead[2].id]).unwrap(), 1);
    assert!(queue.events().unwrap().is_empty() && queue.ledger().unwrap().balances());
}
