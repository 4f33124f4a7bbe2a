//! Delivery when things go wrong: sinks that hang, clocks that jump, disks that are full,
//! processes that come and go.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use straylight_core::{Frame, Prediction, RgbImage, Timestamp};
use straylight_hooks::clock::{Clock, ManualClock};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Action, ActionError, BreakerOptions, Delivery, Event, HookOptions, HookSet, HookSetOptions,
    LimitOptions, Overflow, PostInferenceHook, QueueFolder, QueueOptions, SeededRandom,
    render_prometheus,
};

fn frame(name: &str) -> Frame {
    Frame::new(
        RgbImage::filled(8, 8, [1, 2, 3]).unwrap(),
        name,
        Timestamp::UNIX_EPOCH,
    )
}

fn start() -> Timestamp {
    Timestamp::from_second(1_724_174_562).unwrap()
}

/// What a sink does with an event.
type Behaviour = dyn Fn(&Event) -> Result<(), ActionError> + Send + Sync;

/// A remote sink that behaves as it is told and knows what it has.
#[derive(Clone)]
struct Sink {
    behaviour: Arc<Behaviour>,
    has: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Sink {
    fn new(behaviour: impl Fn(&Event) -> Result<(), ActionError> + Send + Sync + 'static) -> Self {
        Self {
            behaviour: Arc::new(behaviour),
            has: Arc::default(),
            asked: Arc::default(),
        }
    }

    fn has(&self) -> Vec<String> {
        self.has.lock().unwrap().clone()
    }
}

impl Action for Sink {
    fn name(&self) -> &'static str {
        "Sink"
    }

    fn sink(&self) -> String {
        "sink".to_owned()
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        (self.behaviour)(event)?;
        self.has.lock().unwrap().push(event.name.to_string());
        Ok(())
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        self.asked.fetch_add(1, SeqCst);
        let is_there = self.has().iter().any(|name| **name == *event.name);
        Ok(if is_there {
            Delivery::Done
        } else {
            Delivery::Missing
        })
    }
}

fn hook(sink: &Sink, options: HookOptions) -> PostInferenceHook {
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(sink.clone()), options)
}

fn on_disk(folder: &std::path::Path, clock: &ManualClock) -> HookSet {
    HookSet::new(HookSetOptions {
        state_folder: Some(folder.to_owned()),
        clock: Arc::new(clock.clone()),
        random: Arc::new(SeededRandom::new(1)),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    })
}

fn inline() -> HookOptions {
    HookOptions {
        name: Some("hook".to_owned()),
        max_threads: 0,
        ..HookOptions::default()
    }
}

#[test]
fn a_sink_that_hangs_for_ever_holds_up_nobody_and_the_counters_tell() {
    let gate = Arc::new((Mutex::new(()), Condvar::new()));
    let sink = Sink::new(move |_| {
        let guard = gate.0.lock().unwrap();
        drop(gate.1.wait_while(guard, |()| true).unwrap());
        Ok(())
    });
    let hooks = HookSet::new(HookSetOptions {
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
        hooks.submit(&frame(&i.to_string()), &Prediction::default());
    }
    let stats = &hooks.stats()[0];
    assert!(stats.balances());
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
fn block_makes_the_submitter_wait_and_loses_nothing() {
    let sink = Sink::new(|_| {
        std::thread::yield_now();
        Ok(())
    });
    let hooks = HookSet::new(HookSetOptions::default());
    let queue = QueueOptions {
        max_events: 2,
        overflow: Overflow::Block,
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
                (0..50).for_each(|_| drop(hooks.submit(&frame("x"), &Prediction::default())));
            });
        }
    });
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(sink.has().len(), 200);
    assert!(hooks.stats()[0].balances());
}

#[test]
fn what_waits_is_delivered_by_the_next_process_and_the_books_go_on() {
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
        hooks.submit(&frame(name), &Prediction::default());
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
    let ledger = &hooks.stats()[0].ledger;
    assert_eq!(
        (ledger.fired, ledger.delivered, ledger.balances()),
        (3, 3, true)
    );
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
    hooks.submit(&frame("a"), &Prediction::default());
    clock.advance(Duration::from_secs(60));
    assert!(hooks.drain(Duration::ZERO));
    assert_eq!(
        (sink.has(), sink.asked.load(SeqCst)),
        (vec!["a".to_owned()], 1)
    );
    assert_eq!(hooks.stats()[0].ledger.delivered, 1);
}

#[test]
fn two_processes_on_one_queue_are_refused_with_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let sink = Sink::new(|_| Ok(()));
    let first = on_disk(folder.path(), &clock);
    first.add(hook(&sink, inline())).unwrap();
    let second = on_disk(folder.path(), &clock);
    let error = second.add(hook(&sink, inline())).unwrap_err().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    let queue = QueueFolder::all(folder.path()).unwrap().remove(0);
    assert!(queue.retry(&[]).is_err() && queue.ledger().unwrap().balances());
    drop(first);
    second.add(hook(&sink, inline())).unwrap();
}

#[test]
fn a_wall_clock_that_jumps_moves_no_limit_and_no_retry() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let sink = Sink::new(|_| Ok(()));
    let limits = LimitOptions {
        max_frames_per_second: Some(1.0),
        ..LimitOptions::default()
    };
    let hooks = on_disk(folder.path(), &clock);
    hooks
        .add(hook(
            &sink,
            HookOptions {
                limits: limits.clone(),
                ..inline()
            },
        ))
        .unwrap();
    let submit = |hooks: &HookSet| drop(hooks.submit(&frame("x"), &Prediction::default()));
    submit(&hooks);
    for jump in [-86_400, 86_400, -3_600] {
        let to = clock
            .now()
            .checked_add(jiff::SignedDuration::from_secs(jump))
            .unwrap();
        clock.jump_wall(to);
        submit(&hooks);
        assert_eq!(
            sink.has().len(),
            1,
            "a jump of {jump} s let an image through"
        );
    }
    clock.advance(Duration::from_secs(1));
    submit(&hooks);
    assert_eq!(sink.has().len(), 2);
    drop(hooks);
    // The clock goes back a day while nobody runs: the interval still counts from the last image.
    let back = clock
        .now()
        .checked_add(jiff::SignedDuration::from_secs(-86_400))
        .unwrap();
    clock.jump_wall(back);
    let hooks = on_disk(folder.path(), &clock);
    hooks
        .add(hook(&sink, HookOptions { limits, ..inline() }))
        .unwrap();
    submit(&hooks);
    assert_eq!(sink.has().len(), 2);
    clock.advance(Duration::from_secs(1));
    submit(&hooks);
    assert_eq!(sink.has().len(), 3);
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
        hooks.submit(&frame(&i.to_string()), &Prediction::default());
    }
    assert_eq!(tries.load(SeqCst), 3);
    assert!(hooks.stats()[0].breaker_open);
    clock.advance(Duration::from_secs(5));
    hooks.drain(Duration::ZERO);
    assert_eq!(tries.load(SeqCst), 4, "one probe after the rest");
    assert_eq!(hooks.stats()[0].ledger.queued, 20);
    // However long the sink stays away, no probe becomes a dead letter.
    for _ in 0..100 {
        clock.advance(Duration::from_secs(120));
        hooks.drain(Duration::ZERO);
    }
    assert!(tries.load(SeqCst) > 50);
    let ledger = hooks.stats()[0].ledger.clone();
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
        hooks.submit(&frame(name), &Prediction::default());
    }
    refuses.store(false, SeqCst);
    let dead = hooks.dead_letters("hook");
    assert_eq!((dead.len(), dead[0].error.as_str()), (3, "no such project"));
    assert!(hooks.retry_dead_letter("hook", dead[0].id).unwrap());
    assert!(hooks.drain(Duration::ZERO));
    assert!(hooks.discard_dead_letter("hook", dead[1].id).unwrap());
    assert!(!hooks.discard_dead_letter("hook", dead[1].id).unwrap());
    let ledger = hooks.stats()[0].ledger.clone();
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

#[test]
fn a_trigger_or_action_that_panics_stops_nothing() {
    let sink = Sink::new(|event| {
        if &*event.name == "bad" {
            std::panic!("boom")
        } else {
            Ok(())
        }
    });
    let hooks = HookSet::new(HookSetOptions::default());
    hooks.add(hook(&sink, inline())).unwrap();
    for name in ["a", "bad", "b"] {
        hooks.submit(&frame(name), &Prediction::default());
    }
    let stats = &hooks.stats()[0];
    assert_eq!((stats.ledger.delivered, stats.ledger.dead), (2, 1));
    assert_eq!(hooks.dead_letters("hook")[0].error, "the action panicked");
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
    hooks.submit(&frame("a"), &Prediction::default());
    let stats = hooks.stats()[0].clone();
    assert_eq!((stats.ledger.queued, stats.disk_bytes), (1, 0));
    assert!(stats.balances() && stats.memory_bytes > 0 && sink.has().is_empty());
    std::fs::create_dir(&spool).unwrap();
    hooks.drain(Duration::ZERO);
    assert_eq!(sink.has(), ["a"]);
    assert!(hooks.stats()[0].balances());
}
