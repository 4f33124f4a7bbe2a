//! Warnings of the libraries, on standard error.

use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::output;

/// Shows warnings and errors from now on, unless a program that brings this one along shows them.
pub(crate) fn show_warnings() {
    let _ = tracing::subscriber::set_global_default(Warnings);
}

struct Warnings;

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("straylight") && *metadata.level() <= Level::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        output::note(&text.line());
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// What an event says: `warning: hook NAME: MESSAGE (KEY VALUE, ...)`.
#[derive(Default)]
struct Text {
    hook: String,
    message: String,
    details: Vec<String>,
}

impl Text {
    fn line(self) -> String {
        let mut line = "warning: ".to_owned();
        if !self.hook.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(line, "hook {}: ", self.hook);
        }
        line += &self.message;
        if !self.details.is_empty() {
            let _ = write!(line, " ({})", self.details.join(", "));
        }
        line
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "hook" => self.hook = format!("{value:?}"),
            name => self.details.push(format!("{name} {value:?}")),
        }
    }
}
