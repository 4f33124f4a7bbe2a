//! Hooks through the public API: decisions, limits, delivery and the statistics.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::Watched;
use straylight_core::{Frame, Prediction, RgbImage, Timestamp};
use straylight_hooks::clock::ManualClock;
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Action, ActionError, Event, HookOptions, HookSetOptions, LimitOptions, LimitTimes, Outcome,
    Overflow, PostInferenceHook, QueueOptions, RetryOptions, SeededRandom,
};

/// Fails the first `failures` times and keeps the names of what it delivered.
#[derive(Clone, Default)]
struct Sink {
    failures: Arc<AtomicU32>,
    is_permanent: bool,
    got: Arc<Mutex<Vec<String>>>,
}

impl Action for Sink {
    fn name(&self) -> &'static str {
        "Sink"
    }

    fn sink(&self) -> String {
        "sink".to_owned()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let left = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_ok() {
            let error = if self.is_permanent {
                ActionError::permanent
            } else {
                ActionError::transient
            };
            return Err(error("no"));
        }
        self.got.lock().unwrap().push(event.name.to_string());
        Ok(())
    }
}

fn frame(name: &str) -> Frame {
    Frame::new(
        RgbImage::filled(4, 4, [1, 2, 3]).unwrap(),
        name,
        Timestamp::UNIX_EPOCH,
    )
}

fn set(clock: &ManualClock) -> Watched {
    Watched::new(HookSetOptions {
        clock: Arc::new(clock.clone()),
        random: Arc::new(SeededRandom::new(1)),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    })
}

fn hook(sink: &Sink, options: HookOptions) -> PostInferenceHook {
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(sink.clone()), options)
}

fn inline() -> HookOptions {
    HookOptions {
        max_threads: 0,
        ..HookOptions::default()
    }
}

/// Sixty seconds of 25 frames, read in no time at all.
#[test]
fn limits_of_a_recording_follow_the_times_of_its_frames() {
    let clock = ManualClock::new(Timestamp::from_second(2_000_000_000).unwrap());
    let sink = Sink::default();
    let hooks = Watched::new(HookSetOptions {
        clock: Arc::new(clock.clone()),
        limit_times: LimitTimes::Frames,
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    });
    let limits = LimitOptions {
        max_frames_per_second: Some(1.0),
        ..LimitOptions::default()
    };
    hooks
        .add(hook(&sink, HookOptions { limits, ..inline() }))
        .unwrap();
    for i in 0..1500 {
        let taken = Timestamp::from_millisecond(40 * i).unwrap();
        let image = RgbImage::filled(4, 4, [1, 2, 3]).unwrap();
        let frame = Frame::new(image, i.to_string(), taken);
        hooks.show(&frame, &Prediction::default());
    }
    let got = sink.got.lock().unwrap();
    assert_eq!(got.len(), 60);
    assert_eq!((got[0].as_str(), got[59].as_str()), ("0", "1475"));
}

#[test]
fn a_failed_delivery_is_tried_again_after_its_wait() {
    let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
    let (hooks, sink) = (set(&clock), Sink::default());
    sink.failures.store(2, Ordering::SeqCst);
    hooks.add(hook(&sink, inline())).unwrap();
    hooks.show(&frame("a"), &Prediction::default());
    assert!(!hooks.drain(Duration::ZERO));
    for _ in 0..2 {
        assert!(sink.got.lock().unwrap().is_empty());
        clock.advance(Duration::from_secs(1));
        hooks.drain(Duration::ZERO);
    }
    assert_eq!(*sink.got.lock().unwrap(), ["a"]);
    let stats = hooks.statistics();
    assert_eq!((stats.retried, stats.ledger.delivered), (2, 1));
    assert!(stats.balances());
}

#[test]
fn what_cannot_be_delivered_becomes_a_dead_letter() {
    let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
    for (is_permanent, retried) in [(true, 0), (false, 2)] {
        let hooks = set(&clock);
        let sink = Sink {
            is_permanent,
            ..Sink::default()
        };
        sink.failures.store(3, Ordering::SeqCst);
        let retry = RetryOptions {
            max_attempts: 3,
            ..RetryOptions::default()
        };
        hooks
            .add(hook(&sink, HookOptions { retry, ..inline() }))
            .unwrap();
        hooks.show(&frame("a"), &Prediction::default());
        for _ in 0..3 {
            clock.advance(Duration::from_secs(9));
            hooks.drain(Duration::ZERO);
        }
        let stats = hooks.statistics();
        assert_eq!((stats.ledger.dead, stats.retried), (1, retried));
        assert!(stats.balances() && sink.got.lock().unwrap().is_empty());
    }
}

#[test]
fn a_full_queue_follows_its_policy_and_the_statistics_add_up() {
    struct Case(Overflow, &'static [&'static str]);
    for Case(overflow, expected) in [
        Case(Overflow::DropOldest, &["c", "d"]),
        Case(Overflow::DropNewest, &["a", "b"]),
    ] {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let (hooks, sink) = (set(&clock), Sink::default());
        sink.failures.store(1, Ordering::SeqCst);
        let queue = QueueOptions {
            overflow,
            max_events: 2,
            ..QueueOptions::MEMORY
        };
        let breaker = straylight_hooks::BreakerOptions {
            failures: 1,
            ..Default::default()
        };
        hooks
            .add(hook(
                &sink,
                HookOptions {
                    queue: Some(queue),
                    breaker,
                    ..inline()
                },
            ))
            .unwrap();
        for name in ["a", "b", "c", "d"] {
            hooks.show(&frame(name), &Prediction::default());
            assert!(hooks.statistics().balances());
        }
        clock.advance(Duration::from_secs(60));
        hooks.drain(Duration::ZERO);
        let mut got = sink.got.lock().unwrap().clone();
        got.sort();
        assert_eq!(got, expected, "{overflow:?}");
        let stats = hooks.statistics();
        assert_eq!((stats.ledger.fired, stats.ledger.total_dropped()), (4, 2));
        assert!(stats.balances());
    }
}

#[test]
fn threads_deliver_everything_and_dropping_the_set_waits_for_them() {
    let sink = Sink::default();
    let hooks = Watched::new(HookSetOptions::default());
    hooks.add(hook(&sink, HookOptions::default())).unwrap();
    for i in 0..100 {
        let outcomes = hooks
            .set()
            .submit(&frame(&i.to_string()), &Prediction::default());
        assert!(matches!(outcomes[..], [Outcome::Queued { .. }]));
        assert!(hooks.statistics().balances());
    }
    drop(hooks);
    assert_eq!(sink.got.lock().unwrap().len(), 100);
}

#[test]
fn hooks_attach_and_clear() {
    let hooks = Watched::new(HookSetOptions::default());
    let sink = Sink::default();
    hooks.add(hook(&sink, HookOptions::default())).unwrap();
    let named = HookOptions {
        name: Some("0-AlwaysTrigger-Sink".to_owned()),
        ..inline()
    };
    assert!(hooks.add(hook(&sink, named)).is_err());
    assert!(
        hooks
            .add(hook(
                &sink,
                HookOptions {
                    name: Some("../x".into()),
                    ..inline()
                }
            ))
            .is_err()
    );
    assert_eq!(hooks.len(), 1);
    hooks.clear();
    assert!(hooks.is_empty());
    assert!(
        hooks
            .set()
            .submit(&frame("x"), &Prediction::default())
            .is_empty()
    );
}
