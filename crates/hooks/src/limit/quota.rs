use serde::{Deserialize, Serialize};

use super::{LimitOptions, LimitTime};

/// Microseconds in a minute, an hour and a day.
const PERIODS: [i64; 3] = [60_000_000, 3_600_000_000, 86_400_000_000];

/// At most so many events in each minute, hour and day of UTC, and in all.
#[derive(Debug)]
pub(super) struct Quotas {
    limits: [Option<u64>; 3],
    total: Option<u64>,
    state: QuotaState,
}

/// The period that is being counted, and how many events it has, for each length of period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct QuotaState {
    periods: [(i64, u64); 3],
    total: u64,
}

impl Quotas {
    pub(super) fn new(options: &LimitOptions, state: QuotaState) -> Self {
        let limits = [
            options.max_per_minute,
            options.max_per_hour,
            options.max_per_day,
        ];
        Self {
            limits,
            total: options.max_total,
            state,
        }
    }

    /// Counts an event if no quota is used up.
    pub(super) fn take(&mut self, now: LimitTime) -> bool {
        for ((period, used), length) in self.state.periods.iter_mut().zip(PERIODS) {
            let current = now.0.div_euclid(length);
            if current > *period {
                (*period, *used) = (current, 0);
            }
        }
        let used = self.state.periods.iter().map(|(_, used)| *used);
        let is_free = |(limit, used): (&Option<u64>, u64)| limit.is_none_or(|most| used < most);
        let is_free = self.limits.iter().zip(used).all(is_free)
            && self.total.is_none_or(|most| self.state.total < most);
        if is_free {
            self.state.total += 1;
            for (_, used) in &mut self.state.periods {
                *used += 1;
            }
        }
        is_free
    }

    pub(super) fn state(&self) -> QuotaState {
        self.state.clone()
    }
}
