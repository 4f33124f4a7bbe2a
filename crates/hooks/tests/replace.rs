//! Hooks that are exchanged at work: what goes on, what ends, and that nothing is lost.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use straylight_core::Prediction;
use straylight_hooks::clock::ManualClock;
use straylight_hooks::config::{BuildContext, HookConfig};
use straylight_hooks::{DrainOptions, HookError, LimitOptions, PostInferenceHook};

const AT_ONCE: DrainOptions = DrainOptions {
    at_most: Some(Duration::ZERO),
    stall: None,
};

/// A hook that writes into a folder on the thread that submits.
fn saved(name: &str, folder: &Path, trigger: &Value, limits: &Value) -> PostInferenceHook {
    let config: HookConfig = serde_json::from_value(json!({
        "name": name,
        "trigger": trigger,
        "action": {"FileSystemDataCollection": {"target_folder": folder}},
        "max_threads": 0,
        "limits": limits,
    }))
    .unwrap();
    config.build(&BuildContext::default()).unwrap()
}

fn always() -> Value {
    json!({"AlwaysTrigger": {}})
}

fn never() -> Value {
    json!({"NotTrigger": {"trigger": always()}})
}

fn pictures(folder: &Path) -> usize {
    fs::read_dir(folder.join("images")).map_or(0, Iterator::count)
}

#[test]
fn a_hook_of_which_trigger_and_limits_change_goes_on_counting() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let hooks = in_memory(&clock);
    let hook = |trigger: Value, limits: Value| saved("a", folder.path(), &trigger, &limits);
    hooks.add(hook(always(), json!({"max_total": 3}))).unwrap();
    hooks.submit("1");
    let replaced = |hook| hooks.replace(vec![hook], AT_ONCE).unwrap();
    assert_eq!(replaced(hook(never(), json!({"max_total": 3}))).0, []);
    hooks.submit("2");
    assert_eq!(replaced(hook(always(), json!({"max_total": 2}))).0, []);
    for name in ["3", "4"] {
        hooks.submit(name);
    }
    let stats = hooks.statistics();
    assert_eq!((stats.evaluated, stats.not_fired, stats.fired), (4, 1, 2));
    // The new limit remembers what passed the old one.
    assert_eq!(pictures(folder.path()), 2);
}

#[test]
fn others_end_with_what_they_have_delivered() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = ManualClock::new(start());
    let hooks = in_memory(&clock);
    let sink = Sink::new(|_| Ok(()));
    hooks
        .add(saved("a", first.path(), &always(), &json!({})))
        .unwrap();
    hooks.add(hook(&sink, inline())).unwrap();
    check(hooks.set());
    drop(hooks.set().submit(&frame("1"), &Prediction::default()));
    let new = vec![saved("a", second.path(), &always(), &json!({}))];
    let (ended, lost) = hooks.replace(new, AT_ONCE).unwrap();
    let delivered: Vec<_> = ended
        .iter()
        .map(|stats| (stats.run.fired, stats.run.delivered))
        .collect();
    assert_eq!((delivered, lost), (vec![(1, 1), (1, 1)], vec![]));
    hooks.submit("2");
    assert_eq!((pictures(first.path()), pictures(second.path())), (1, 1));
    assert_eq!((sink.has().len(), hooks.statistics().evaluated), (1, 1));
}

#[test]
fn hooks_that_cannot_run_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let hooks = in_memory(&clock);
    let hook = |name: &str| saved(name, folder.path(), &always(), &json!({}));
    hooks.add(hook("a")).unwrap();
    hooks.submit("1");
    let error = hooks
        .replace(vec![hook("b"), hook("b")], AT_ONCE)
        .unwrap_err();
    assert!(matches!(error, HookError::DuplicateName(name) if name == "b"));
    let wrong = saved(
        "c",
        folder.path(),
        &always(),
        &json!({"max_frames_per_second": 0.0}),
    );
    assert!(hooks.replace(vec![hook("b"), wrong], AT_ONCE).is_err());
    hooks.submit("2");
    let stats = hooks.statistics();
    assert_eq!((stats.hook.as_str(), stats.evaluated), ("a", 2));
}

#[test]
fn what_waits_on_disk_is_delivered_by_the_next_of_the_name() {
    let state = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(start());
    let hooks = on_disk(state.path(), &clock);
    let away = Sink::new(|_| Err(straylight_hooks::ActionError::transient("away")));
    let options = || straylight_hooks::HookOptions {
        name: Some("a".to_owned()),
        limits: LimitOptions::default(),
        ..inline()
    };
    hooks.add(hook(&away, options())).unwrap();
    hooks.submit("1");
    let back = Sink::new(|_| Ok(()));
    let (ended, lost) = hooks
        .replace(vec![hook(&back, options())], AT_ONCE)
        .unwrap();
    assert_eq!((ended[0].ledger.queued, lost.len()), (1, 0));
    hooks.submit("2");
    assert!(hooks.drain(Duration::from_secs(60)));
    assert_eq!(back.has().len(), 2);
}
