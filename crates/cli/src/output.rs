//! What goes to the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use straylight::image::TerminalGraphics;
use straylight::ood::threshold::Promise;
use straylight::sources::Stop;

use crate::exit::{Exit, Failure, Outcome};

/// What went wrong first when standard output was written; told when the command ends.
static BROKEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes a line to standard output.
///
/// A closed pipe (`| head`) is not an error; any other trouble fails the command when it ends.
pub(crate) fn line(text: &str) {
    let _told_at_the_end = write_out(&shown(text));
}

/// Writes one of many lines to standard output, for commands that stop when nobody reads them.
pub(crate) fn next_line(text: &str) -> Result<(), Failure> {
    Ok(write_out(&shown(text))?)
}

/// Writes a picture for the terminal, whose control characters are meant.
pub(crate) fn graphics_line(text: &str) -> Result<(), Failure> {
    Ok(write_out(text)?)
}

fn write_out(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(format!("{text}\n").as_bytes())
        .and_then(|()| out.flush());
    written.map_err(|error| {
        let message = match error.kind() {
            io::ErrorKind::BrokenPipe => {
                "standard output was closed: nobody reads the rest, so it was not done".to_owned()
            }
            _ => format!("cannot write to standard output: {error}"),
        };
        let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert(error);
        message
    })
}

/// The exit code of a command that did its work: a failure when its answer could not be written.
pub(crate) fn end(exit: Exit) -> Outcome {
    let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
    match broken.take() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}").into())
        }
        _ => Ok(exit),
    }
}

/// A text without what could change a terminal: names of files may hold any character.
fn shown(text: &str) -> String {
    let is_plain = |c: char| c == '\n' || c == '\t' || !(c.is_control() || is_direction(c));
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    let shown = text.chars().map(|c| {
        if is_plain(c) {
            c.to_string()
        } else {
            c.escape_unicode().to_string()
        }
    });
    shown.collect()
}

/// Characters that turn the direction of a text, and so can make it look like another.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A place on one line: a name may hold a line break.
pub(crate) fn place(text: &str) -> String {
    shown(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// JSON that a terminal can show: it escapes control characters but for these.
fn plain_json(json: &str) -> String {
    if json.chars().all(|c| !('\u{7f}'..='\u{9f}').contains(&c)) {
        return json.to_owned();
    }
    let plain = json.chars().map(|c| match c {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    plain.collect()
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
    let text = shown(&text.join("\n"));
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
pub(crate) fn stop_on_interrupt(stops: Vec<Stop>) {
    let is_asked = AtomicBool::new(false);
    let handler = move || {
        if is_asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("stopping: what is on its way is still done; Ctrl-C again ends at once");
        stops.iter().for_each(Stop::ask);
    };
    // A program that brings this one along has a handler of its own; then that one counts.
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::debug!(%error, "Ctrl-C is handled by somebody else");
    }
}

/// Writes a remark to standard error, where it cannot spoil an answer.
pub(crate) fn note(text: &str) {
    // Nobody may be reading; there is no other place to tell it.
    let _ = writeln!(io::stderr(), "{}", shown(text));
}

/// Lists what was bad; partial success if there was anything.
pub(crate) fn problems<P: Display, M: Display>(problems: impl IntoIterator<Item = (P, M)>) -> Exit {
    let mut exit = Exit::Success;
    for (place, message) in problems {
        note(&format!(
            "bad: {}: {message}",
            self::place(&place.to_string())
        ));
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

/// Writes one of many answers as JSON on one line to standard output.
///
/// # Errors
///
/// When it cannot be written: then the command stops.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<(), Failure> {
    Ok(write_out(&plain_json(&serde_json::to_string(value)?))?)
}

fn write(text: &str, target: &Path) -> Result<(), Failure> {
    if target == Path::new("-") {
        line(&plain_json(text));
        return Ok(());
    }
    straylight::write_atomically(target, text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_by_their_numbers() {
        assert_eq!(shown("photos/ü (1).jpg"), "photos/ü (1).jpg");
        assert_eq!(shown("a\x1b]0;title\x07b"), "a\\u{1b}]0;title\\u{7}b");
        assert_eq!(shown("a\u{9b}2Jb\u{202e}gpj"), "a\\u{9b}2Jb\\u{202e}gpj");
        assert_eq!(place("a\nbad: b"), "a\\nbad: b");
    }

    #[test]
    fn json_keeps_its_value() {
        let name = "a\u{9b}2J\u{7f}\x1b";
        let text = plain_json(&serde_json::to_string(name).unwrap());
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), name);
    }
}
