use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::limit::LimitKind;
use crate::queue::Ledger;

/// Upper bounds, in seconds, of the buckets of delivery times.
pub const DELIVERY_SECONDS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// Upper bounds of the buckets of trigger scores.
pub const SCORES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Numbers of values at or below each bound, and of all values with their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Upper bound of each bucket with the number of values at or below it.
    pub buckets: Vec<(f64, u64)>,
    /// Number of all values.
    pub count: u64,
    /// Sum of all values.
    pub sum: f64,
}

/// What one hook has done.
///
/// `evaluated = failed + not_fired + suppressed + held + fired` for this process, and
/// `fired = delivered + queued + dropped + dead` for the ledger, which outlives the process when
/// the queue is on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct HookStats {
    /// Name of the hook.
    pub hook: String,
    /// Images that were submitted.
    pub evaluated: u64,
    /// Images that the trigger could not score.
    pub failed: u64,
    /// Images for which the trigger saw no reason to act.
    pub not_fired: u64,
    /// Images that a limit held back.
    pub suppressed: BTreeMap<LimitKind, u64>,
    /// Images that wait for the end of their window, see
    /// [`LimitOptions::best_of`](crate::LimitOptions::best_of).
    pub held: u64,
    /// Events that went to the queue since this process started.
    pub fired: u64,
    /// Failed deliveries that were tried again.
    pub retried: u64,
    /// The books of the queue.
    pub ledger: Ledger,
    /// Bytes of waiting events in memory.
    pub memory_bytes: u64,
    /// Bytes of waiting events on disk.
    pub disk_bytes: u64,
    /// Whether the sink is being left alone because it keeps failing.
    pub breaker_open: bool,
    /// Seconds that successful deliveries took.
    pub delivery_seconds: Histogram,
    /// Scores that the trigger gave.
    pub scores: Histogram,
}

impl HookStats {
    /// Whether no image and no event is missing or counted twice.
    pub fn balances(&self) -> bool {
        let suppressed: u64 = self.suppressed.values().sum();
        self.evaluated == self.failed + self.not_fired + suppressed + self.held + self.fired
            && self.ledger.balances()
    }
}

/// The counters of one hook, bumped without a lock.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) failed: AtomicU64,
    pub(crate) not_fired: AtomicU64,
    pub(crate) fired: AtomicU64,
    pub(crate) retried: AtomicU64,
    suppressed: [AtomicU64; LimitKind::ALL.len()],
    delivery: Buckets<{ DELIVERY_SECONDS.len() }>,
    scores: Buckets<{ SCORES.len() }>,
}

impl Counters {
    pub(crate) fn suppressed(&self, limit: LimitKind) {
        for (kind, counter) in LimitKind::ALL.iter().zip(&self.suppressed) {
            if *kind == limit {
                counter.fetch_add(1, Relaxed);
            }
        }
    }

    pub(crate) fn scored(&self, score: f64) {
        self.scores.add(&SCORES, score);
    }

    pub(crate) fn delivered_in(&self, time: Duration) {
        self.delivery.add(&DELIVERY_SECONDS, time.as_secs_f64());
    }

    /// The counters together with what the queue knows.
    pub(crate) fn stats(
        &self,
        hook: &str,
        held: u64,
        (ledger, memory, disk): (Ledger, u64, u64),
    ) -> HookStats {
        let counts = LimitKind::ALL
            .iter()
            .zip(self.suppressed.iter().map(|n| n.load(Relaxed)));
        let suppressed: BTreeMap<_, _> = counts.map(|(kind, count)| (*kind, count)).collect();
        let [failed, not_fired, fired] =
            [&self.failed, &self.not_fired, &self.fired].map(|n| n.load(Relaxed));
        HookStats {
            hook: hook.to_owned(),
            evaluated: failed + not_fired + fired + held + suppressed.values().sum::<u64>(),
            failed,
            not_fired,
            suppressed,
            held,
            fired,
            retried: self.retried.load(Relaxed),
            ledger,
            memory_bytes: memory,
            disk_bytes: disk,
            breaker_open: false,
            delivery_seconds: self.delivery.histogram(&DELIVERY_SECONDS),
            scores: self.scores.histogram(&SCORES),
        }
    }
}

/// A histogram that several threads fill; the sum is kept in millionths.
#[derive(Debug)]
struct Buckets<const N: usize> {
    counts: [AtomicU64; N],
    above: AtomicU64,
    sum_micros: AtomicU64,
}

impl<const N: usize> Default for Buckets<N> {
    fn default() -> Self {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Self {
            counts,
            above: AtomicU64::new(0),
            sum_micros: AtomicU64::new(0),
        }
    }
}

impl<const N: usize> Buckets<N> {
    fn add(&self, bounds: &[f64; N], value: f64) {
        let bucket = bounds
            .iter()
            .zip(&self.counts)
            .find(|(bound, _)| value <= **bound);
        bucket
            .map_or(&self.above, |(_, count)| count)
            .fetch_add(1, Relaxed);
        self.sum_micros
            .fetch_add((value.max(0.0) * 1e6) as u64, Relaxed);
    }

    fn histogram(&self, bounds: &[f64; N]) -> Histogram {
        let mut count = 0;
        let mut cumulate = |counter: &AtomicU64| {
            count += counter.load(Relaxed);
            count
        };
        let buckets = bounds
            .iter()
            .zip(&self.counts)
            .map(|(b, n)| (*b, cumulate(n)))
            .collect();
        let count = cumulate(&self.above);
        Histogram {
            buckets,
            count,
            sum: self.sum_micros.load(Relaxed) as f64 / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_cumulate() {
        let counters = Counters::default();
        for score in [0.05, 0.1, 0.95, 7.0] {
            counters.scored(score);
        }
        let scores = counters.stats("h", 0, Default::default()).scores;
        assert_eq!(scores.buckets[0], (0.1, 2));
        assert_eq!(scores.buckets[9], (1.0, 3));
        assert_eq!(scores.count, 4);
        assert!((scores.sum - 8.1).abs() < 1e-5);
    }
}
