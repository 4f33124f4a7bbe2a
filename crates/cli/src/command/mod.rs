//! One file a command, each with its arguments.

mod bench;
mod config;
mod dataset;
mod demo;
mod deployment;
mod doctor;
mod engine;
mod hooks;
mod ood;
mod overhead;
mod platform;
mod predict;
mod project;
mod queue;
mod reload;
mod replay;
mod run;
mod serve;
mod shell;
mod source;
mod steps;
mod store;
mod token;

use clap::{Parser, Subcommand};
use straylight::image::DecodeLimits;

use crate::exit::Outcome;
use crate::settings::Settings;

/// Runs deployed vision models, finds the images they have never seen, and collects them.
#[derive(Debug, Parser)]
#[command(name = "straylight", version, propagate_version = true)]
#[command(after_help = "\
Start with `straylight demo`; `straylight doctor` checks this machine.

Exit codes: 0 done; 1 failed; 2 arguments not understood; 3 the good inputs are done and the
bad ones are listed; 4 something is missing on this machine.")]
pub(crate) struct Arguments {
    /// File with settings (default: `STRAYLIGHT_CONFIG`, straylight.toml, the user's config.toml).
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<std::path::PathBuf>,
    /// Most pixels of an image (width times height), wherever one is read: predicted, collected,
    /// uploaded, stored.
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "STRAYLIGHT_MAX_PIXELS",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Settings"
    )]
    max_pixels: Option<u64>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure how fast a deployment runs here: alone, with decoding, with a hook.
    Bench(bench::Arguments),
    /// Show which settings count and where they come from.
    Config(config::Arguments),
    /// Print the completions of a shell.
    Completions(shell::CompletionArguments),
    /// Work with datasets and annotation formats.
    Dataset(dataset::Arguments),
    /// Show the whole story on real photos: a model meets images it has never seen.
    Demo(demo::Arguments),
    /// Show, make, check, save and download deployments.
    Deployment(deployment::Arguments),
    /// Check this machine: the OpenVINO runtime, its devices, and how to fix what is missing.
    Doctor(doctor::Arguments),
    /// Show, check, add and remove a deployment's hooks.
    Hooks(hooks::Arguments),
    /// Print the manual page.
    Man,
    /// Fit, use and judge OOD models.
    Ood(ood::Arguments),
    /// Infer images or videos, print the predictions, draw them.
    Predict(predict::Arguments),
    /// Work with projects of a Geti server or of the local store.
    Project(project::Arguments),
    /// Look at hooks' queues on disk, send dead letters again, or drop them.
    Queue(queue::Arguments),
    /// Let runs at work take deployment, OOD model and hooks anew, without losing an image.
    Reload(reload::Arguments),
    /// Say what other hooks would have collected from the same images.
    Replay(replay::Arguments),
    /// Infer images, videos or streams with the deployment's hooks.
    Run(run::Arguments),
    /// Start the local server: the Geti REST API and a page for what was collected.
    Serve(serve::Arguments),
    /// Back the local store up, restore it, show and limit what it takes.
    Store(store::Arguments),
    /// Make, list and revoke the access tokens of the local server.
    Token(token::Arguments),
}

/// Runs the command that was asked for.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Outcome {
    if let Some(pixels) = arguments.max_pixels {
        DecodeLimits::set_default_max_pixels(pixels);
    }
    match &arguments.command {
        Command::Bench(arguments) => bench::run(arguments),
        Command::Config(arguments) => config::run(arguments, settings),
        Command::Completions(arguments) => shell::completions(arguments),
        Command::Dataset(arguments) => dataset::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Deployment(arguments) => deployment::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Hooks(arguments) => hooks::run(arguments),
        Command::Man => shell::manual(),
        Command::Ood(arguments) => ood::run(arguments),
        Command::Predict(arguments) => predict::run(arguments),
        Command::Project(arguments) => project::run(arguments),
        Command::Queue(arguments) => queue::run(arguments),
        Command::Reload(arguments) => reload::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Store(arguments) => store::run(arguments),
        Command::Token(arguments) => token::run(arguments),
    }
}
