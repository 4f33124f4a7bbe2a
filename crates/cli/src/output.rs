//! What goes to the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use straylight::image::TerminalGraphics;
use straylight::ood::threshold::Promise;
use straylight::sources::Stop;

use crate::exit::{Exit, Failure, Outcome};

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
    if let Some(hint) = failure.hint() {
        text.push(format!("  hint: {hint}"));
    }
    let text = text.join("\n");
    match text.strip_prefix("error:") {
        Some(rest) if has_colors() => eprintln!("\x1b[1;31merror:\x1b[0m{rest}"),
        _ => eprintln!("{text}"),
    }
}

/// Whether standard error is a terminal whose user wants colours.
fn has_colors() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stderr().is_terminal()
}

/// What the terminal on standard output can show, if it is one.
pub(crate) fn graphics() -> Option<TerminalGraphics> {
    let variable = |name: &str| std::env::var(name).ok();
    let forced = std::env::var_os("STRAYLIGHT_GRAPHICS").is_some();
    TerminalGraphics::detect(variable).filter(|_| forced || io::stdout().is_terminal())
}

/// Lets Ctrl-C end a source, so that what is on its way comes out; a second one ends the program.
pub(crate) fn stop_on_interrupt(stop: Stop) {
    let handler = move || {
        if stop.is_asked() {
            std::process::exit(130);
        }
        eprintln!("stopping: what is on its way is still done; Ctrl-C again ends at once");
        stop.ask();
    };
    // A program that brings this one along has a handler of its own; then that one counts.
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::debug!(%error, "Ctrl-C is handled by somebody else");
    }
}

/// Writes a remark to standard error, where it cannot spoil an answer.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Lists what was bad; partial success if there was anything.
pub(crate) fn problems<P: Display, M: Display>(problems: impl IntoIterator<Item = (P, M)>) -> Exit {
    let mut exit = Exit::Success;
    for (place, message) in problems {
        note(&format!("bad: {place}: {message}"));
        exit = Exit::Partial;
    }
    exit
}

/// Answers in one line for people, or with the same as JSON.
pub(crate) fn answer(as_json: bool, text: &str, value: &Value) -> Result<(), Failure> {
    if as_json {
        return json(value, "-".as_ref());
    }
    line(text);
    Ok(())
}

/// Answers as [`answer`] does, then lists what was bad; in JSON also under `problems`.
pub(crate) fn answer_with<P: Display, M: Display>(
    as_json: bool,
    text: &str,
    mut value: Value,
    bad: impl IntoIterator<Item = (P, M)>,
) -> Outcome {
    let bad = bad
        .into_iter()
        .map(|(place, message)| (place.to_string(), message.to_string()))
        .collect::<Vec<_>>();
    value["problems"] = bad
        .iter()
        .map(|(place, message)| json!({ "place": place, "message": message }))
        .collect();
    answer(as_json, text, &value)?;
    Ok(problems(bad))
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

/// Writes an answer as JSON on one line to standard output.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<(), Failure> {
    line(&serde_json::to_string(value)?);
    Ok(())
}

fn write(text: &str, target: &Path) -> Result<(), Failure> {
    if target == Path::new("-") {
        line(text);
        return Ok(());
    }
    straylight::write_atomically(target, text.as_bytes())?;
    Ok(())
}
