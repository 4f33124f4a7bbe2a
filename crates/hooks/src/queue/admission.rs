use super::options::WhenFull;
use super::state::State;
use super::usage::{Room, Tier};
use super::{DropReason, Storage};

/// What the queue says to a new event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// There is room in this tier.
    Enter(Tier),
    /// There is no room now; the submitting thread waits for it.
    Wait,
    /// There is no room and the policy gives the event up.
    TurnAway(DropReason),
}

impl State {
    /// Decides about a new event of this many bytes in memory; may drop older ones for it.
    pub(super) fn admit(&mut self, bytes: u64) -> Admission {
        if self.closed {
            return Admission::TurnAway(DropReason::Closed);
        }
        loop {
            if let Some(tier) = self.room(bytes) {
                return Admission::Enter(tier);
            }
            let when_full = self.policy.when_full;
            match when_full {
                WhenFull::Wait => return Admission::Wait,
                WhenFull::DropAtDiskLimit if self.waits_for_disk(bytes) => return Admission::Wait,
                _ if self.is_too_large(bytes) => {
                    return Admission::TurnAway(DropReason::TooLarge);
                }
                WhenFull::DropOldest if self.make_room(bytes) => {}
                _ => return Admission::TurnAway(DropReason::QueueFull),
            }
        }
    }

    fn make_room(&mut self, bytes: u64) -> bool {
        let staged = self.usage()[Tier::Staged].bytes;
        let is_staged_full = staged + bytes > self.options.max_staged_bytes;
        match self.options.storage {
            Storage::Disk if is_staged_full => self.drop_oldest_staged(),
            _ => self.drop_oldest(),
        }
    }

    /// Whether somebody waits for room, or will soon: more than half of it is taken.
    pub(super) fn is_pressed(&self) -> bool {
        let (used, options) = (self.used(), &self.options);
        let is_half_full =
            used.events > options.max_events / 2 || used.bytes > options.max_bytes / 2;
        self.waiting > 0 || is_half_full
    }

    /// What counts against the limits of events and bytes.
    fn used(&self) -> Room {
        match self.options.storage {
            Storage::Memory => self.usage()[Tier::Memory],
            Storage::Disk => self.usage().total(),
        }
    }

    fn room(&self, bytes: u64) -> Option<Tier> {
        let options = &self.options;
        let fits = self.used().events < options.max_events
            && self.fits(self.used(), bytes, options.max_bytes);
        match options.storage {
            Storage::Memory if fits => Some(Tier::Memory),
            Storage::Memory => {
                (self.policy.spills && self.may_spill(bytes)).then_some(Tier::Staged)
            }
            Storage::Disk => (fits && self.may_stage(bytes)).then_some(Tier::Staged),
        }
    }

    /// Whether so many bytes more are within the bound; a single event is where events may wait.
    fn fits(&self, used: Room, bytes: u64, most: u64) -> bool {
        let waits_alone = used.events == 0 && self.lets_large_ones_wait();
        waits_alone || used.bytes + bytes <= most
    }

    fn lets_large_ones_wait(&self) -> bool {
        matches!(
            self.policy.when_full,
            WhenFull::Wait | WhenFull::DropAtDiskLimit
        )
    }

    fn may_stage(&self, bytes: u64) -> bool {
        self.fits(
            self.usage()[Tier::Staged],
            bytes,
            self.options.max_staged_bytes,
        )
    }

    fn may_spill(&self, bytes: u64) -> bool {
        self.may_stage(bytes) && !self.is_disk_full(bytes)
    }

    /// Whether the limit of what may be on disk is reached.
    fn is_disk_full(&self, bytes: u64) -> bool {
        let usage = self.usage();
        match self.options.storage {
            Storage::Memory => {
                let spilled = usage[Tier::Staged].bytes + usage[Tier::Disk].bytes + bytes;
                spilled > self.options.max_spilled_bytes
            }
            Storage::Disk => {
                let used = usage.total();
                used.events >= self.options.max_events
                    || used.bytes + bytes > self.options.max_bytes
            }
        }
    }

    /// Whether there will be room as soon as the disk has written what is on its way there.
    fn waits_for_disk(&self, bytes: u64) -> bool {
        let goes_to_disk = self.policy.spills || self.options.storage == Storage::Disk;
        goes_to_disk && !self.disk_fails && !self.is_disk_full(bytes)
    }

    /// Whether the event could never enter.
    fn is_too_large(&self, bytes: u64) -> bool {
        let options = &self.options;
        let largest = match options.storage {
            Storage::Memory => options.max_bytes,
            Storage::Disk => options.max_bytes.min(options.max_staged_bytes),
        };
        options.max_events == 0 || (bytes > largest && !self.lets_large_ones_wait())
    }
}
