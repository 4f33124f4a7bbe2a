//! `straylight run`: infer with hooks.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use straylight::hookfile::{HookFile, read_hooks};
use straylight::hooks::config::HookConfig;
use straylight::hooks::{HookSet, LimitTimes};
use straylight::run::{Record, RunOptions, Step, hook_set, run as run_images};
use straylight::{Deployment, LoadOptions, SavedHooks};

use crate::command::engine::EngineArguments;
use crate::command::source::SourceArguments;
use crate::command::steps;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::{TerminalProgress, Ticker};

/// Arguments of `straylight run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight run photos/ --deployment D
  straylight run /data/incoming --deployment D --watch --state hook-state
  straylight run rtsp://camera/1 --deployment D --fps 5
  straylight run street.mp4 --deployment D --hooks try.json --json
  find photos -name '*.jpg' | straylight run - --deployment D

The hooks are those saved with the deployment (`straylight hooks`). Ctrl-C ends the source; what
is on its way is inferred and delivered. Exit code 3: some images were bad or some events could not
be delivered; they are listed.")]
pub(crate) struct Arguments {
    /// Folder of the deployment.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_DEPLOYMENT")]
    deployment: PathBuf,
    /// Use the hooks of this file instead of the deployment's own.
    #[arg(long, value_name = "FILE")]
    hooks: Option<PathBuf>,
    /// Folder for hooks' queues on disk: what is accepted there survives a crash. Without it all
    /// queues are in memory.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_HOOK_STATE")]
    state: Option<PathBuf>,
    /// How long hooks may go on delivering after the last image, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    drain: u64,
    /// By which time limits of hooks count.
    #[arg(long, value_name = "TIME", default_value = "auto")]
    limits_follow: Follow,
    /// Print one line of JSON for each image, and one with the hooks' books at the end.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    source: SourceArguments,
}

/// By which time limits of hooks count.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Follow {
    /// The time in a video file, and the clock for everything else.
    Auto,
    /// The machine's clock.
    Clock,
    /// The time at which each image was taken.
    Frames,
}

/// Infers every image of the source and shows it to the hooks.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let hooks = arguments.configs()?;
    let (frames, is_recording) = arguments.source.open()?;
    let deployment = arguments.load()?;
    let times = match arguments.limits_follow {
        Follow::Auto if is_recording => LimitTimes::Frames,
        Follow::Auto | Follow::Clock => LimitTimes::Clock,
        Follow::Frames => LimitTimes::Frames,
    };
    let drain = Duration::from_secs(arguments.drain);
    let set = hook_set(&deployment, &hooks, arguments.state.clone(), times, drain)?;
    if set.is_empty() {
        output::note("note: the deployment has no hooks; `straylight hooks add` adds one");
    }
    output::stop_on_interrupt(frames.stop());
    let names: Vec<String> = set.stats().into_iter().map(|stats| stats.hook).collect();
    let options = RunOptions {
        score: arguments.json,
        ..RunOptions::default()
    };
    let mut failed = None;
    let mut ticker = Ticker::new();
    let summary = run_images(&deployment, frames, &set, &options, &mut |step| {
        ticker.tick();
        match arguments.told(step, &names) {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    })?;
    ticker.finish();
    drained(&set, drain);
    steps::hook_books(&set.stats(), arguments.json)?;
    let lost = undelivered(&set, &names);
    steps::summary(&summary);
    match failed {
        Some(failure) => Err(failure),
        None if lost && summary.bad == 0 => Ok(Exit::Partial),
        None => Ok(steps::exit(&summary)),
    }
}

/// Lists why hooks could not deliver, each reason once; says whether there was any.
fn undelivered(set: &HookSet, hooks: &[String]) -> bool {
    let mut any = false;
    for hook in hooks {
        let dead = set.dead_letters(hook);
        let mut reasons: Vec<&str> = dead.iter().map(|letter| letter.error.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            output::note(&format!("not delivered by {hook}: {reason}"));
            any = true;
        }
    }
    any
}

/// Waits for what the hooks accepted, and says what is left.
fn drained(set: &HookSet, at_most: Duration) {
    let start = Instant::now();
    if !set.drain(at_most) {
        let seconds = start.elapsed().as_secs_f64();
        output::note(&format!(
            "after {seconds:.0} s some events were still not delivered; with --state they wait for the next run"
        ));
    }
}

impl Arguments {
    fn configs(&self) -> Result<Vec<HookConfig>, Failure> {
        Ok(match &self.hooks {
            Some(file) => read_hooks(file)?,
            None => HookFile::open(&self.deployment)?.hooks,
        })
    }

    fn load(&self) -> Result<Arc<Deployment>, Failure> {
        let load = LoadOptions {
            hooks: SavedHooks::Ignore,
            ..self.engine.load_options()
        };
        let progress = TerminalProgress::new();
        let deployment = Deployment::from_folder_with_progress(&self.deployment, &load, &progress)?;
        Ok(Arc::new(deployment))
    }

    fn told(&self, step: Step, hooks: &[String]) -> Result<(), Failure> {
        match step {
            Step::Image(seen) if self.json => output::json_line(&Record::of(&seen, hooks)),
            other => steps::list_bad(other, self.json),
        }
    }
}
