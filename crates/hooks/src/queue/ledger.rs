use std::collections::BTreeMap;

use super::DropReason;

/// The statistics of a queue: every event that fired is counted in exactly one other place.
///
/// `fired = delivered + queued + in_memory + dropped + dead` holds whenever somebody looks. Once
/// the hooks have ended, nothing is in memory any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Events whose trigger fired and that passed the limits.
    pub fired: u64,
    /// Events that are at their sink.
    pub delivered: u64,
    /// Events that wait or are being delivered and are safe on disk: a crash does not lose them.
    pub queued: u64,
    /// Events that wait or are being delivered and are in memory only.
    pub in_memory: u64,
    /// Events that were given up, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Events that could not be delivered and are kept for a person to decide.
    pub dead: u64,
}

impl Ledger {
    /// Whether no event is missing and none is counted twice.
    pub fn balances(&self) -> bool {
        self.fired == self.delivered + self.waiting() + self.total_dropped() + self.dead
    }

    /// Events that wait or are being delivered, wherever they are.
    pub fn waiting(&self) -> u64 {
        self.queued + self.in_memory
    }

    /// Events that were given up, whatever the reason.
    pub fn total_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    pub(super) fn of(totals: &Totals) -> Self {
        Self {
            fired: totals.fired,
            delivered: totals.delivered,
            dropped: totals.dropped.clone(),
            ..Self::default()
        }
    }

    pub(super) fn count_waiting(&mut self, is_durable: bool) {
        if is_durable {
            self.queued += 1;
        } else {
            self.in_memory += 1;
        }
    }
}

/// The statistics of a queue, told apart by when its events fired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledgers {
    /// All events of the queue, over all processes that worked on its folder.
    pub(crate) total: Ledger,
    /// Events that fired in this process.
    pub(crate) run: Ledger,
    /// Events that earlier processes left behind: `fired` is how many there were.
    pub(crate) earlier: Ledger,
    /// Dead letters that died in this process.
    pub(crate) died: u64,
}

impl Ledgers {
    pub(super) fn part(&mut self, is_earlier: bool) -> &mut Ledger {
        if is_earlier {
            &mut self.earlier
        } else {
            &mut self.run
        }
    }
}

/// The numbers that only grow: what a queue on disk keeps beside its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) fired: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: BTreeMap<DropReason, u64>,
}

impl Totals {
    pub(crate) fn drop_one(&mut self, reason: DropReason) {
        *self.dropped.entry(reason).or_default() += 1;
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.fired += other.fired;
        self.delivered += other.delivered;
        for (reason, count) in &other.dropped {
            *self.dropped.entry(*reason).or_default() += count;
        }
    }
}
