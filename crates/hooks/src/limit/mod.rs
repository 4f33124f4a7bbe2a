//! Limits: which of the images that a trigger picked go on to the action.
//!
//! Limits stand between trigger and queue, so that what they hold back costs nothing more. They
//! measure time with [`LimitTime`], which never goes back and does not follow a wall clock that
//! jumps. What they remember can be written down and taken up by the next process.

mod best_of;
mod label;
mod near_duplicate;
mod options;
mod quota;
mod rate;
mod same_object;
mod time;

use serde::{Deserialize, Serialize};
use straylight_core::{PerceptualHash, Prediction, RgbImage};

pub(crate) use self::best_of::{BestOf, Offer};
use self::label::LabelIntervals;
use self::near_duplicate::NearDuplicates;
pub use self::options::{
    BestOfOptions, LimitKind, LimitOptions, NearDuplicateOptions, SameObjectOptions,
};
use self::quota::Quotas;
use self::rate::{RateLimit, RateState};
use self::same_object::SameObjects;
pub(crate) use self::time::{LimitClock, LimitTime};

/// The limits of one hook and what they remember, except for [`BestOf`], which holds events.
#[derive(Debug)]
pub(crate) struct Limits {
    rate: Option<RateLimit>,
    labels: Option<LabelIntervals>,
    duplicates: Option<NearDuplicates>,
    objects: Option<SameObjects>,
    quotas: Quotas,
    last: i64,
    window_left: Option<i64>,
}

/// What limits remember, as it is written down.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    last: i64,
    rate: RateState,
    labels: label::LabelState,
    duplicates: near_duplicate::HashState,
    objects: same_object::ObjectState,
    quotas: quota::QuotaState,
    /// End of the open window, in microseconds; its candidates are in the queue.
    window_ends: Option<i64>,
}

impl Limits {
    /// Limits that take up what an earlier process wrote down, if it can be read.
    pub(crate) fn new(options: &LimitOptions, remembered: Option<&str>) -> Self {
        let memory: Memory = remembered
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let rate = options.max_frames_per_second;
        let interval = options.min_seconds_per_label;
        Self {
            rate: rate.map(|rate| RateLimit::new(rate, memory.rate)),
            labels: interval.map(|seconds| LabelIntervals::new(seconds, memory.labels)),
            duplicates: options
                .near_duplicates
                .map(|options| NearDuplicates::new(options, memory.duplicates)),
            objects: options
                .same_object
                .map(|options| SameObjects::new(options, memory.objects)),
            quotas: Quotas::new(options, memory.quotas),
            last: memory.last,
            window_left: memory.window_ends,
        }
    }

    /// What the limits remember, for the next process.
    pub(crate) fn remember(&self, window_ends: Option<LimitTime>) -> String {
        let memory = Memory {
            last: self.last,
            rate: self.rate.as_ref().map(RateLimit::state).unwrap_or_default(),
            labels: self
                .labels
                .as_ref()
                .map(LabelIntervals::state)
                .unwrap_or_default(),
            duplicates: self
                .duplicates
                .as_ref()
                .map(NearDuplicates::state)
                .unwrap_or_default(),
            objects: self
                .objects
                .as_ref()
                .map(SameObjects::state)
                .unwrap_or_default(),
            quotas: self.quotas.state(),
            window_ends: window_ends.map(|time| time.0),
        };
        serde_json::to_string(&memory).unwrap_or_default()
    }

    /// The last time at which something passed, in microseconds.
    pub(crate) fn last_time(&self) -> i64 {
        self.last
    }

    /// When the window ends that an earlier process left open.
    pub(crate) fn window_left_open(&self) -> Option<LimitTime> {
        self.window_left.map(LimitTime)
    }

    /// Lets an image through and remembers it, or names the limit that holds it back.
    pub(crate) fn check(
        &mut self,
        now: LimitTime,
        image: &RgbImage,
        prediction: &Prediction,
    ) -> Result<(), LimitKind> {
        // Whatever else holds the image back, its object is in view. Without a feature vector nothing
        // can be told; hooks with this limit ask for one.
        let object = self
            .objects
            .as_mut()
            .zip(prediction.activations.features.as_deref());
        let object = object.map(|(seen, features)| (seen.sees(now, features), features));
        if self.rate.as_ref().is_some_and(|rate| !rate.allows(now)) {
            return Err(LimitKind::Rate);
        }
        let names = prediction.label_names();
        if self
            .labels
            .as_ref()
            .is_some_and(|labels| !labels.allow(now, &names))
        {
            return Err(LimitKind::LabelInterval);
        }
        let hash = self.duplicates.as_ref().map(|_| PerceptualHash::of(image));
        let duplicates = self.duplicates.as_mut().zip(hash);
        if duplicates
            .as_ref()
            .is_some_and(|(seen, hash)| seen.has(*hash))
        {
            return Err(LimitKind::NearDuplicate);
        }
        if object.is_some_and(|(is_known, _)| is_known) {
            return Err(LimitKind::SameObject);
        }
        if let Some((seen, hash)) = duplicates {
            seen.passed(hash);
        }
        if let Some((seen, (_, features))) = self.objects.as_mut().zip(object) {
            seen.passed(now, features);
        }
        self.passed(now, &names);
        Ok(())
    }

    fn passed(&mut self, now: LimitTime, names: &[&str]) {
        self.last = self.last.max(now.0);
        if let Some(rate) = &mut self.rate {
            rate.passed(now);
        }
        if let Some(labels) = &mut self.labels {
            labels.passed(now, names);
        }
    }

    /// Counts an event towards the quotas, or says that one of them is used up.
    pub(crate) fn take_quota(&mut self, now: LimitTime) -> Result<(), LimitKind> {
        if !self.quotas.take(now) {
            return Err(LimitKind::Quota);
        }
        self.last = self.last.max(now.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
