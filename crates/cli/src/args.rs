//! The arguments of the program.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use straylight::LoadOptions;
use straylight::engine::Precision;

/// Runs deployed vision models, finds the images they have never seen, and collects them.
#[derive(Debug, Parser)]
#[command(name = "straylight", version, propagate_version = true)]
#[command(after_help = "Start with `straylight demo`; `straylight doctor` checks this machine.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure how fast a deployment runs here: alone, with decoding, with a hook.
    Bench(BenchArguments),
    /// Show the whole story on real photos: a model meets images it has never seen.
    Demo(DemoArguments),
    /// Check this machine: the OpenVINO runtime, its devices, and how to mend what is missing.
    Doctor(DoctorArguments),
}

/// Arguments of `straylight bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight bench --deployment assets/demo/deployment assets/demo/photos/fish/*.webp
  straylight bench --deployment D --decode IMAGE...
  straylight bench --deployment D --collect collected IMAGE...")]
pub(crate) struct BenchArguments {
    /// Folder of the deployment.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) deployment: PathBuf,
    /// Images, used again and again.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,
    /// How long to measure.
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
    /// Attach a hook that fires on every image and writes into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) collect: Option<PathBuf>,
    /// Decode each image from its file each time.
    #[arg(long)]
    pub(crate) decode: bool,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the JSON on one line.
    #[arg(long, requires = "json")]
    pub(crate) compact: bool,
    #[command(flatten)]
    pub(crate) engine: EngineArguments,
}

/// Arguments of `straylight demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight demo
  straylight demo --json report.json
  straylight demo --dir /data/demo --precision device")]
pub(crate) struct DemoArguments {
    /// Folder for the local store, the collected images and the contact sheet; made anew each time.
    #[arg(long, default_value = "straylight-demo")]
    pub(crate) dir: PathBuf,
    /// Folder with the demo's deployment, photos and split.
    #[arg(long, env = "STRAYLIGHT_DEMO_ASSETS")]
    pub(crate) assets: Option<PathBuf>,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) engine: EngineArguments,
}

/// Arguments of `straylight doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight doctor
  straylight doctor --fetch
  straylight doctor --json -")]
pub(crate) struct DoctorArguments {
    /// Fetch the pinned OpenVINO runtime with pip if none is found.
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Write the findings as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// How models are run.
#[derive(Debug, Args)]
pub(crate) struct EngineArguments {
    /// OpenVINO's name of the device: CPU, GPU, AUTO, ...
    #[arg(long, default_value = "CPU")]
    pub(crate) device: String,
    /// Arithmetic of the model.
    #[arg(long, default_value = "f32")]
    pub(crate) precision: PrecisionArgument,
}

/// The arithmetic of a model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PrecisionArgument {
    /// Single precision: the same numbers on every machine.
    F32,
    /// What the device prefers, often bf16: faster, less exact.
    Device,
}

impl EngineArguments {
    /// The options with which deployments are loaded.
    pub(crate) fn load_options(&self) -> LoadOptions {
        LoadOptions {
            devices: vec![self.device.clone()],
            precision: match self.precision {
                PrecisionArgument::F32 => Precision::F32,
                PrecisionArgument::Device => Precision::Device,
            },
            ..LoadOptions::default()
        }
    }
}
