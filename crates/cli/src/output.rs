//! What goes to the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use straylight::ood::threshold::Promise;

use crate::exit::Failure;

/// Writes a line to standard output; a closed pipe (`| head`) is not an error.
pub(crate) fn line(text: &str) {
    let _closed_pipe = writeln!(io::stdout(), "{text}");
}

/// Prints an error, its causes, and leaves standard output alone.
pub(crate) fn report(failure: &Failure) {
    let mut text = vec![format!("error: {}", failure.error)];
    let mut cause = failure.error.source();
    while let Some(inner) = cause {
        let message = inner.to_string();
        // Messages that already contain their cause are not repeated.
        if !text.iter().any(|line| line.contains(&message)) {
            text.push(format!("  caused by: {message}"));
        }
        cause = inner.source();
    }
    eprintln!("{}", text.join("\n"));
}

/// Writes a remark to standard error, where it cannot spoil an answer.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Says what a threshold promises.
pub(crate) fn promise(promise: &Promise) -> String {
    format!(
        "promise: with {:.0} % confidence at most {:.2} % of in-distribution images are \
         collected, from {} held-out images",
        promise.confidence * 100.0,
        promise.max_false_collection_rate * 100.0,
        promise.images
    )
}

/// Writes an answer as JSON to a file (atomically) or, for `-`, to standard output.
pub(crate) fn json<T: Serialize>(value: &T, target: &Path) -> Result<(), Failure> {
    write(&serde_json::to_string_pretty(value)?, target)
}

/// Writes an answer as JSON on one line.
pub(crate) fn compact_json<T: Serialize>(value: &T, target: &Path) -> Result<(), Failure> {
    write(&serde_json::to_string(value)?, target)
}

fn write(text: &str, target: &Path) -> Result<(), Failure> {
    if target == Path::new("-") {
        line(text);
        return Ok(());
    }
    straylight::write_atomically(target, text.as_bytes())?;
    Ok(())
}
