//! A hook at work: decides about images, and delivers events on its threads.

mod deliver;
mod full;
mod judge;
mod limiter;
mod priority;
mod threads;
mod unfinished;
mod watch;
mod window;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use straylight_core::{Frame, Prediction};

use self::judge::Judge;
pub(crate) use self::threads::Patience;
use self::threads::Threads;
use self::unfinished::Unfinished;
use crate::action::Delivery;
use crate::clock::Clock;
use crate::delivery::Breaker;
use crate::event::{Event, EventId, EventIds, Picture};
use crate::hook::PostInferenceHook;
use crate::observe::{Guarded, Outcome};
use crate::queue::{Pushed, Queue, QueueStats};
use crate::random::Random;
use crate::set::LimitTimes;
use crate::stats::{Account, Counters, HookStats};
use crate::trigger::TriggerError;

/// What a hook needs of the world around it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) observer: Guarded,
    pub(crate) limit_times: LimitTimes,
    /// How long a full queue may stand still before an image that waits for room is given up.
    pub(crate) stall: Option<Duration>,
}

/// A hook with its queue, limits, counters and threads.
pub(crate) struct Runner {
    pub(crate) name: Arc<str>,
    /// Its action and its options; what decides about images is in `judge`.
    hook: Arc<PostInferenceHook>,
    judge: RwLock<Arc<Judge>>,
    pub(crate) queue: Queue,
    world: World,
    counters: Counters,
    breaker: Arc<Breaker>,
    ids: EventIds,
    unfinished: Unfinished,
    threads: Threads,
    journal_health: deliver::JournalHealth,
    has_ended: AtomicBool,
    /// Whether events waited a moment for room for their pixels, and found none.
    is_sink_slow: AtomicBool,
}

/// A queue and what an earlier process left in its folder.
pub(crate) struct Opened {
    pub(crate) queue: Queue,
    /// What the limits remembered.
    pub(crate) limits: Option<String>,
    /// The newest event that waits.
    pub(crate) last: Option<EventId>,
    /// Events that an earlier process was about to deliver when it died.
    pub(crate) expected: Vec<Event>,
}

/// A prediction that is copied once, when the first hook fires, and shared by all that do.
pub(crate) struct SharedPrediction<'a> {
    prediction: &'a Prediction,
    shared: OnceLock<Arc<Prediction>>,
}

impl<'a> SharedPrediction<'a> {
    pub(crate) fn new(prediction: &'a Prediction) -> Self {
        Self {
            prediction,
            shared: OnceLock::new(),
        }
    }

    /// The copy, without saliency maps: they are large and no action stores them.
    fn get(&self) -> Arc<Prediction> {
        let copy = || {
            Arc::new(Prediction {
                annotations: self.prediction.annotations.clone(),
                saliency_maps: Vec::new(),
                left_out: self.prediction.left_out,
                activations: self.prediction.activations.clone(),
                ood_score: self.prediction.ood_score,
            })
        };
        Arc::clone(self.shared.get_or_init(copy))
    }
}

impl Runner {
    pub(crate) fn new(
        name: Arc<str>,
        hook: Arc<PostInferenceHook>,
        opened: Opened,
        breaker: Arc<Breaker>,
        world: World,
    ) -> Self {
        let judge = Judge::new(Arc::clone(&hook), &world, opened.limits.as_deref());
        let ids = EventIds::default();
        if let Some(last) = opened.last {
            ids.start_after(last);
        }
        let runner = Self {
            name,
            hook,
            judge: RwLock::new(Arc::new(judge)),
            queue: opened.queue,
            counters: Counters::default(),
            breaker,
            ids,
            unfinished: Unfinished::default(),
            threads: Threads::default(),
            journal_health: deliver::JournalHealth::default(),
            has_ended: AtomicBool::new(false),
            is_sink_slow: AtomicBool::new(false),
            world,
        };
        runner.resume_window();
        runner.ask_for(&opened.expected);
        runner
    }

    /// Asks the sink what became of events that were only in memory when their process died, so
    /// that they are counted.
    fn ask_for(&self, expected: &[Event]) {
        for event in expected {
            let ask = || self.hook.action.is_delivered(event);
            let answer = catch_unwind(AssertUnwindSafe(ask));
            let is_there = matches!(answer, Ok(Ok(Delivery::Done)));
            self.queue.resolve_expected(event.id, is_there);
        }
        if !expected.is_empty() {
            self.journal_health.note(&self.name, self.queue.settle());
        }
    }

    /// Decides about an image and queues it if it is wanted.
    pub(crate) fn submit(
        self: &Arc<Self>,
        frame: &Frame,
        prediction: &SharedPrediction<'_>,
    ) -> Outcome {
        let outcome = self.decide(frame, prediction);
        self.world.observer.decided(&self.name, frame, &outcome);
        outcome
    }

    fn decide(self: &Arc<Self>, frame: &Frame, prediction: &SharedPrediction<'_>) -> Outcome {
        self.release_held(Some(frame.captured_at()));
        let judge = self.judge();
        let score = match judge.score(frame, prediction.prediction) {
            Ok(score) => score,
            Err(error) => return self.trigger_failed(&error),
        };
        self.counters.scored(score);
        if !judge.hook.trigger.decide(score) {
            self.counters.evaluated(Account::NotFired);
            return Outcome::NotFired { score };
        }
        if let Err(limit) = (judge.limits).check(&self.world, frame, prediction.prediction) {
            self.counters.evaluated(Account::Suppressed(limit));
            return Outcome::Suppressed { score, limit };
        }
        let mut event = Arc::new(self.event(frame, prediction, (&judge.hook, score)));
        if judge.limits.chooses_later() {
            event = self.to_wait(event);
        }
        let count = |offer: &_| self.count_offer(offer);
        match judge.limits.offer(&self.world, &event, count) {
            None => self.fire(event, Counters::evaluated),
            Some(offer) => self.offered(offer, score),
        }
    }

    /// A trigger that fails once fails for every image: one line says so, the counter the rest.
    fn trigger_failed(&self, error: &TriggerError) -> Outcome {
        if self.counters.evaluated(Account::Failed) == 1 {
            tracing::warn!(hook = %self.name, %error, "trigger failed; the hook does not fire");
        }
        Outcome::Failed {
            error: error.to_string(),
        }
    }

    /// Sends an event to its queue unless a quota is used up; `count` moves the image.
    fn fire(self: &Arc<Self>, event: Arc<Event>, count: fn(&Counters, Account) -> u64) -> Outcome {
        let (id, score) = (event.id, event.score);
        if let Err(limit) = self
            .judge()
            .limits
            .take_quota(&self.world, event.captured_at)
        {
            count(&self.counters, Account::Suppressed(limit));
            self.queue.unhold(id);
            return Outcome::Suppressed { score, limit };
        }
        count(&self.counters, Account::Fired);
        let pushed = self.push(event);
        self.tell_of_drops();
        match pushed {
            Pushed::Dropped(reason) => {
                self.queue.unhold(id);
                return Outcome::Dropped { score, reason };
            }
            Pushed::Staged => self.wake_spooler(),
            Pushed::Ready | Pushed::Full => self.wake_worker(),
        }
        Outcome::Queued { score, id }
    }

    fn event(
        &self,
        frame: &Frame,
        prediction: &SharedPrediction<'_>,
        (hook, score): (&PostInferenceHook, f64),
    ) -> Event {
        // The score of the deployment's model goes before that of the trigger's own.
        let of_model = prediction.prediction.ood_score.map(|score| score.value);
        let fired_at = self.world.clock.now();
        Event {
            id: self.ids.next(fired_at, self.world.random.next_u64()),
            hook: Arc::clone(&self.name),
            name: Arc::from(frame.name()),
            source: frame.source().cloned(),
            captured_at: frame.captured_at(),
            fired_at,
            trigger: Arc::from(hook.trigger.name()),
            score,
            ood_score: of_model.or_else(|| hook.trigger.ood_score(score)),
            reason: Arc::from(hook.trigger.reason(score)),
            picture: Picture::of_frame(frame),
            prediction: prediction.get(),
            key_policy: self.hook.options.key_policy,
            key: OnceLock::new(),
        }
    }

    /// What the hook has done.
    pub(crate) fn stats(&self) -> HookStats {
        let QueueStats {
            ledgers,
            memory_bytes,
            disk_bytes,
        } = self.queue.stats();
        HookStats {
            breaker_open: self.breaker.is_open(),
            already_there: self.hook.action.already_there(),
            memory_bytes,
            disk_bytes,
            ..self.counters.stats(&self.name, ledgers)
        }
    }
}
