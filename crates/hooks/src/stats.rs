use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::lock;
use crate::limit::LimitKind;
use crate::queue::{DropReason, Ledger, Ledgers};

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
/// `evaluated = failed + not_fired + suppressed + held + fired` for this process, whenever
/// somebody looks, and `fired = delivered + queued + in_memory + dropped + dead` for each ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct HookStats {
    /// Name of the hook.
    pub hook: String,
    /// Images that were submitted, and those of the open window that an earlier process left.
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
    /// Deliveries of this process whose image was at the sink before; they count as delivered.
    pub already_there: u64,
    /// What became of the events that fired in this process.
    pub run: Ledger,
    /// What became of the events that earlier processes left in the queue: `fired` is how many
    /// there were when this process began.
    pub earlier: Ledger,
    /// Dead letters that could not be delivered in this process, whenever they fired.
    pub died: u64,
    /// All events, over all processes that worked on the queue if it is on disk.
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
            && [&self.run, &self.earlier, &self.ledger]
                .into_iter()
                .all(Ledger::balances)
    }

    /// Whether an event that fired now or waited from before was lost or could not be delivered in
    /// this process, or is in memory only. A person who removes events has not lost them.
    pub fn has_lost(&self) -> bool {
        let ledgers = [&self.run, &self.earlier];
        let lost = |ledger: &Ledger| {
            let discarded = ledger.dropped.get(&DropReason::Discarded).copied();
            ledger.in_memory > 0 || ledger.total_dropped() > discarded.unwrap_or(0)
        };
        self.died > 0 || ledgers.into_iter().any(lost)
    }
}

/// What became of an image; exactly one of these at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Failed,
    NotFired,
    Suppressed(LimitKind),
    Held,
    Fired,
}

/// The statistics of the images, which balance whenever they are unlocked.
#[derive(Debug, Clone, Default)]
struct Images {
    evaluated: u64,
    failed: u64,
    not_fired: u64,
    suppressed: BTreeMap<LimitKind, u64>,
    held: u64,
    fired: u64,
}

impl Images {
    /// Counts an image; returns the account with it.
    fn add(&mut self, account: Account) -> u64 {
        let count = match account {
            Account::Failed => &mut self.failed,
            Account::NotFired => &mut self.not_fired,
            Account::Suppressed(limit) => self.suppressed.entry(limit).or_default(),
            Account::Held => &mut self.held,
            Account::Fired => &mut self.fired,
        };
        *count += 1;
        *count
    }
}

/// The counters of one hook.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    images: Mutex<Images>,
    pub(crate) retried: AtomicU64,
    delivery: Buckets<{ DELIVERY_SECONDS.len() }>,
    scores: Buckets<{ SCORES.len() }>,
}

impl Counters {
    /// A new image was decided about; returns how many have come to the same.
    pub(crate) fn evaluated(&self, account: Account) -> u64 {
        let mut images = lock(&self.images);
        images.evaluated += 1;
        images.add(account)
    }

    /// An image that was held came to something; returns how many have come to the same.
    pub(crate) fn released(&self, account: Account) -> u64 {
        let mut images = lock(&self.images);
        images.held = images.held.saturating_sub(1);
        images.add(account)
    }

    /// Takes over images that an earlier process held.
    pub(crate) fn carried(&self, held: u64) {
        let mut images = lock(&self.images);
        images.evaluated += held;
        images.held += held;
    }

    pub(crate) fn scored(&self, score: f64) {
        self.scores.add(&SCORES, score);
    }

    pub(crate) fn delivered_in(&self, time: Duration) {
        self.delivery.add(&DELIVERY_SECONDS, time.as_secs_f64());
    }

    /// The counters together with what the queue knows.
    pub(crate) fn stats(&self, hook: &str, ledgers: Ledgers) -> HookStats {
        let images = lock(&self.images).clone();
        // A limit that held nothing back is shown as well.
        let zeros = LimitKind::ALL.map(|kind| (kind, 0));
        let suppressed = zeros.into_iter().chain(images.suppressed).collect();
        HookStats {
            hook: hook.to_owned(),
            evaluated: images.evaluated,
            failed: images.failed,
            not_fired: images.not_fired,
            suppressed,
            held: images.held,
            fired: images.fired,
            retried: self.retried.load(Relaxed),
            already_there: 0,
            run: ledgers.run,
            earlier: ledgers.earlier,
            died: ledgers.died,
            ledger: ledgers.total,
            memory_bytes: 0,
            disk_bytes: 0,
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
    fn an_image_is_in_one_account_and_a_missing_one_shows() {
        let counters = Counters::default();
        counters.carried(1);
        assert_eq!(counters.evaluated(Account::Failed), 1);
        assert_eq!(counters.evaluated(Account::Failed), 2);
        counters.evaluated(Account::Held);
        counters.released(Account::Suppressed(LimitKind::Quota));
        let mut stats = counters.stats("h", Ledgers::default());
        assert!(stats.balances());
        assert_eq!((stats.evaluated, stats.held, stats.failed), (4, 1, 2));
        stats.held = 0;
        assert!(!stats.balances());
    }

    #[test]
    fn histograms_cumulate() {
        let counters = Counters::default();
        for score in [0.05, 0.1, 0.95, 7.0] {
            counters.scored(score);
        }
        let scores = counters.stats("h", Ledgers::default()).scores;
        assert_eq!(scores.buckets[0], (0.1, 2));
        assert_eq!(scores.buckets[9], (1.0, 3));
        assert_eq!(scores.count, 4);
        assert!((scores.sum - 8.1).abs() < 1e-5);
    }
}
