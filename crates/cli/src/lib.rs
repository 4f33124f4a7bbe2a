//! The `straylight` program as a library, for programs that bring it along.
//!
//! Arguments in, library calls, answers out. No logic of its own.

mod command;
mod exit;
mod output;
mod progress;

use std::ffi::OsString;

use clap::Parser;

use crate::command::Arguments;

/// Runs the program with these arguments, the first of which is its name; returns the exit code.
///
/// What it has to say goes to standard output and standard error. The process is never ended.
pub fn main_with<I, T>(arguments: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Without a terminal to print on only the code is left to tell.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match command::run(&arguments) {
        Ok(code) => code as u8,
        Err(failure) => {
            output::report(&failure);
            failure.code as u8
        }
    }
}
