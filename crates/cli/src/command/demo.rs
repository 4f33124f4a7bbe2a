//! `straylight demo`: the whole story on real photos.

use std::path::PathBuf;

use clap::Args;
use straylight::demo::{DemoOptions, DemoReport, run as run_demo};

use crate::command::engine::EngineArguments;
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight demo
  straylight demo --json report.json
  straylight demo --dir /data/demo --precision device")]
pub(crate) struct Arguments {
    /// Folder for the local store, the collected images and the contact sheet; made anew each time.
    #[arg(long, default_value = "straylight-demo")]
    dir: PathBuf,
    /// Folder with the demo's deployment, photos and split.
    #[arg(long, env = "STRAYLIGHT_DEMO_ASSETS")]
    assets: Option<PathBuf>,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Runs the demo and prints what a user wants to know.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut options = DemoOptions::new(&arguments.dir);
    options.assets.clone_from(&arguments.assets);
    options.load = arguments.engine.load_options();
    let report = run_demo(&options, &TerminalProgress::new())?;
    if let Some(target) = &arguments.json {
        output::json(&report, target)?;
    }
    if arguments.json.as_deref() != Some("-".as_ref()) {
        output::line(&as_text(&report));
    }
    Ok(Exit::Success)
}

fn as_text(report: &DemoReport) -> String {
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    format!(
        "\n\
         The model met {images} photos that it had never seen: {known} of its four classes and \
         {strange} of other things.\n\
         {collected} were strange enough to be collected (OOD score at least {threshold:.2}).\n\
         \n\
         AUROC       {auroc:.3}   (1 is perfect, 0.5 is chance)\n\
         FPR@95      {fpr:.3}   (known photos that must be looked at to find 95 % of the strange ones)\n\
         Accuracy    {accuracy}   (of the label, on the known photos)\n\
         Throughput  {with:.0} photos a second with both hooks, {without:.0} without\n\
         \n\
         False alarms ({false_count}): {false_alarms}\n\
         Misses ({miss_count}): {misses}\n\
         \n\
         Look at\n  \
           {sheet}   all photos sorted by score\n  \
           {folder}   images, predictions, scores and overlays\n  \
           {store}   local store; project \"{project}\", dataset \"{dataset}\"\n  \
           {deployment}   the deployment with its OOD model and hooks\n\
         Done in {seconds:.1} s.",
        images = report.images,
        known = report.known,
        strange = report.strange,
        collected = report.collected,
        threshold = report.threshold,
        auroc = report.auroc,
        fpr = report.fpr_at_95_tpr,
        accuracy = percent(report.accuracy),
        with = report.images_per_second_with_hooks,
        without = report.images_per_second_without_hooks,
        false_count = report.false_alarms.len(),
        false_alarms = names(&report.false_alarms),
        miss_count = report.misses.len(),
        misses = names(&report.misses),
        sheet = report.contact_sheet.display(),
        folder = report.folder.display(),
        store = report.store.display(),
        project = report.project,
        dataset = report.dataset,
        deployment = report.deployment.display(),
        seconds = report.seconds,
    )
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
