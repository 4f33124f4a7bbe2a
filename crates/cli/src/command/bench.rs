//! `straylight bench`: how fast a deployment runs here.

use std::path::PathBuf;

use clap::Args;
use straylight::bench::{BenchOptions, BenchReport, run as run_bench};
use straylight::overhead::OverheadOptions;

use crate::command::engine::EngineArguments;
use crate::command::overhead::OverheadArguments;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight bench --deployment assets/demo/deployment assets/demo/photos/fish/*.webp
  straylight bench --deployment D --table --plot overhead.svg IMAGE...
  straylight bench --deployment D --decode IMAGE...
  straylight bench --deployment D --collect collected IMAGE...")]
pub(crate) struct Arguments {
    /// Folder of the deployment.
    #[arg(long, value_name = "FOLDER")]
    deployment: PathBuf,
    /// Images, used again and again.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// How long to measure.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Attach a hook that fires on every image and writes into this folder.
    #[arg(long, value_name = "FOLDER")]
    collect: Option<PathBuf>,
    /// Share of the images on which that hook fires.
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 1.0,
        requires = "collect"
    )]
    collect_share: f64,
    /// Decode each image from its file each time.
    #[arg(long)]
    decode: bool,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the JSON on one line.
    #[arg(long, requires = "json")]
    compact: bool,
    #[command(flatten)]
    overhead: OverheadArguments,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.overhead.table {
        let mut options = OverheadOptions::new(&arguments.deployment, arguments.images.clone());
        options.seconds = arguments.seconds;
        options.load = arguments.engine.load_options();
        return arguments.overhead.run(&options, arguments.json.as_deref());
    }
    let mut options = BenchOptions::new(&arguments.deployment, arguments.images.clone());
    options.seconds = arguments.seconds;
    options.collect.clone_from(&arguments.collect);
    options.collect_share = arguments.collect_share;
    options.decode = arguments.decode;
    options.load = arguments.engine.load_options();
    let report = run_bench(&options, &TerminalProgress::new())?;
    match &arguments.json {
        Some(target) if arguments.compact => output::compact_json(&report, target)?,
        Some(target) => output::json(&report, target)?,
        None => output::line(&as_text(&report)),
    }
    Ok(Exit::Success)
}

fn as_text(report: &BenchReport) -> String {
    let memory = match report.peak_memory_bytes {
        Some(bytes) => format!("{:.0} MB", bytes as f64 / 1e6),
        None => "not told by this system".to_owned(),
    };
    format!(
        "first prediction  {:.3} s after the start\n\
         throughput        {:.1} images a second ({} images)\n\
         latency           {:.2} ms median, {:.2} ms 90 %, {:.2} ms 99 %\n\
         peak memory       {memory}",
        report.first_prediction_seconds,
        report.images_per_second,
        report.images,
        report.latency_median_ms,
        report.latency_p90_ms,
        report.latency_p99_ms,
    )
}
