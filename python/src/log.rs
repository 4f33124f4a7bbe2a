//! What the crates have to say, as records of Python's `logging` under the name `straylight`.
//!
//! Records travel over a bounded channel to a thread of their own, which alone talks to Python:
//! so no thread that speaks ever waits for the interpreter lock. What finds no room is counted
//! and the count is logged.

use std::fmt::{Debug, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::interpreter::inside;

/// This crate, as it names itself.
const OURSELVES: &str = "_native";

/// Records that may wait.
const ROOM: usize = 4096;

/// How long the last records may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

static CHANNEL: OnceLock<SyncSender<Message>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

enum Message {
    Record {
        level: u8,
        name: String,
        text: String,
    },
    Flush(SyncSender<()>),
}

/// Begins to forward what the crates say to Python's `logging`; further calls do nothing.
#[pyfunction]
pub(crate) fn start_log() {
    let (sender, receiver) = sync_channel(ROOM);
    if CHANNEL.set(sender).is_err() {
        return;
    }
    let thread = std::thread::Builder::new().name("straylight-log".to_owned());
    // Without the thread nothing is forwarded; somebody else may have set a subscriber first.
    if thread.spawn(move || forward(&receiver)).is_ok() {
        let _ = tracing::subscriber::set_global_default(Forward);
    }
}

/// Waits a moment until all that was said is logged.
pub(crate) fn flush(py: Python<'_>) {
    let Some(channel) = CHANNEL.get() else { return };
    py.detach(|| {
        let (done, wait) = sync_channel(1);
        if channel.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(LAST_WORDS);
        }
    });
}

fn forward(receiver: &Receiver<Message>) {
    for message in receiver {
        match message {
            Message::Flush(done) => {
                let _ = done.try_send(());
            }
            Message::Record { level, name, text } => {
                let lost = LOST.swap(0, Relaxed);
                inside(|py| {
                    // A handler that fails is the user's affair, as with every record.
                    let _ = write(py, level, &name, &text);
                    if lost > 0 {
                        let _ = write(py, 30, "straylight", &format!("{lost} records were lost"));
                    }
                });
            }
        }
    }
}

fn write(py: Python<'_>, level: u8, name: &str, text: &str) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", (name,))?;
    logger.call_method1("log", (level, "%s", text))?;
    Ok(())
}

struct Forward;

impl Subscriber for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let is_ours = target.starts_with("straylight") || target.starts_with(OURSELVES);
        is_ours && *metadata.level() <= Level::DEBUG
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::DEBUG)
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &SpanRecord<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(channel) = CHANNEL.get() else { return };
        let mut text = Text::default();
        event.record(&mut text);
        let message = Message::Record {
            level: python_level(*event.metadata().level()),
            name: logger_name(event.metadata().target()),
            text: text.message + &text.fields,
        };
        if channel.try_send(message).is_err() {
            LOST.fetch_add(1, Relaxed);
        }
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// The numbers of Python's `logging`.
fn python_level(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

/// `straylight_hooks::runner` as `straylight.hooks`; what this crate says as `straylight`.
fn logger_name(target: &str) -> String {
    match target.split("::").next() {
        Some(OURSELVES) | None => "straylight".to_owned(),
        Some(part) => part.replacen('_', ".", 1),
    }
}

/// The message of an event, and its fields as ` key=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
