use std::collections::BTreeMap;

use super::DropReason;

/// The books of a queue: every event that fired is in exactly one of the other accounts.
///
/// `fired = delivered + queued + dropped + dead` holds in every ledger that a queue hands out.
/// For a queue on disk the accounts go on where the last process left them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Events whose trigger fired and that passed the limits.
    pub fired: u64,
    /// Events that are at their sink.
    pub delivered: u64,
    /// Events that wait or are being delivered.
    pub queued: u64,
    /// Events that were given up by policy, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Events that could not be delivered and are kept for a person to decide.
    pub dead: u64,
}

impl Ledger {
    /// Whether no event is missing and none is counted twice.
    pub fn balances(&self) -> bool {
        self.fired == self.delivered + self.queued + self.total_dropped() + self.dead
    }

    /// Events that were given up, whatever the reason.
    pub fn total_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// The accounts that only grow: what a queue on disk keeps beside its events.
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
