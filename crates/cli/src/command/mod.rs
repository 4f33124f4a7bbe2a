//! One file a command, each with its arguments.

mod bench;
mod demo;
mod doctor;
mod engine;
mod ood;
mod queue;
mod serve;
mod shell;
mod token;

use clap::{Parser, Subcommand};

use crate::exit::Outcome;

/// Runs deployed vision models, finds the images they have never seen, and collects them.
#[derive(Debug, Parser)]
#[command(name = "straylight", version, propagate_version = true)]
#[command(after_help = "\
Start with `straylight demo`; `straylight doctor` checks this machine.

Exit codes: 0 done; 1 failed; 2 arguments not understood; 3 the good inputs are done and the
bad ones are listed; 4 something is missing on this machine.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure how fast a deployment runs here: alone, with decoding, with a hook.
    Bench(bench::Arguments),
    /// Print the completions of a shell.
    Completions(shell::CompletionArguments),
    /// Show the whole story on real photos: a model meets images it has never seen.
    Demo(demo::Arguments),
    /// Check this machine: the OpenVINO runtime, its devices, and how to mend what is missing.
    Doctor(doctor::Arguments),
    /// Print the manual page.
    Man,
    /// Fit, use and judge OOD models.
    Ood(ood::Arguments),
    /// Look at hooks' queues on disk, send dead letters again, or drop them.
    Queue(queue::Arguments),
    /// Start the local server: the Geti REST API and a page for what was collected.
    Serve(serve::Arguments),
    /// Make, list and revoke the access tokens of the local server.
    Token(token::Arguments),
}

/// Runs the command that was asked for.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Bench(arguments) => bench::run(arguments),
        Command::Completions(arguments) => shell::completions(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Man => shell::manual(),
        Command::Ood(arguments) => ood::run(arguments),
        Command::Queue(arguments) => queue::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Token(arguments) => token::run(arguments),
    }
}
