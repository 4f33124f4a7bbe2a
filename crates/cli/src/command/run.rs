//! `straylight run`: infer with hooks.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use straylight::hookfile::{HookFile, read_hooks};
use straylight::hooks::config::{HookConfig, QueueConfig};
use straylight::hooks::{
    DrainOptions, DropReason, HookSet, HookStats, LimitTimes, LostImage, Outcome as Decision,
    Overflow, SourceKind, Storage,
};
use straylight::run::{
    HookRunOptions, OpenedSource, Record, RunOptions, Step, default_state_folder, hook_set,
    run as run_images,
};
use straylight::{Deployment, LoadOptions, SavedHooks};

use crate::command::engine::EngineArguments;
use crate::command::source::SourceArguments;
use crate::command::steps;
use crate::exit::{Exit, Failure, Outcome};
use crate::log;
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
is on its way is inferred and delivered. When a hook's queue is full, files and videos wait; a
camera or stream goes on, and its images wait on disk.
Exit code 3: some images were bad, or a hook could not judge an image, lost it or could not deliver
it; they are listed.
Images that wait on disk for the next run are not lost.")]
pub(crate) struct Arguments {
    /// Folder of the deployment.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_DEPLOYMENT")]
    deployment: PathBuf,
    /// Use the hooks of this file instead of the deployment's own.
    #[arg(long, value_name = "FILE")]
    hooks: Option<PathBuf>,
    /// Folder for hooks' queues on disk: what is accepted there survives a crash. Without it the
    /// queues of a camera or stream are in a folder of the user's state, and all others in memory.
    #[arg(long, value_name = "FOLDER", env = "STRAYLIGHT_HOOK_STATE")]
    state: Option<PathBuf>,
    /// How long hooks may go on delivering after the last image, in seconds; without it for as
    /// long as something is delivered at least every 60 seconds.
    #[arg(long, value_name = "SECONDS")]
    drain: Option<u64>,
    /// How long a full queue may stand still before the run ends, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    stall: u64,
    /// End with code 3 also when images wait on disk for the next run.
    #[arg(long)]
    require_delivery: bool,
    /// By which time limits of hooks count.
    #[arg(long, value_name = "TIME", default_value = "auto")]
    limits_follow: Follow,
    /// Print one line of JSON for each image, and one with the hooks' statistics at the end.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    source: SourceArguments,
}

/// How long hooks go on after the last image while nothing is delivered.
const DRAIN_STALL: Duration = Duration::from_secs(60);

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
    log::show_warnings();
    let hooks = arguments.configs()?;
    let source = arguments.source.open()?;
    let deployment = arguments.load()?;
    let options = arguments.hook_options(&source, &hooks);
    let set = hook_set(&deployment, &hooks, options)?;
    if set.is_empty() {
        output::note("note: the deployment has no hooks; `straylight hooks add` adds one");
    }
    output::stop_on_interrupt(source.frames.stop());
    let names: Vec<String> = set.stats().into_iter().map(|stats| stats.hook).collect();
    let mut ended = Ended::default();
    let mut ticker = Ticker::new();
    let options = RunOptions::default();
    let summary = run_images(&deployment, source.frames, &set, &options, &mut |step| {
        ticker.tick();
        ended.note_stall(&step, &names);
        if let Err(failure) = arguments.told(step, &names) {
            ended.failed = Some(failure);
        }
        ended.flow()
    })?;
    ticker.finish();
    let lost = set.finish(arguments.drain_options(ended.stalled_at.is_some()));
    let stats = set.stats();
    steps::hook_statistics(&stats, arguments.json)?;
    ended.tell(&lost);
    undelivered(&set, &stats);
    steps::summary(&summary);
    match ended.failed {
        Some(failure) => Err(failure),
        None if summary.bad == 0 && !arguments.is_complete(&stats) => Ok(Exit::Partial),
        None => Ok(steps::exit(&summary)),
    }
}

/// Why a run ended before its source did.
#[derive(Default)]
struct Ended {
    failed: Option<Failure>,
    /// The hook whose queue stood still, and the image that found no room.
    stalled_at: Option<(String, String)>,
}

/// Lost images that are named; the others are counted.
const NAMED: usize = 10;

impl Ended {
    fn note_stall(&mut self, step: &Step, hooks: &[String]) {
        let Step::Image(seen) = step else { return };
        let is_stalled = |outcome: &Decision| {
            let reason = DropReason::Stalled;
            matches!(outcome, Decision::Dropped { reason: found, .. } if *found == reason)
        };
        if let Some(place) = seen.hooks.iter().position(is_stalled) {
            let hook = hooks.get(place).cloned().unwrap_or_default();
            self.stalled_at = Some((hook, seen.place.clone()));
        }
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.failed.is_some() || self.stalled_at.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Says where to continue, and which images are lost.
    fn tell(&self, lost: &[LostImage]) {
        for image in lost.iter().take(NAMED) {
            output::note(&format!("lost by {}: {}", image.hook, image.name));
        }
        if lost.len() > NAMED {
            output::note(&format!("and {} more", lost.len() - NAMED));
        }
        if !lost.is_empty() {
            output::note(
                "they were in memory only: run again from there, with --state FOLDER to keep what \
                 could not be delivered",
            );
        }
        if let Some((hook, place)) = &self.stalled_at {
            output::note(&format!(
                "ended: the queue of {hook} is full and nothing was delivered for too long. \
                 Continue at {place} once the hook can deliver again"
            ));
        }
    }
}

/// Lists why hooks could not deliver, each reason once.
fn undelivered(set: &HookSet, stats: &[HookStats]) {
    for stats in stats {
        let dead = set.dead_letters(&stats.hook);
        let mut reasons: Vec<&str> = dead.iter().map(|letter| letter.error.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            output::note(&format!("not delivered by {}: {reason}", stats.hook));
        }
        if stats.ledger.queued > 0 {
            output::note(&format!(
                "{} images of {} wait on disk; the next run with the same queues delivers them",
                stats.ledger.queued, stats.hook
            ));
        }
    }
}

impl Arguments {
    fn configs(&self) -> Result<Vec<HookConfig>, Failure> {
        Ok(match &self.hooks {
            Some(file) => read_hooks(file)?,
            None => HookFile::open(&self.deployment)?.hooks,
        })
    }

    fn hook_options(&self, source: &OpenedSource, hooks: &[HookConfig]) -> HookRunOptions {
        let needs_disk = |hook: &HookConfig| {
            let on_disk = |queue: QueueConfig| queue.storage == Storage::Disk;
            let overflow = hook.queue.map_or(hook.when_full, |queue| queue.overflow);
            overflow == Overflow::Spill || hook.queue.is_some_and(on_disk)
        };
        let is_kept = source.is_live && !hooks.is_empty() || hooks.iter().any(needs_disk);
        let times = match self.limits_follow {
            Follow::Auto if source.is_recording => LimitTimes::Frames,
            Follow::Auto | Follow::Clock => LimitTimes::Clock,
            Follow::Frames => LimitTimes::Frames,
        };
        let mut state = self.state.clone();
        if state.is_none() && is_kept {
            state = default_state_folder(&self.deployment, &self.source.source);
            if let Some(folder) = &state {
                output::note(&format!("queues of the hooks: {}", folder.display()));
            }
        }
        HookRunOptions {
            state,
            times,
            source: if source.is_live {
                SourceKind::Live
            } else {
                SourceKind::CanWait
            },
            stall: Some(Duration::from_secs(self.stall)),
        }
    }

    /// How long hooks go on after the last image; after a stall only what is on its way ends.
    fn drain_options(&self, is_stalled: bool) -> DrainOptions {
        let at_most = self
            .drain
            .or(is_stalled.then_some(0))
            .map(Duration::from_secs);
        DrainOptions {
            at_most,
            stall: at_most.is_none().then_some(DRAIN_STALL),
        }
    }

    /// Whether every hook judged every image and lost none, and none waits on disk if that
    /// matters.
    fn is_complete(&self, stats: &[HookStats]) -> bool {
        let waits = |stats: &HookStats| self.require_delivery && stats.ledger.queued > 0;
        let is_complete = |stats: &HookStats| stats.failed == 0 && !stats.has_lost();
        stats
            .iter()
            .all(|stats| is_complete(stats) && !waits(stats))
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
        if let Step::Image(seen) = &step {
            steps::note_left_out(seen);
        }
        match step {
            Step::Image(seen) if self.json => output::json_line(&Record::of(&seen, hooks)),
            other => steps::list_bad(other, self.json),
        }
    }
}
