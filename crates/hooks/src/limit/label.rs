use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LimitTime;

/// A least time between two images of one label.
#[derive(Debug)]
pub(super) struct LabelIntervals {
    interval_micros: i64,
    last: LabelState,
}

/// When each label passed last, in microseconds of limit time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct LabelState(BTreeMap<String, i64>);

impl LabelIntervals {
    pub(super) fn new(seconds: f64, last: LabelState) -> Self {
        Self {
            interval_micros: (seconds * 1e6) as i64,
            last,
        }
    }

    /// Whether one of the labels may pass; an image without labels has one without a name.
    pub(super) fn allow(&self, now: LimitTime, names: &[&str]) -> bool {
        keys(names).any(|name| {
            let last = self.last.0.get(name);
            last.is_none_or(|last| now.0.saturating_sub(*last) >= self.interval_micros)
        })
    }

    pub(super) fn passed(&mut self, now: LimitTime, names: &[&str]) {
        for name in keys(names) {
            self.last.0.insert(name.to_owned(), now.0);
        }
    }

    pub(super) fn state(&self) -> LabelState {
        self.last.clone()
    }
}

fn keys<'a>(names: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let none = if names.is_empty() { Some("") } else { None };
    names.iter().copied().chain(none)
}
