//! The `straylight` program as a library, for programs that bring it along.
//!
//! Arguments in, library calls, answers out. No logic of its own.

mod access_log;
mod command;
mod exit;
mod log;
mod output;
mod progress;
mod settings;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches};

use crate::command::Arguments;
use crate::exit::Failure;
use crate::settings::Settings;

/// Runs the program with these arguments, the first of which is its name; returns the exit code.
///
/// What it has to say goes to standard output and standard error. The process is never ended.
pub fn main_with<I, T>(arguments: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let settings = match Settings::find(config_file(&arguments)) {
        Ok(settings) => settings,
        Err(message) => return failed(&message.into()),
    };
    let program = settings.apply(Arguments::command());
    let parsed = program
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // Without a terminal to print on only the code is left to tell.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match command::run(&arguments, &settings).and_then(output::end) {
        Ok(code) => code as u8,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &Failure) -> u8 {
    output::report(failure);
    failure.code as u8
}

/// The file with settings that is named, looked up before the arguments are read proper: it may
/// change how they are read.
fn config_file(arguments: &[OsString]) -> Option<PathBuf> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.to_str() {
            Some("--") => break,
            Some("--config") => return rest.next().map(PathBuf::from),
            Some(text) => {
                if let Some(file) = text.strip_prefix("--config=") {
                    return Some(PathBuf::from(file));
                }
            }
            None => {}
        }
    }
    let named = std::env::var_os("STRAYLIGHT_CONFIG");
    named.filter(|file| !file.is_empty()).map(PathBuf::from)
}
