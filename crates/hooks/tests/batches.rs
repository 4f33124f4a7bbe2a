//! Sinks that take several events at once.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Action, ActionError, Event, HookOptions, HookSetOptions, HookStats, PostInferenceHook,
};

/// Delivers the first event when it is let, and panics over the one called `bomb`.
struct Batches {
    gate: Mutex<Receiver<()>>,
    started: Sender<()>,
    calls: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Action for Batches {
    fn name(&self) -> &'static str {
        "Batches"
    }

    fn sink(&self) -> String {
        "batches".to_owned()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        self.perform_all(&[event]).remove(0)
    }

    fn batch_size(&self) -> usize {
        4
    }

    fn perform_all(&self, events: &[&Event]) -> Vec<Result<(), ActionError>> {
        if &*events[0].name == "first" {
            self.started.send(()).unwrap();
            self.gate.lock().unwrap().recv().unwrap();
        }
        let names: Vec<String> = events.iter().map(|event| event.name.to_string()).collect();
        assert!(!names.iter().any(|name| name == "bomb"), "boom");
        self.calls.lock().unwrap().push(names);
        let refused = |event: &&Event| match &*event.name {
            "refused" => Err(ActionError::permanent("not this one")),
            _ => Ok(()),
        };
        events.iter().map(refused).collect()
    }
}

/// Lets one worker hold `first` until all the others wait, and returns what was delivered how.
fn deliver(names: &[&str]) -> (Vec<Vec<String>>, HookStats) {
    let (open, gate) = channel();
    let (started, has_started) = channel();
    let calls = Arc::default();
    let action = Batches {
        gate: Mutex::new(gate),
        started,
        calls: Arc::clone(&calls),
    };
    let options = HookOptions {
        max_threads: 1,
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
    let stats = hooks.stats().remove(0);
    let calls = calls.lock().unwrap().clone();
    (calls, stats)
}

#[test]
fn what_waits_is_delivered_together_up_to_the_batch_size() {
    let (calls, stats) = deliver(&["a", "b", "refused", "d", "e"]);
    assert_eq!(calls, [&["first"][..], &["a", "b", "refused", "d"], &["e"]]);
    assert_eq!((stats.ledger.delivered, stats.ledger.dead), (5, 1));
}

#[test]
fn an_event_that_makes_the_action_panic_takes_no_other_along() {
    let (calls, stats) = deliver(&["a", "bomb", "c"]);
    assert_eq!(calls, [["first"], ["a"], ["c"]]);
    assert_eq!((stats.ledger.delivered, stats.ledger.dead), (3, 1));
}
