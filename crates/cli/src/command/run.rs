//! `straylight run`: infer with hooks.

mod reloading;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use reloading::Reloading;
use straylight::hookfile::{HookFile, read_hooks};
use straylight::hooks::config::{HookConfig, QueueConfig};
use straylight::hooks::{
    DrainOptions, DropReason, HookSet, HookStats, LimitTimes, LostImage, Outcome as Decision,
    Overflow, QueueFolder, SourceKind, Storage,
};
use straylight::run::{
    HookRunOptions, OpenedSource, Record, Reloads, RunMetrics, RunOptions, Step, Summary,
    default_state_folder, hook_set, run_all, source_folder,
};
use straylight::server::MetricsEndpoint;
use straylight::sources::Stop;
use straylight::{Deployment, LoadOptions, SavedHooks};

use crate::command::engine::EngineArguments;
use crate::command::source::ReadingArguments;
use crate::command::{reload, steps};
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
  straylight run rtsp://gate/1 rtsp://yard/1 --name gate --name yard --deployment D \\
      --metrics 127.0.0.1:9464
  straylight run street.mp4 --deployment D --hooks try.json --json
  find photos -name '*.jpg' | straylight run - --deployment D

The hooks are those saved with the deployment (`straylight hooks`). Ctrl-C ends the source; what
is on its way is inferred and delivered. When a hook's queue is full, files and videos wait; a
camera or stream goes on, and its images wait on disk.
Exit code 3: some images were bad, or a hook could not judge an image, lost it or could not deliver
it; they are listed.
Images that wait on disk for the next run are not lost.

Several sources share the model and take turns; each has its own limits, queues (with --state in a
folder of its name below FOLDER) and counters, and one that ends or fails does not end the others.
Image files are one source together.")]
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
    /// Names of the sources, in their order: with each image and in every count. Without them the
    /// name is made of the path or address.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Serve the metrics of this run for Prometheus at this address (path `/metrics`, no token).
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    #[command(flatten)]
    engine: EngineArguments,
    /// A file, folder, glob ("photos/*.jpg"), numbered files (frame_%04d.png), zip, tar, video,
    /// rtsp:// or http:// stream, camera:0, dataset:PROJECT/DATASET, or - for a list of files on
    /// standard input; several are run at once.
    #[arg(value_name = "SOURCE", help_heading = "Arguments", required = true)]
    sources: Vec<String>,
    #[command(flatten)]
    reading: ReadingArguments,
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

/// A source with its hooks.
struct Running {
    name: String,
    hooks: Arc<HookSet>,
    hook_names: Vec<String>,
    /// The hook whose queue stood still, and the image that found no room.
    stalled_at: Option<(String, String)>,
}

/// Infers every image of the sources and shows it to the hooks.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    log::show_warnings();
    let configs = arguments.configs()?;
    let deployment = arguments.load()?;
    let (sources, names) = (&arguments.sources, &arguments.names);
    let sources = arguments.reading.open(sources, names, &deployment)?;
    if configs.is_empty() {
        output::note("note: the deployment has no hooks; `straylight hooks add` adds one");
    }
    let mut running = arguments.start_hooks(&deployment, &sources, &configs)?;
    arguments.note_other_queues(&running);
    let metrics = RunMetrics::new(
        running
            .iter()
            .map(|one| (one.name.clone(), Arc::clone(&one.hooks)))
            .collect(),
    )?;
    let metrics = Arc::new(metrics);
    let _endpoint = arguments.serve_metrics(&metrics)?;
    let stops: Vec<Stop> = sources.iter().map(|source| source.frames.stop()).collect();
    output::stop_on_interrupt(stops.clone());
    let hooks: Vec<Arc<HookSet>> = running.iter().map(|one| Arc::clone(&one.hooks)).collect();
    let frames = sources.into_iter().map(|source| source.frames);
    let frames = frames.zip(hooks.iter().map(|hooks| &**hooks)).collect();
    let mut failed = None;
    let mut ticker = Ticker::new();
    let options = RunOptions::default();
    let reloading = Reloading::new(arguments, &running);
    let reloads = Reloads::default();
    let summaries = thread::scope(|scope| {
        let reload = || reloading.prepare(arguments, &reloads);
        let _listening = reload::signal::listen(scope, reload)?;
        run_all(
            &deployment,
            frames,
            &options,
            &reloads,
            &mut |source, step| {
                ticker.tick();
                metrics.count(source, &step);
                let Some(one) = running.get_mut(source) else {
                    return ControlFlow::Break(());
                };
                one.note_stall(&step);
                let told = match step {
                    Step::Reloaded(reloaded) => reloading.done(source, one, reloaded),
                    step => arguments.told(step, &one.hook_names),
                };
                if let Err(failure) = told {
                    failed = Some(failure);
                    stops.iter().for_each(Stop::ask);
                }
                if failed.is_some() || one.stalled_at.is_some() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .map_err(Failure::from)
    })?;
    ticker.finish();
    let lost = arguments.finish(&running);
    let is_complete = arguments.report(&running, &summaries, &lost)?;
    let summary = total(&summaries);
    steps::summary(&summary);
    match failed {
        Some(failure) => Err(failure),
        None if summary.bad == 0 && !is_complete => Ok(Exit::Partial),
        None => Ok(steps::exit(&summary)),
    }
}

/// What all sources came to.
fn total(summaries: &[Summary]) -> Summary {
    summaries
        .iter()
        .fold(Summary::default(), |sum, one| Summary {
            images: sum.images + one.images,
            bad: sum.bad + one.bad,
            elapsed: sum.elapsed.max(one.elapsed),
        })
}

/// Lost images that are named; the others are counted.
const NAMED: usize = 10;

impl Running {
    fn note_stall(&mut self, step: &Step) {
        let Step::Image(seen) = step else { return };
        let is_stalled = |outcome: &Decision| {
            let reason = DropReason::Stalled;
            matches!(outcome, Decision::Dropped { reason: found, .. } if *found == reason)
        };
        if let Some(place) = seen.hooks.iter().position(is_stalled) {
            let hook = self.hook_names.get(place).cloned().unwrap_or_default();
            self.stalled_at = Some((hook, seen.place.clone()));
        }
    }

    /// Says where to continue.
    fn tell_stall(&self) {
        if let Some((hook, place)) = &self.stalled_at {
            output::note(&format!(
                "ended: the queue of {hook} is full and nothing was delivered for too long. \
                 Continue at {place} once the hook can deliver again"
            ));
        }
    }
}

/// Says which images are lost.
fn tell_lost(lost: &[LostImage]) {
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

    /// Hooks of their own for each source: limits, queues and counters.
    fn start_hooks(
        &self,
        deployment: &Deployment,
        sources: &[OpenedSource],
        configs: &[HookConfig],
    ) -> Result<Vec<Running>, Failure> {
        let is_one = sources.len() == 1;
        let start = |source: &OpenedSource| {
            let options = self.hook_options(source, configs, is_one);
            let hooks = hook_set(deployment, configs, options)?;
            let stats = hooks.stats().into_iter();
            Ok(Running {
                name: source.name.clone(),
                hook_names: stats.map(|stats| stats.hook).collect(),
                hooks: Arc::new(hooks),
                stalled_at: None,
            })
        };
        sources.iter().map(start).collect()
    }

    /// Says which queues in the folder of `--state` have events that this run does not deliver: those
    /// of other sources, or of a run over another number of sources.
    fn note_other_queues(&self, running: &[Running]) {
        let all = self.state.as_deref().map(QueueFolder::all);
        let is_own = |queue: &QueueFolder| match (running, queue.hook().split_once('/')) {
            ([_], folder) => folder.is_none(),
            (_, None) => false,
            (many, Some((folder, _))) => many.iter().any(|one| source_folder(&one.name) == folder),
        };
        for queue in all.and_then(Result::ok).unwrap_or_default() {
            let waiting = queue.events().map_or(0, |events| events.len());
            if waiting > 0 && !is_own(&queue) {
                output::note(&format!(
                    "note: {waiting} events of the queue {} belong to no source of this run and wait \
                     on; `straylight queue ls --state FOLDER` lists them",
                    queue.hook()
                ));
            }
        }
    }

    fn hook_options(
        &self,
        source: &OpenedSource,
        hooks: &[HookConfig],
        is_only_one: bool,
    ) -> HookRunOptions {
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
        let of_source = |folder: &PathBuf| {
            if is_only_one {
                folder.clone()
            } else {
                folder.join(source_folder(&source.name))
            }
        };
        let mut state = self.state.as_ref().map(of_source);
        if state.is_none() && is_kept {
            state = default_state_folder(&self.deployment, &source.text);
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

    fn serve_metrics(&self, metrics: &Arc<RunMetrics>) -> Result<Option<MetricsEndpoint>, Failure> {
        let Some(address) = self.metrics else {
            return Ok(None);
        };
        let metrics = Arc::clone(metrics);
        let endpoint = MetricsEndpoint::start(address, move || metrics.render())?;
        output::note(&format!("metrics: http://{}/metrics", endpoint.address()));
        Ok(Some(endpoint))
    }

    /// Ends the hooks of all sources at once; returns what is lost.
    fn finish(&self, running: &[Running]) -> Vec<LostImage> {
        thread::scope(|scope| {
            let ending: Vec<_> = running
                .iter()
                .map(|one| {
                    let options = self.drain_options(one.stalled_at.is_some());
                    scope.spawn(move || one.hooks.finish(options))
                })
                .collect();
            let ended = ending.into_iter().map(thread::ScopedJoinHandle::join);
            let lost = ended.map(|lost| lost.unwrap_or_else(|panic| resume_unwind(panic)));
            lost.flatten().collect()
        })
    }

    /// Tells what each source came to; says whether its hooks are done with everything.
    fn report(
        &self,
        running: &[Running],
        summaries: &[Summary],
        lost: &[LostImage],
    ) -> Result<bool, Failure> {
        let stats: Vec<Vec<HookStats>> = running.iter().map(|one| one.hooks.stats()).collect();
        let named = running.iter().map(|one| one.name.as_str());
        let of_sources: Vec<_> = named.zip(stats.iter().map(Vec::as_slice)).collect();
        steps::hook_statistics(&of_sources, self.json)?;
        tell_lost(lost);
        for one in running {
            one.tell_stall();
        }
        for (one, stats) in running.iter().zip(&stats) {
            undelivered(&one.hooks, stats);
        }
        if let [_, _, ..] = summaries {
            for (one, summary) in running.iter().zip(summaries) {
                steps::summary_of(&one.name, summary);
            }
        }
        Ok(stats.iter().all(|stats| self.is_complete(stats)))
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
