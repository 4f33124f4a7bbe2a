//! The `straylight` program: arguments in, library calls, answers out. No logic of its own.

mod command;
mod exit;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match command::run(&arguments) {
        Ok(code) => code.into(),
        Err(failure) => {
            output::report(&failure);
            failure.code.into()
        }
    }
}
