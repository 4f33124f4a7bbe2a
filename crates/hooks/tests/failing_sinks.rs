//! Sinks that hang, keep failing, or refuse.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use common::*;
use straylight_hooks::clock::ManualClock;
use straylight_hooks::{
    ActionError, BreakerOptions, HookOptions, HookSetOptions, Overflow, QueueFolder, QueueOptions,
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
        overflow: Overflow::DropOldest,
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
    let stats = hooks.statistics();
    assert_eq!((stats.ledger.fired, stats.ledger.waiting()), (1_000, 10));
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
    assert!(hooks.statistics().breaker_open);
    clock.advance(Duration::from_secs(5));
    hooks.drain(Duration::ZERO);
    assert_eq!(tries.load(SeqCst), 4, "one probe after the rest");
    assert_eq!(hooks.statistics().ledger.waiting(), 20);
    // However long the sink stays away, no probe becomes a dead letter.
    for _ in 0..100 {
        clock.advance(Duration::from_secs(120));
        hooks.drain(Duration::ZERO);
    }
    assert!(tries.load(SeqCst) > 50);
    let ledger = hooks.statistics().ledger;
    assert_eq!((ledger.waiting(), ledger.dead), (20, 0));
}

/// A sink that is away answers one hook; the rest that it asks for is the rest of all its hooks.
#[test]
fn a_sink_that_asks_for_rest_gets_it_from_every_hook_and_no_other_sink_rests() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let (tries, is_away) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(true)),
    );
    let (count, switch) = (Arc::clone(&tries), Arc::clone(&is_away));
    let busy = Sink::new(move |_| {
        count.fetch_add(1, SeqCst);
        let error = ActionError::transient("429").with_retry_after(Some(Duration::from_secs(60)));
        if switch.load(SeqCst) {
            Err(error)
        } else {
            Ok(())
        }
    });
    let well = Sink {
        name: "another",
        ..Sink::new(|_| Ok(()))
    };
    let hooks = on_disk(folder.path(), &clock);
    for (name, sink) in [("a", &busy), ("b", &busy), ("c", &well)] {
        let name = Some(name.to_owned());
        hooks
            .add(hook(sink, HookOptions { name, ..inline() }))
            .unwrap();
    }
    let open = || {
        check(&hooks)
            .into_iter()
            .map(|stats| stats.breaker_open)
            .collect::<Vec<_>>()
    };
    for i in 0..10 {
        hooks.submit(&i.to_string());
    }
    assert_eq!((tries.load(SeqCst), well.has().len()), (1, 10));
    assert_eq!(open(), [true, true, false]);
    clock.advance(Duration::from_secs(59));
    hooks.drain(Duration::ZERO);
    assert_eq!(tries.load(SeqCst), 1, "a minute is not over");
    clock.advance(Duration::from_secs(1));
    hooks.drain(Duration::ZERO);
    assert_eq!(
        tries.load(SeqCst),
        2,
        "one probe, which is told to wait again"
    );
    is_away.store(false, SeqCst);
    clock.advance(Duration::from_secs(60));
    assert!(hooks.drain(Duration::ZERO));
    assert_eq!((busy.has().len(), well.has().len()), (20, 10));
    assert_eq!(open(), [false, false, false]);
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
    let ledger = hooks.statistics().ledger;
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
