//! Limits over time, restarts and crashes.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::*;
use straylight_hooks::clock::{Clock, ManualClock};
use straylight_hooks::{
    HookOptions, HookSet, LimitKind, LimitOptions, NearDuplicateOptions, Outcome,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_case_of_the_notebook_fifty_inferences_in_eight_seconds_give_nine_images() {
    let clock = ManualClock::new(start());
    let (hooks, sink) = (in_memory(&clock), Sink::new(|_| Ok(())));
    let limits = LimitOptions {
        max_frames_per_second: Some(1.0),
        ..LimitOptions::default()
    };
    hooks.add(hook(&sink, limited(limits))).unwrap();
    for i in 0..50 {
        if i > 0 {
            clock.advance(Duration::from_secs_f64(8.0 / 49.0));
        }
        hooks.submit("same");
    }
    assert_eq!(sink.has().len(), 9);
    let stats = hooks.statistics();
    assert_eq!(
        (stats.evaluated, stats.fired, stats.ledger.delivered),
        (50, 9, 9)
    );
    assert_eq!(stats.suppressed[&LimitKind::Rate], 41);
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
    let submit = |hooks: &Watched| hooks.submit("x");
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

/// One limit, images that it lets pass in one process, and one that it then holds back.
struct Case {
    limits: LimitOptions,
    /// Seed of picture and label of each image that passes.
    pass: &'static [(u8, &'static str)],
    held_back: (u8, &'static str),
    by: LimitKind,
    /// After this time the same image passes; `None` for never.
    passes_after: Option<Duration>,
}

fn cases() -> Vec<Case> {
    let none = LimitOptions::default;
    let case = |limits, pass, held_back, by, passes_after| Case {
        limits,
        pass,
        held_back,
        by,
        passes_after,
    };
    let quota = |limits, seconds: Option<u64>| {
        let after = seconds.map(Duration::from_secs);
        case(
            limits,
            &[(1, "a"), (2, "b")],
            (3, "c"),
            LimitKind::Quota,
            after,
        )
    };
    let (two, minute, hour, day) = (Some(2), 60, 3_600, 86_400);
    vec![
        case(
            LimitOptions {
                max_frames_per_second: Some(0.1),
                ..none()
            },
            &[(1, "a")],
            (2, "b"),
            LimitKind::Rate,
            Some(10 * SECOND),
        ),
        case(
            LimitOptions {
                min_seconds_per_label: Some(30.0),
                ..none()
            },
            &[(1, "a"), (2, "b")],
            (3, "a"),
            LimitKind::LabelInterval,
            Some(30 * SECOND),
        ),
        case(
            LimitOptions {
                near_duplicates: Some(NearDuplicateOptions::default()),
                ..none()
            },
            &[(1, "a"), (5, "a")],
            (1, "b"),
            LimitKind::NearDuplicate,
            None,
        ),
        quota(
            LimitOptions {
                max_per_minute: two,
                ..none()
            },
            Some(minute),
        ),
        quota(
            LimitOptions {
                max_per_hour: two,
                ..none()
            },
            Some(hour),
        ),
        quota(
            LimitOptions {
                max_per_day: two,
                ..none()
            },
            Some(day),
        ),
        quota(
            LimitOptions {
                max_total: two,
                ..none()
            },
            None,
        ),
    ]
}

fn open(folder: &Path, clock: &ManualClock, sink: &Sink, limits: &LimitOptions) -> Watched {
    let hooks = on_disk(folder, clock);
    hooks.add(hook(sink, limited(limits.clone()))).unwrap();
    hooks
}

fn outcome(hooks: &HookSet, (seed, label): (u8, &str)) -> Outcome {
    hooks
        .submit(&striped(seed), &labelled(label, 0.9))
        .remove(0)
}

#[test]
fn every_limit_goes_on_after_a_restart_and_after_a_crash() {
    for case in cases() {
        for end in [End::Orderly, End::Killed] {
            let folder = tempfile::tempdir().unwrap();
            // The start of a day: no period of a quota ends by chance.
            let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
            let sink = Sink::new(|_| Ok(()));
            let hooks = open(folder.path(), &clock, &sink, &case.limits);
            for image in case.pass {
                assert!(outcome(&hooks, *image).is_fired(), "{:?}", case.limits);
            }
            end.of(hooks);
            clock.advance(SECOND);
            let hooks = open(folder.path(), &clock, &sink, &case.limits);
            let held_back = outcome(&hooks, case.held_back);
            let expected = Outcome::Suppressed {
                score: 1.0,
                limit: case.by,
            };
            assert_eq!(held_back, expected, "{:?} {end:?}", case.limits);
            clock.advance(case.passes_after.unwrap_or(1_000 * 86_400 * SECOND));
            let passes = outcome(&hooks, case.held_back).is_fired();
            assert_eq!(
                passes,
                case.passes_after.is_some(),
                "{:?} {end:?}",
                case.limits
            );
            assert_eq!(hooks.statistics().evaluated, 2);
        }
    }
}
