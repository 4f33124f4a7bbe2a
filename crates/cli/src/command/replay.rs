//! `straylight replay`: what other hooks would have collected.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use straylight::hookfile::{HookFile, read_hooks};
use straylight::hooks::{HookStats, ReplayReport};
use straylight::run::{Replayed, Step, replay};
use straylight::{Deployment, LoadOptions, SavedHooks};

use crate::command::engine::EngineArguments;
use crate::command::source::SourceArguments;
use crate::command::steps;
use crate::exit::Outcome;
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight replay last-week/ --deployment D --hooks new.json
  straylight replay street.mp4 --deployment D --hooks new.json --json

Each image counts at the time when it was taken. Nothing is collected, and the same images give the
same result every time. `straylight hooks show --json` and `hooks add` help to write NEW.json, which
has the form of a deployment's hook_config.json.")]
pub(crate) struct Arguments {
    /// Folder of the deployment; its own hooks are the present ones.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_DEPLOYMENT")]
    deployment: PathBuf,
    /// The new hooks.
    #[arg(long, value_name = "FILE")]
    hooks: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    source: SourceArguments,
}

/// Tries both sets of hooks and compares them.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let present = HookFile::open(&arguments.deployment)?.hooks;
    let new = read_hooks(&arguments.hooks)?;
    let load = LoadOptions {
        hooks: SavedHooks::Ignore,
        ..arguments.engine.load_options()
    };
    let progress = TerminalProgress::new();
    let deployment =
        Deployment::from_folder_with_progress(&arguments.deployment, &load, &progress)?;
    let frames = arguments.source.open(&deployment)?.frames;
    output::stop_on_interrupt(vec![frames.stop()]);
    let mut failed = None;
    let mut told = |step: Step| {
        if let Step::Image(seen) = &step {
            steps::note_left_out(seen);
        }
        match steps::list_bad(step, false) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    };
    let replayed = replay(&Arc::new(deployment), frames, &present, &new, &mut told)?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    if arguments.json {
        output::json(&as_json(&replayed), "-".as_ref())?;
    } else {
        output::line(&as_text(&replayed));
    }
    steps::summary(&replayed.summary);
    Ok(steps::exit(&replayed.summary))
}

fn as_text(replayed: &Replayed) -> String {
    let mut lines = Vec::new();
    for (title, reports) in [
        ("present hooks", &replayed.present),
        ("new hooks", &replayed.new),
    ] {
        lines.push(format!("{title}:"));
        if reports.is_empty() {
            lines.push("  none".to_owned());
        }
        lines.extend(reports.iter().map(report_in_words));
    }
    let difference = &replayed.difference;
    lines.push(format!("both collect {} images", difference.common));
    for (what, names) in [
        ("only the new", &difference.gained),
        ("only the present", &difference.lost),
    ] {
        lines.push(format!(
            "{what} hooks collect {}: {}",
            names.len(),
            shortened(names)
        ));
    }
    lines.join("\n")
}

fn report_in_words(report: &ReplayReport) -> String {
    let HookStats {
        evaluated,
        not_fired,
        suppressed,
        ..
    } = &report.stats;
    let held: u64 = suppressed.values().sum();
    format!(
        "  {}: {} of {evaluated} images collected ({:.1} MB), {not_fired} not wanted, {held} held back",
        report.hook,
        report.collected.len(),
        report.bytes() as f64 / 1e6,
    )
}

/// A list that stays readable.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text += ", ...";
    }
    text
}

fn as_json(replayed: &Replayed) -> Value {
    let reports = |reports: &[ReplayReport]| reports.iter().map(report_as_json).collect::<Vec<_>>();
    json!({
        "images": replayed.summary.images,
        "present": reports(&replayed.present),
        "new": reports(&replayed.new),
        "common": replayed.difference.common,
        "gained": replayed.difference.gained,
        "lost": replayed.difference.lost,
    })
}

fn report_as_json(report: &ReplayReport) -> Value {
    let mut value = steps::statistics(&report.stats);
    let collected = report.collected.iter().map(|image| {
        json!({
            "name": image.name,
            "captured_at": image.captured_at,
            "score": image.score,
            "reason": image.reason,
            "bytes": image.bytes,
        })
    });
    value["bytes"] = json!(report.bytes());
    value["collected"] = collected.collect();
    value
}
