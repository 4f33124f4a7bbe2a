//! What hooks would have done with images that were seen before.
//!
//! A replay runs the real triggers, limits and counters on a clock that each image sets to its own
//! capture time, and puts a tally in the place of every action. Nothing is collected, and the
//! same images in the same order give the same result every time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use straylight_core::{Frame, Prediction, Timestamp};

use crate::action::{Action, ActionError};
use crate::clock::{ManualClock, lock};
use crate::event::Event;
use crate::hook::{HookOptions, PostInferenceHook};
use crate::queue::QueueOptions;
use crate::random::SeededRandom;
use crate::set::{HookError, HookSet, HookSetOptions};
use crate::stats::HookStats;
use crate::trigger::Needs;

/// Hooks that are tried on images without acting.
pub struct Replay {
    clock: ManualClock,
    hooks: Vec<PostInferenceHook>,
    tallies: Vec<Tally>,
    set: Option<HookSet>,
}

/// An image that a hook would have collected.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedImage {
    /// What the source calls the image.
    pub name: String,
    /// When it was taken.
    pub captured_at: Timestamp,
    /// The trigger's score.
    pub score: f64,
    /// Why the hook would have fired.
    pub reason: String,
    /// Bytes of the image file: the source's own, or a PNG of its pixels.
    pub bytes: u64,
}

/// What one hook would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayReport {
    /// Name of the hook.
    pub hook: String,
    /// Its counters: evaluated, not fired, suppressed by limit.
    pub stats: HookStats,
    /// The images that it would have collected, in order.
    pub collected: Vec<ReplayedImage>,
}

impl ReplayReport {
    /// Bytes of all images that the hook would have collected.
    pub fn bytes(&self) -> u64 {
        self.collected.iter().map(|image| image.bytes).sum()
    }
}

/// Which images two sets of hooks would collect differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayDifference {
    /// Names of images that only the new hooks collect, each once, sorted.
    pub gained: Vec<String>,
    /// Names of images that only the present hooks collect, each once, sorted.
    pub lost: Vec<String>,
    /// Number of image names that both collect.
    pub common: usize,
}

impl Replay {
    /// A replay of these hooks; their actions are never performed.
    pub fn new(hooks: Vec<PostInferenceHook>) -> Self {
        Self {
            clock: ManualClock::new(Timestamp::UNIX_EPOCH),
            hooks,
            tallies: Vec::new(),
            set: None,
        }
    }

    /// What the hooks need with each prediction.
    pub fn needs(&self) -> Needs {
        let needs = self.hooks.iter().map(|hook| hook.trigger.needs());
        let waiting = needs.fold(Needs::NOTHING, Needs::union);
        self.set.as_ref().map_or(waiting, HookSet::needs)
    }

    /// Shows an image to the hooks at the time at which it was taken.
    ///
    /// Time does not go back: an image that is older than the one before has its time.
    pub fn submit(&mut self, frame: &Frame, prediction: &Prediction) -> Result<(), HookError> {
        self.clock.advance_to(frame.captured_at());
        if self.set.is_none() {
            self.set = Some(self.start()?);
        }
        if let Some(set) = &self.set {
            set.submit(frame, prediction);
        }
        Ok(())
    }

    fn start(&mut self) -> Result<HookSet, HookError> {
        let set = HookSet::new(HookSetOptions {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(SeededRandom::new(0)),
            drain_time: Duration::ZERO,
            ..HookSetOptions::default()
        });
        for (position, hook) in std::mem::take(&mut self.hooks).into_iter().enumerate() {
            let made = || format!("{position}-{}-{}", hook.trigger.name(), hook.action.name());
            let tally = Tally::default();
            let options = HookOptions {
                name: Some(hook.options.name.clone().unwrap_or_else(made)),
                max_threads: 0,
                queue: Some(QueueOptions {
                    max_bytes: u64::MAX / 4,
                    ..QueueOptions::MEMORY
                }),
                ..hook.options
            };
            let action = Box::new(tally.clone());
            set.add(PostInferenceHook::new(hook.trigger, action, options))?;
            self.tallies.push(tally);
        }
        Ok(set)
    }

    /// Ends open windows and says what each hook would have done.
    pub fn finish(mut self) -> Result<Vec<ReplayReport>, HookError> {
        let set = match self.set.take() {
            Some(set) => set,
            None => self.start()?,
        };
        set.drain(Duration::ZERO);
        let reports = set
            .stats()
            .into_iter()
            .zip(&self.tallies)
            .map(|(stats, tally)| {
                let collected = lock(&tally.0).clone();
                ReplayReport {
                    hook: stats.hook.clone(),
                    stats,
                    collected,
                }
            });
        Ok(reports.collect())
    }
}

/// What new hooks collect and present ones do not, and the other way round.
pub fn compare_replays(present: &[ReplayReport], new: &[ReplayReport]) -> ReplayDifference {
    let (present, new) = (names(present), names(new));
    let only = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| {
        a.difference(b).map(|&name| name.to_owned()).collect()
    };
    ReplayDifference {
        gained: only(&new, &present),
        lost: only(&present, &new),
        common: new.intersection(&present).count(),
    }
}

fn names(reports: &[ReplayReport]) -> BTreeSet<&str> {
    let images = reports.iter().flat_map(|report| &report.collected);
    images.map(|image| image.name.as_str()).collect()
}

/// Counts what an action would have been given.
#[derive(Clone, Default)]
struct Tally(Arc<Mutex<Vec<ReplayedImage>>>);

impl Action for Tally {
    fn name(&self) -> &'static str {
        "Tally"
    }

    fn sink(&self) -> String {
        "tally".to_owned()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        let image = ReplayedImage {
            name: event.name.to_string(),
            captured_at: event.captured_at,
            score: event.score,
            reason: event.reason.to_string(),
            bytes: event.picture.encoded()?.bytes.len() as u64,
        };
        lock(&self.0).push(image);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{BestOfOptions, LimitOptions};
    use crate::testing::{prediction, time};
    use crate::trigger::ConfidenceTrigger;

    fn hook(threshold: f64, limits: LimitOptions) -> PostInferenceHook {
        let trigger = Box::new(ConfidenceTrigger::new(threshold, None));
        let options = HookOptions {
            limits,
            ..HookOptions::default()
        };
        PostInferenceHook::new(trigger, Box::new(Tally::default()), options)
    }

    /// Ten images, one a second, the model less sure with each.
    fn run(hooks: Vec<PostInferenceHook>) -> Vec<ReplayReport> {
        let mut replay = Replay::new(hooks);
        for i in 0..10u8 {
            let image = straylight_core::RgbImage::filled(8, 8, [i; 3]).unwrap();
            let frame = Frame::new(image, i.to_string(), time(1_000 * i64::from(i)));
            let seen = prediction(&[("dog", 1.0 - f32::from(i) / 10.0)]);
            replay.submit(&frame, &seen).unwrap();
        }
        replay.finish().unwrap()
    }

    #[test]
    fn limits_run_on_the_time_of_the_images_and_repeat_themselves() {
        let slow = || LimitOptions {
            max_frames_per_second: Some(0.5),
            ..Default::default()
        };
        let reports = run(vec![hook(0.95, slow())]);
        let collected: Vec<&str> = reports[0]
            .collected
            .iter()
            .map(|i| i.name.as_str())
            .collect();
        assert_eq!(collected, ["1", "3", "5", "7", "9"]);
        assert!(reports[0].stats.balances() && reports[0].bytes() > 0);
        assert_eq!(run(vec![hook(0.95, slow())]), reports);
    }

    #[test]
    fn the_last_window_is_closed_at_the_end() {
        let best_of = Some(BestOfOptions {
            keep: 1,
            window_seconds: 4.0,
        });
        let reports = run(vec![hook(
            0.95,
            LimitOptions {
                best_of,
                ..Default::default()
            },
        )]);
        let collected: Vec<&str> = reports[0]
            .collected
            .iter()
            .map(|i| i.name.as_str())
            .collect();
        assert_eq!(collected, ["4", "8", "9"]);
    }

    #[test]
    fn two_sets_of_hooks_are_compared() {
        let present = run(vec![hook(0.5, LimitOptions::default())]);
        let new = run(vec![hook(
            0.75,
            LimitOptions {
                max_total: Some(5),
                ..Default::default()
            },
        )]);
        let difference = compare_replays(&present, &new);
        assert_eq!(difference.gained, ["3", "4", "5"]);
        assert_eq!(
            (difference.lost, difference.common),
            (vec!["8".into(), "9".into()], 2)
        );
    }
}
