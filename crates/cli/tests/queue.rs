//! `straylight queue` through the real program, on queues that real hooks left behind.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use straylight::hooks::trigger::AlwaysTrigger;
use straylight::hooks::{
    Action, ActionError, BestOfOptions, Event, HookOptions, HookSet, HookSetOptions, LimitOptions,
    PostInferenceHook,
};
use straylight::{Frame, Prediction, RgbImage, Timestamp};

/// A sink that refuses some images, is away for others, and takes the rest.
struct Sink;

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
        match event.name.split('-').next() {
            Some("refused") => Err(ActionError::permanent("no such project")),
            Some("waiting") => Err(ActionError::transient("cable pulled")),
            _ => Ok(()),
        }
    }
}

fn hooks(state: &Path) -> HookSet {
    HookSet::new(HookSetOptions {
        state_folder: Some(state.to_owned()),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    })
}

fn run_hook(state: &Path, name: &str, limits: LimitOptions, images: &[&str]) {
    let hooks = hooks(state);
    let options = HookOptions {
        name: Some(name.to_owned()),
        max_threads: 0,
        limits,
        ..HookOptions::default()
    };
    let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(Sink), options);
    hooks.add(hook).unwrap();
    for image in images {
        let pixels = RgbImage::filled(32, 32, [1, 2, 3]).unwrap();
        let frame = Frame::new(pixels, *image, Timestamp::UNIX_EPOCH);
        hooks.submit(&frame, &Prediction::default());
    }
}

/// Two queues: one with a delivered, two dead and one waiting event, one with a held one.
fn queues() -> tempfile::TempDir {
    let state = tempfile::tempdir().unwrap();
    let images = ["taken", "refused-1", "refused-2", "waiting"];
    run_hook(state.path(), "strays", LimitOptions::default(), &images);
    let best_of = LimitOptions {
        best_of: Some(BestOfOptions {
            keep: 1,
            window_seconds: 3_600.0,
        }),
        ..LimitOptions::default()
    };
    run_hook(state.path(), "best", best_of, &["held"]);
    state
}

fn queue(state: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_straylight"))
        .args(["queue", "--state"])
        .arg(state)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(state: &Path, arguments: &[&str]) -> String {
    let output = queue(state, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(state: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["--json"], arguments].concat();
    serde_json::from_str(&text(state, &arguments)).unwrap()
}

fn error(state: &Path, arguments: &[&str]) -> String {
    let output = queue(state, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The statistics of the queue of `strays`: fired, delivered, queued, dropped, dead.
fn statistics(state: &Path) -> [u64; 5] {
    let all = json(state, &["--hook", "strays", "stats"]);
    let count = |key: &str| all[0][key].as_u64().unwrap();
    let statistics = ["fired", "delivered", "queued", "dropped", "dead"].map(count);
    assert_eq!(statistics[0], statistics[1..].iter().sum::<u64>(), "{all}");
    statistics
}

fn id_of(state: &Path, name: &str) -> String {
    let all = json(state, &["ls"]);
    let mut found = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["name"] == name);
    found.next().unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn ls_lists_what_waits_what_died_and_what_is_held() {
    let state = queues();
    let all = json(state.path(), &["ls"]);
    let states: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["state"].as_str())
        .collect();
    assert_eq!(
        states,
        [Some("held"), Some("dead"), Some("dead"), Some("waiting")]
    );
    let dead = text(state.path(), &["ls", "--dead"]);
    assert_eq!(dead.lines().count(), 2);
    assert!(
        dead.contains("no such project") && !dead.contains("waiting"),
        "{dead}"
    );
    assert_eq!(
        text(state.path(), &["--hook", "best", "ls"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn stats_show_books_that_balance() {
    let state = queues();
    assert_eq!(statistics(state.path()), [4, 1, 1, 0, 2]);
    let shown = text(state.path(), &["stats"]);
    let line = "strays: 4 fired = 1 delivered + 1 queued + 0 dropped + 2 dead";
    assert!(shown.lines().any(|found| found == line), "{shown}");
}

#[test]
fn show_tells_everything_about_an_event() {
    let state = queues();
    let id = id_of(state.path(), "refused-1");
    let shown: Value = serde_json::from_str(&text(state.path(), &["show", &id])).unwrap();
    assert_eq!(shown["error"], "no such project");
    assert!(Path::new(shown["image"].as_str().unwrap()).is_file());
    assert_eq!(shown["key"].as_str().unwrap().len(), 64);
    let unknown = "0".repeat(32);
    assert!(error(state.path(), &["show", &unknown]).contains("no queue holds"));
}

#[test]
fn retry_lets_dead_letters_wait_again() {
    let state = queues();
    let id = id_of(state.path(), "refused-1");
    assert!(text(state.path(), &["retry", &id]).starts_with("1 dead letters"));
    assert_eq!(statistics(state.path()), [4, 1, 2, 0, 1]);
    assert!(error(state.path(), &["retry", &id]).contains("1 of the ids are not there"));
    text(state.path(), &["retry", "--all"]);
    assert_eq!(statistics(state.path()), [4, 1, 3, 0, 0]);
}

#[test]
fn drop_gives_events_up_and_counts_them() {
    let state = queues();
    let waiting = id_of(state.path(), "waiting");
    text(state.path(), &["drop", &waiting]);
    text(state.path(), &["drop", "--all"]);
    assert_eq!(statistics(state.path()), [4, 1, 0, 3, 0]);
    let stats = json(state.path(), &["--hook", "strays", "stats"]);
    assert_eq!(stats[0]["dropped_by_reason"]["discarded"], 3);
    let held = id_of(state.path(), "held");
    text(state.path(), &["drop", &held]);
    assert_eq!(json(state.path(), &["ls"]), serde_json::json!([]));
}

#[test]
fn what_cannot_be_done_is_an_error_that_says_why() {
    let state = queues();
    assert!(error(state.path(), &["--hook", "nobody", "ls"]).contains("no hook named `nobody`"));
    let nowhere = state.path().join("nowhere");
    assert!(error(&nowhere, &["ls"]).contains("nowhere"));
    let invalid = queue(state.path(), &["show", "xyz"]);
    assert_eq!(invalid.status.code(), Some(2));
    // While a process works on the queue it can be looked at, not changed.
    let working = hooks(state.path());
    let options = HookOptions {
        name: Some("strays".to_owned()),
        max_threads: 0,
        ..HookOptions::default()
    };
    let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(Sink), options);
    working.add(hook).unwrap();
    text(state.path(), &["ls"]);
    let refused = error(state.path(), &["--hook", "strays", "retry", "--all"]);
    assert!(refused.contains("in use by another process"), "{refused}");
}
