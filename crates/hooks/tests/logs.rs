//! What the log says when things go wrong: a line for a failure, not one for every retry.

#![allow(clippy::unwrap_used)]

mod common;

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use straylight_hooks::action::HttpRequestAction;
use straylight_hooks::clock::ManualClock;
use straylight_hooks::config::HttpConfig;
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    ActionError, BreakerOptions, HookOptions, PostInferenceHook, QueueOptions, RetryOptions,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the lines of at least `INFO`, as a log would.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1 + self.spans.fetch_add(1, SeqCst))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log {
    /// The lines since the last look.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

#[test]
fn a_sink_that_is_away_for_hours_costs_a_handful_of_lines() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(start());
        let sink = Sink::new(|_| Err(ActionError::transient("no route to host")));
        let hooks = on_disk(folder.path(), &clock);
        hooks.add(hook(&sink, inline())).unwrap();
        for i in 0..200 {
            hooks.submit(&i.to_string());
        }
        for _ in 0..200 {
            clock.advance(Duration::from_secs(60));
            hooks.drain(Duration::ZERO);
        }
        assert!(hooks.statistics().retried > 100);
    });
    let lines = log.take();
    // One for each event that failed before the breaker opened, and one for the breaker.
    assert_eq!(lines.len(), 6, "{lines:#?}");
    assert!(
        lines.iter().all(|line| line.starts_with("WARN")),
        "{lines:#?}"
    );
    let events = lines.iter().filter(|line| line.contains("event="));
    assert_eq!(events.count(), 5, "{lines:#?}");
    let last = lines.iter().find(|line| line.contains("sink=")).unwrap();
    for part in ["hook=hook", "sink=\"sink\"", "no route to host", "resting"] {
        assert!(last.contains(part), "{last}");
    }
}

#[test]
fn an_event_that_fails_for_ever_costs_two_lines() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let clock = ManualClock::new(start());
        let hooks = in_memory(&clock);
        let sink = Sink::new(|_| Err(ActionError::transient("busy")));
        let options = HookOptions {
            breaker: BreakerOptions {
                failures: 0,
                ..BreakerOptions::default()
            },
            retry: RetryOptions {
                max_attempts: 50,
                ..RetryOptions::default()
            },
            queue: Some(QueueOptions::MEMORY),
            ..inline()
        };
        hooks.add(hook(&sink, options)).unwrap();
        hooks.submit("a");
        for _ in 0..100 {
            clock.advance(Duration::from_secs(600));
            hooks.drain(Duration::ZERO);
        }
        let stats = hooks.statistics();
        assert_eq!((stats.retried, stats.ledger.dead), (49, 1));
    });
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("not delivered yet") && lines[0].starts_with("WARN"));
    assert!(lines[1].contains("after 50 attempts") && lines[1].starts_with("ERROR"));
}

/// Where a sink's secrets are known to the action alone, no line can hold them.
#[test]
fn no_line_holds_a_secret_however_the_sink_fails() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        for scheme in ["http", "https"] {
            let config = serde_json::json!({
                "url": format!("{scheme}://{address}/strays?token=swordfish"), "method": "POST",
                "headers": {"Authorization": "Bearer swordfish", "X-Odd": "swordfish\n"},
            });
            for header in ["Authorization", "X-Odd"] {
                let mut config: HttpConfig = serde_json::from_value(config.clone()).unwrap();
                config.headers.retain(|name, _| name == header);
                let clock = ManualClock::new(start());
                let hooks = in_memory(&clock);
                let action = HttpRequestAction::new(config).unwrap();
                let trigger = Box::new(AlwaysTrigger);
                let hook = PostInferenceHook::new(trigger, Box::new(action), inline());
                hooks.add(hook).unwrap();
                for _ in 0..40 {
                    hooks.submit("a");
                    clock.advance(Duration::from_secs(600));
                    hooks.drain(Duration::ZERO);
                }
            }
        }
    });
    let lines = log.take();
    assert!(lines.len() > 40, "{lines:#?}");
    assert!(
        !lines.iter().any(|line| line.contains("swordfish")),
        "{lines:#?}"
    );
}

#[test]
fn a_disk_that_fails_and_works_again_costs_two_lines() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(start());
        let sink = Sink::new(|_| Ok(()));
        let hooks = on_disk(folder.path(), &clock);
        hooks.add(hook(&sink, inline())).unwrap();
        let spool = folder.path().join("hook/spool");
        std::fs::remove_dir(&spool).unwrap();
        for i in 0..20 {
            hooks.submit(&i.to_string());
        }
        std::fs::create_dir(&spool).unwrap();
        assert!(hooks.drain(Duration::ZERO));
        assert_eq!(sink.has().len(), 20);
    });
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("the queue on disk failed") && lines[0].starts_with("ERROR"));
    assert!(lines[1].contains("works again") && lines[1].starts_with("INFO"));
}
