use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use straylight_core::{Frame, Prediction};
use straylight_deploy::{AsyncInference, DeployError, Deployment, Keep, StreamOptions};
use straylight_hooks::trigger::Needs;
use straylight_hooks::{HookSet, Outcome};
use straylight_sources::{Frames, PixelBudget, SourceError, Sourced, Stop};

use super::fair::Fair;
use super::reload::{HooksReloaded, Reloads, replace_hooks};

/// No image is taken while so many bytes of pixels are on their way, for each worker: a photo of 12
/// megapixels has 35 MiB.
const MOST_ON_THEIR_WAY: u64 = 32 << 20;

/// How images are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// What predictions hold besides what hooks need.
    pub keep: Keep,
    /// Threads that infer; 0 for as many as the deployment can infer images at once.
    pub workers: usize,
}

/// An image that was inferred.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where it comes from, for people.
    pub place: String,
    /// The image.
    pub frame: Frame,
    /// What the model says.
    pub prediction: Prediction,
    /// Score of the OOD model, `0..=1`, higher is more out of distribution; `None` without a model.
    pub ood_score: Option<f64>,
    /// What each hook decided, in the order of the hooks.
    pub hooks: Vec<Outcome>,
}

/// What came out of the run next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// An image with its prediction.
    Image(Box<Seen>),
    /// An image that could not be read, or a source that broke off.
    Bad(SourceError),
    /// The source goes on with other hooks, and perhaps with another deployment; or why it cannot.
    Reloaded(HooksReloaded),
    /// An image that could not be inferred.
    Failed {
        /// Where it comes from.
        place: String,
        /// What is wrong.
        error: DeployError,
    },
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Images inferred.
    pub images: u64,
    /// Images and sources that could not be read, and images that could not be inferred.
    pub bad: u64,
    /// From the first call to the last step.
    pub elapsed: Duration,
}

impl Summary {
    /// Images inferred a second.
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Runs all images of a source through a deployment and hooks, and tells each step in order.
///
/// `each` may end the run; images on their way are then given up. See [`run_all`].
///
/// # Errors
///
/// [`DeployError::Threads`] when the system gives no more threads.
pub fn run(
    deployment: &Arc<Deployment>,
    frames: Frames,
    hooks: &HookSet,
    options: &RunOptions,
    each: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Summary, DeployError> {
    let sources = vec![(frames, hooks)];
    let reloads = Reloads::default();
    let summaries = run_all(deployment, sources, options, &reloads, &mut |_, step| {
        each(step)
    })?;
    Ok(summaries.into_iter().next().unwrap_or_default())
}

/// Runs several sources through one deployment at once, each with hooks of its own, and tells each
/// step with the number of its source. What each source came to is in their order.
///
/// The images of a source come in order, and sources take turns. One that ends or fails does not
/// end the others. `each` may end the source of the step; its images on their way are then given
/// up. An image that a hook gave up because its queue stood still
/// ([`DropReason::Stalled`](straylight_hooks::DropReason)) is in its step's outcomes: whoever reads
/// a source that can wait should end it there. The deployment's own hooks should be empty
/// ([`SavedHooks::Ignore`](straylight_deploy::SavedHooks)): they would see the images out of order.
/// Hooks are not drained: what they accepted may still be on its way. `reloads` brings another
/// deployment and other hooks, between two images.
///
/// # Errors
///
/// [`DeployError::Threads`] when the system gives no more threads.
pub fn run_all(
    deployment: &Arc<Deployment>,
    sources: Vec<(Frames, &HookSet)>,
    options: &RunOptions,
    reloads: &Reloads,
    each: &mut dyn FnMut(usize, Step) -> ControlFlow<()>,
) -> Result<Vec<Summary>, DeployError> {
    let start = Instant::now();
    let (frames, hooks): (Vec<Frames>, Vec<&HookSet>) = sources.into_iter().unzip();
    let mut running = hooks
        .iter()
        .zip(frames.iter().map(Frames::stop))
        .map(|(hooks, stop)| Running::new(hooks, stop, start))
        .collect::<Vec<_>>();
    let fair = Arc::new(Fair::new(frames.len()));
    let interrupted = Arc::clone(&fair);
    reloads.wakes(move || interrupted.interrupt());
    let mut deployment = Arc::clone(deployment);
    let ended = thread::scope(|scope| {
        for (source, frames) in frames.into_iter().enumerate() {
            let fair = &fair;
            scope.spawn(move || fair.give(source, frames));
        }
        let ended = loop {
            let lap = lap(&deployment, &fair, &mut running, options, each);
            if lap.is_err() || !fair.go_on() || running.iter().all(|running| running.is_ended) {
                break lap;
            }
            if let Some(replacement) = reloads.take() {
                deployment = replacement.deployment;
                let reloaded = replace_hooks(&hooks, replacement.hooks, replacement.drain);
                for (source, (running, reloaded)) in running.iter_mut().zip(reloaded).enumerate() {
                    // Also those that were ended: all of them answer.
                    if each(source, Step::Reloaded(reloaded)).is_break() {
                        running.end();
                    }
                }
            }
        };
        fair.close();
        ended
    });
    ended?;
    let summaries = running.into_iter().map(|running| running.summary);
    Ok(summaries.collect())
}

/// Runs the images of all sources through one deployment, until they end or somebody interrupts.
fn lap(
    deployment: &Arc<Deployment>,
    fair: &Fair<Result<Sourced, SourceError>>,
    running: &mut [Running<'_>],
    options: &RunOptions,
    each: &mut dyn FnMut(usize, Step) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    let hooks: Vec<&HookSet> = running.iter().map(|running| running.hooks).collect();
    let workers = deployment.start_async(StreamOptions {
        workers: options.workers,
        keep: keep(options, &hooks),
        ..StreamOptions::default()
    })?;
    let (sender, pending) = sync_channel(workers.bound());
    let budget = PixelBudget::new(MOST_ON_THEIR_WAY * deployment.requests() as u64);
    thread::scope(|scope| {
        let budget = &budget;
        scope.spawn(move || feed(fair, &workers, budget, &sender));
        for (source, waiting) in pending {
            let bytes = waiting.bytes();
            if let Some(running) = running.get_mut(source) {
                running.step(waiting, &mut |step| each(source, step));
            }
            budget.free(bytes);
            if running.iter().all(|running| running.is_ended) {
                fair.close();
                break;
            }
        }
        budget.close();
    });
    Ok(())
}

/// A source of a run.
struct Running<'a> {
    hooks: &'a HookSet,
    stop: Stop,
    /// Whether it was asked to end: what is still on its way is given up.
    is_ended: bool,
    start: Instant,
    summary: Summary,
}

impl<'a> Running<'a> {
    fn new(hooks: &'a HookSet, stop: Stop, start: Instant) -> Self {
        Self {
            hooks,
            stop,
            is_ended: false,
            start,
            summary: Summary::default(),
        }
    }

    /// Asks the hooks about an image, counts it and tells it.
    fn step(&mut self, waiting: Waiting, each: &mut dyn FnMut(Step) -> ControlFlow<()>) {
        if self.is_ended {
            return;
        }
        let step = waiting.step(self.hooks);
        match &step {
            Step::Image(_) => self.summary.images += 1,
            Step::Bad(error) if error.kind().is_notice() => {}
            Step::Bad(_) | Step::Failed { .. } => self.summary.bad += 1,
            Step::Reloaded(_) => {}
        }
        if each(step).is_break() {
            self.end();
        }
        self.summary.elapsed = self.start.elapsed();
    }

    fn end(&mut self) {
        self.is_ended = true;
        self.stop.ask();
    }
}

fn keep(options: &RunOptions, hooks: &[&HookSet]) -> Keep {
    let activations = hooks.iter().any(|hooks| hooks.needs() != Needs::NOTHING);
    options.keep.union(Keep {
        activations,
        ..Keep::NOTHING
    })
}

/// What a worker found out about an image.
type Answer = Result<(Frame, Prediction), DeployError>;

/// An image on its way, in its place among the others.
enum Waiting {
    /// Its place, its bytes of pixels, and the answer to come.
    Image(String, u64, Receiver<Answer>),
    Bad(SourceError),
}

/// Hands the images of all sources to the workers; ends when nobody wants more.
fn feed(
    sources: &Fair<Result<Sourced, SourceError>>,
    workers: &AsyncInference,
    budget: &PixelBudget,
    sender: &SyncSender<(usize, Waiting)>,
) {
    loop {
        budget.wait_for_room();
        let Some((source, sourced)) = sources.take() else {
            return;
        };
        let waiting = match sourced {
            Ok(Sourced { frame, place }) => {
                let (answer, answers) = channel();
                let bytes = budget.add(&frame);
                // The run may have been ended meanwhile.
                let sent = workers.submit(frame, move |outcome| drop(answer.send(outcome)));
                if sent.is_err() {
                    return;
                }
                Waiting::Image(place, bytes, answers)
            }
            Err(error) => Waiting::Bad(error),
        };
        if sender.send((source, waiting)).is_err() {
            return;
        }
    }
}

impl Waiting {
    fn bytes(&self) -> u64 {
        match self {
            Self::Image(_, bytes, _) => *bytes,
            Self::Bad(_) => 0,
        }
    }

    /// Waits for the workers, then asks the hooks.
    fn step(self, hooks: &HookSet) -> Step {
        let (place, answers) = match self {
            Self::Bad(error) => return Step::Bad(error),
            Self::Image(place, _, answers) => (place, answers),
        };
        // A worker that lost its image without an answer has dropped the sender.
        match answers.recv().unwrap_or(Err(DeployError::Closed)) {
            Err(error) => Step::Failed { place, error },
            Ok((frame, prediction)) => {
                let hooks = hooks.submit(&frame, &prediction);
                Step::Image(Box::new(Seen {
                    place,
                    frame,
                    ood_score: prediction.ood_score.map(|score| score.value),
                    prediction,
                    hooks,
                }))
            }
        }
    }
}
