//! `straylight doctor`: what is there, and how to fix what is missing.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use straylight::engine::doctor::{Device, FoundRuntime, Report, examine};
use straylight::engine::env::Environment;
use straylight::engine::{Runtime, RuntimeOptions};

use crate::exit::{Exit, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight doctor
  straylight doctor --fetch
  straylight doctor --json -")]
pub(crate) struct Arguments {
    /// Fetch the pinned OpenVINO runtime with pip if none is found.
    #[arg(long)]
    fetch: bool,
    /// Write the findings as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Fetches the runtime if asked to, then reports; the exit code tells whether models can run.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.fetch {
        Runtime::load(&RuntimeOptions::default(), &TerminalProgress::new())?;
    }
    let report = examine(&Environment::of_process());
    match &arguments.json {
        Some(target) => output::json(&as_json(&report), target)?,
        None => output::line(&as_text(&report)),
    }
    let can_run = report.runtime.is_some() && !report.devices.is_empty();
    Ok(if can_run {
        Exit::Success
    } else {
        Exit::Environment
    })
}

fn as_text(report: &Report) -> String {
    let mut lines = vec![format!("straylight {}", env!("CARGO_PKG_VERSION"))];
    lines.push(match &report.runtime {
        Some(found) => runtime_text(found),
        None => format!(
            "OpenVINO: not found; searched\n  {}",
            report.searched.join("\n  ")
        ),
    });
    lines.extend(report.devices.iter().map(device_text));
    if let Some(cache) = &report.cache {
        lines.push(format!("Cache: {}", cache.display()));
    }
    lines.extend(report.hints.iter().map(|hint| format!("! {hint}")));
    lines.join("\n")
}

fn runtime_text(found: &FoundRuntime) -> String {
    let FoundRuntime {
        library,
        origin,
        build,
        ..
    } = found;
    format!("OpenVINO: {build}\n  from {origin}: {}", library.display())
}

fn device_text(device: &Device) -> String {
    let Device {
        name,
        full_name,
        own_precision,
        capabilities,
    } = device;
    format!(
        "Device {name}: {full_name}\n  its own precision is {own_precision}; it can do {capabilities}"
    )
}

fn as_json(report: &Report) -> Value {
    json!({
        "straylight": env!("CARGO_PKG_VERSION"),
        "runtime": report.runtime.as_ref().map(|found| json!({
            "library": found.library,
            "origin": found.origin,
            "version": found.version.map(|version| version.to_string()),
            "build": found.build,
        })),
        "searched": report.searched,
        "devices": report.devices.iter().map(|device| json!({
            "name": device.name,
            "full_name": device.full_name,
            "capabilities": device.capabilities.split_whitespace().collect::<Vec<_>>(),
            "own_precision": device.own_precision,
        })).collect::<Vec<_>>(),
        "cache": report.cache,
        "hints": report.hints,
    })
}
