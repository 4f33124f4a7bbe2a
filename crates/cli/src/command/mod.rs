//! One file a command.

mod bench;
mod demo;
mod doctor;

use crate::args::{Arguments, Command};
use crate::exit::Outcome;

/// Runs the command that was asked for.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Bench(arguments) => bench::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
    }
}
