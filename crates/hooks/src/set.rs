use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::sync::{PoisonError, RwLockReadGuard};
use std::time::Duration;

use straylight_core::{Frame, Prediction};

use crate::clock::{Clock, SystemClock};
use crate::delivery::Breakers;
use crate::event::EventId;
use crate::hook::PostInferenceHook;
use crate::observe::{Guarded, NoObserver, Observer, Outcome};
use crate::open_queue::{check, open_queue};
use crate::queue::{DeadLetter, JournalError, SourceKind};
use crate::random::{Random, SeededRandom};
use crate::runner::{Patience, Runner, SharedPrediction, World};
use crate::stats::HookStats;
use crate::trigger::Needs;

/// What all hooks of a set share.
#[derive(Clone)]
pub struct HookSetOptions {
    /// Folder for queues on disk; without one all queues are in memory.
    pub state_folder: Option<PathBuf>,
    /// How long a set that is dropped goes on delivering what is queued.
    pub drain_time: Duration,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Random numbers for jitter and ids.
    pub random: Arc<dyn Random>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// By which time limits count.
    pub limit_times: LimitTimes,
    /// Where the images come from, which decides what a full queue does unless the hook says so.
    pub source: SourceKind,
    /// How long an image may wait for room in a full queue without any progress there, before it
    /// is given up; `None` for ever.
    pub stall: Option<Duration>,
}

/// By which time limits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitTimes {
    /// The clock's: for images that come as they are taken.
    #[default]
    Clock,
    /// Each image's capture time, which never goes back: for recordings, whatever the speed at
    /// which they are read. What limits remember of the clock is neither used nor changed.
    Frames,
}

impl Default for HookSetOptions {
    /// Queues in memory that make the caller wait when they are full, 10 seconds to drain, the
    /// machine's clock, nobody to tell.
    fn default() -> Self {
        Self {
            state_folder: None,
            drain_time: Duration::from_secs(10),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SeededRandom::from_entropy()),
            observer: Arc::new(NoObserver),
            limit_times: LimitTimes::Clock,
            source: SourceKind::Unknown,
            stall: None,
        }
    }
}

/// How long [`HookSet::finish`] waits for deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainOptions {
    /// Not longer than this, `None` for no limit.
    pub at_most: Option<Duration>,
    /// Not longer than this while nothing is delivered, `None` for no limit.
    pub stall: Option<Duration>,
}

/// An image that hooks accepted and could neither deliver nor keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostImage {
    /// Name of the hook.
    pub hook: String,
    /// What the source calls the image.
    pub name: String,
}

/// A hook cannot run as it is configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// A value is out of its range.
    #[error("hook `{hook}`: {what}")]
    Invalid {
        /// Name of the hook.
        hook: String,
        /// Which value, and what it may be.
        what: String,
    },
    /// Two hooks of one set have the same name.
    #[error("there are two hooks named `{0}`: names tell their queues and counters apart")]
    DuplicateName(String),
    /// The queue's folder.
    #[error("hook `{hook}`: {source}")]
    Queue {
        /// Name of the hook.
        hook: String,
        /// What is wrong.
        source: JournalError,
    },
}

/// The hooks of a deployment, at work.
///
/// Safe to share between threads. Dropping it delivers what is queued for
/// [`HookSetOptions::drain_time`]; the rest stays queued on disk.
pub struct HookSet {
    options: HookSetOptions,
    breakers: Breakers,
    runners: RwLock<Vec<Arc<Runner>>>,
}

impl HookSet {
    /// A set without hooks.
    pub fn new(options: HookSetOptions) -> Self {
        Self {
            options,
            breakers: Breakers::default(),
            runners: RwLock::default(),
        }
    }

    /// Adds a hook and lets it go on with what an earlier process left in its queue.
    pub fn add(&self, hook: PostInferenceHook) -> Result<(), HookError> {
        let mut runners = self.runners.write().unwrap_or_else(PoisonError::into_inner);
        let name = name_of(&hook, runners.len())?;
        if runners.iter().any(|runner| *runner.name == *name) {
            return Err(HookError::DuplicateName(name));
        }
        check(&hook, &name, self.options.state_folder.is_some())?;
        runners.push(self.start(name, hook)?);
        Ok(())
    }

    fn start(&self, name: String, hook: PostInferenceHook) -> Result<Arc<Runner>, HookError> {
        let state_folder = self.options.state_folder.as_deref();
        let opened = open_queue(&hook, &name, state_folder, self.options.source)?;
        let breaker = self
            .breakers
            .of_sink(hook.action.sink(), hook.options.breaker);
        let world = World {
            clock: Arc::clone(&self.options.clock),
            random: Arc::clone(&self.options.random),
            observer: Guarded(Arc::clone(&self.options.observer)),
            limit_times: self.options.limit_times,
            stall: self.options.stall,
        };
        let runner = Runner::new(Arc::from(name), Arc::new(hook), opened, breaker, world);
        let runner = Arc::new(runner);
        runner.resume();
        Ok(runner)
    }

    /// Exchanges all hooks between two images; call it on the thread that submits them.
    ///
    /// A hook whose name stays, and of which only trigger and limits change, goes on with its queue
    /// and its counters. All others end: what is on disk stays there, for a hook of the same name or the
    /// next process; what is in memory is delivered, within `options`. Returns the statistics of those
    /// that ended, and the images that are lost.
    ///
    /// # Errors
    ///
    /// [`HookError`] when a hook cannot run as it is configured; nothing is changed then. When a queue
    /// cannot be opened, the hooks after it are missing.
    pub fn replace(
        &self,
        hooks: Vec<PostInferenceHook>,
        options: DrainOptions,
    ) -> Result<(Vec<HookStats>, Vec<LostImage>), HookError> {
        let names = names_of(&hooks, self.options.state_folder.is_some())?;
        let mut runners = self.runners.write().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |runner: &Runner| {
            let same = names
                .iter()
                .zip(&hooks)
                .find(|(name, _)| **name == *runner.name);
            same.is_some_and(|(_, hook)| runner.can_become(hook))
        };
        let (kept, ended): (Vec<_>, Vec<_>) = runners.drain(..).partition(|one| goes_on(one));
        for runner in &ended {
            runner.end_window();
        }
        let clock = self.options.clock.as_ref();
        let (on_disk, in_memory): (Vec<_>, Vec<_>) = ended
            .into_iter()
            .partition(|runner| runner.queue.is_durable());
        let at_once = DrainOptions {
            at_most: Some(Duration::ZERO),
            stall: None,
        };
        let mut lost = end_all(&on_disk, self.patience(at_once), clock);
        lost.extend(end_all(&in_memory, self.patience(options), clock));
        let ended: Vec<_> = on_disk.into_iter().chain(in_memory).collect();
        let stats = ended.iter().map(|runner| runner.stats()).collect();
        // Their queues are let go before they are opened anew.
        drop(ended);
        for (name, hook) in names.into_iter().zip(hooks) {
            match kept.iter().find(|runner| *runner.name == *name) {
                Some(runner) => {
                    runner.become_hook(hook);
                    runners.push(Arc::clone(runner));
                }
                None => runners.push(self.start(name, hook)?),
            }
        }
        Ok((stats, lost))
    }

    /// Lets every hook decide about an image; the outcomes are in the order of the hooks.
    ///
    /// Waits for no action, unless a hook has no threads or its queue is full and its policy is
    /// to wait. Never fails because of a hook: a trigger that fails does not fire.
    pub fn submit(&self, frame: &Frame, prediction: &Prediction) -> Vec<Outcome> {
        // Not under the lock: a full queue may make the caller wait for long.
        let runners = self.runners().clone();
        let prediction = SharedPrediction::new(prediction);
        runners
            .iter()
            .map(|runner| runner.submit(frame, &prediction))
            .collect()
    }

    /// What the hooks need with each prediction.
    pub fn needs(&self) -> Needs {
        let needs = |runner: &Arc<Runner>| runner.hook().needs();
        self.runners()
            .iter()
            .map(needs)
            .fold(Needs::NOTHING, Needs::union)
    }

    /// What each hook has done.
    pub fn stats(&self) -> Vec<HookStats> {
        self.runners().iter().map(|runner| runner.stats()).collect()
    }

    /// The hooks, in the order in which they were added.
    pub fn hooks(&self) -> Vec<Arc<PostInferenceHook>> {
        self.runners().iter().map(|runner| runner.hook()).collect()
    }

    /// The dead letters of a hook, oldest first; none if there is no such hook.
    pub fn dead_letters(&self, hook: &str) -> Vec<DeadLetter> {
        self.runner(hook)
            .map_or_else(Vec::new, |runner| runner.queue.dead_letters())
    }

    /// Lets a dead letter be delivered again; says whether there was one.
    pub fn retry_dead_letter(&self, hook: &str, id: EventId) -> Result<bool, JournalError> {
        self.runner(hook)
            .map_or(Ok(false), |runner| runner.requeue(id))
    }

    /// Gives a dead letter up; says whether there was one.
    pub fn discard_dead_letter(&self, hook: &str, id: EventId) -> Result<bool, JournalError> {
        self.runner(hook)
            .map_or(Ok(false), |runner| runner.queue.discard(id))
    }

    fn runner(&self, name: &str) -> Option<Arc<Runner>> {
        self.runners()
            .iter()
            .find(|runner| *runner.name == *name)
            .cloned()
    }

    /// Number of hooks.
    pub fn len(&self) -> usize {
        self.runners().len()
    }

    /// Whether there are no hooks.
    pub fn is_empty(&self) -> bool {
        self.runners().is_empty()
    }

    /// Waits until all that is queued is delivered or dead, at most for `at_most`.
    ///
    /// Says whether nothing is queued any more.
    pub fn drain(&self, at_most: Duration) -> bool {
        let patience = self.patience(DrainOptions {
            at_most: Some(at_most),
            stall: None,
        });
        let runners = self.runners().clone();
        let drained: Vec<bool> = runners.iter().map(|one| one.drain(patience)).collect();
        drained.into_iter().all(|is_empty| is_empty)
    }

    /// Delivers what is queued for as long as the options say, and ends the hooks: they take no
    /// more images, and what is left is on disk if there is a folder for it.
    ///
    /// Returns the images that are lost: they were in memory only. The statistics and the dead
    /// letters can still be asked for.
    pub fn finish(&self, options: DrainOptions) -> Vec<LostImage> {
        let runners = self.runners().clone();
        for runner in &runners {
            runner.end_window();
        }
        let patience = self.patience(options);
        end_all(&runners, patience, self.options.clock.as_ref())
    }

    /// Removes all hooks after delivering what is queued, as dropping the set does.
    pub fn clear(&self) {
        let mut runners = self.runners.write().unwrap_or_else(PoisonError::into_inner);
        let runners = std::mem::take(&mut *runners);
        for runner in &runners {
            runner.end_window();
        }
        let patience = self.patience(DrainOptions {
            at_most: Some(self.options.drain_time),
            stall: None,
        });
        end_all(&runners, patience, self.options.clock.as_ref());
    }

    fn patience(&self, options: DrainOptions) -> Patience {
        let now = self.options.clock.monotonic();
        Patience {
            until: options.at_most.map(|time| now.saturating_add(time)),
            stall: options.stall,
        }
    }

    fn runners(&self) -> RwLockReadGuard<'_, Vec<Arc<Runner>>> {
        self.runners.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HookSet {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What threads that are between two events may take to end.
const THREADS_END: Duration = Duration::from_millis(500);

/// Ends hooks together, so that one that hangs takes no time from the others.
fn end_all(runners: &[Arc<Runner>], patience: Patience, clock: &dyn Clock) -> Vec<LostImage> {
    let at_work = || runners.iter().filter(|runner| !runner.has_ended());
    for runner in at_work() {
        runner.close();
    }
    for runner in at_work() {
        runner.empty(patience);
    }
    for runner in at_work() {
        runner.stop();
    }
    let until = clock.monotonic() + THREADS_END;
    let lost = at_work().flat_map(|runner| {
        let names = runner.end(until).into_iter();
        names.map(|name| LostImage {
            hook: runner.name.to_string(),
            name: name.to_string(),
        })
    });
    lost.collect()
}

/// The names of hooks in their order, of which no two are the same; all settings are checked.
fn names_of(hooks: &[PostInferenceHook], has_folder: bool) -> Result<Vec<String>, HookError> {
    let mut names: Vec<String> = Vec::with_capacity(hooks.len());
    for (position, hook) in hooks.iter().enumerate() {
        let name = name_of(hook, position)?;
        if names.contains(&name) {
            return Err(HookError::DuplicateName(name));
        }
        check(hook, &name, has_folder)?;
        names.push(name);
    }
    Ok(names)
}

/// The hook's own name, or one made of its position, trigger and action.
fn name_of(hook: &PostInferenceHook, position: usize) -> Result<String, HookError> {
    let made = || format!("{position}-{}-{}", hook.trigger.name(), hook.action.name());
    let name = hook.options.name.clone().unwrap_or_else(made);
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(fits) {
        let what = "a name has 1 to 100 letters, digits, `-`, `_` or `.`, and no `.` in front";
        return Err(HookError::Invalid {
            hook: name,
            what: what.to_owned(),
        });
    }
    Ok(name)
}
