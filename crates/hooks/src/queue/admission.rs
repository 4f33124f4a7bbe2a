use super::state::State;
use super::usage::{Room, Tier};
use super::{DropReason, Overflow, QueueOptions, Storage};

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
        if bytes > largest(&self.options) || self.options.max_events == 0 {
            return Admission::TurnAway(DropReason::TooLarge);
        }
        loop {
            if let Some(tier) = self.room(bytes) {
                return Admission::Enter(tier);
            }
            let overflow = self.options.overflow;
            match overflow {
                Overflow::Block => return Admission::Wait,
                Overflow::DropOldest if self.make_room(bytes) => {}
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
        let (usage, staged) = (self.usage(), self.usage()[Tier::Staged]);
        let fits_staged = staged.bytes + bytes <= options.max_staged_bytes;
        let used = self.used();
        let fits = used.events < options.max_events && used.bytes + bytes <= options.max_bytes;
        let spilled = staged.bytes + usage[Tier::Disk].bytes + bytes;
        match (options.storage, options.overflow) {
            (Storage::Memory, _) if fits => Some(Tier::Memory),
            (Storage::Memory, Overflow::Spill) => {
                (fits_staged && spilled <= options.max_spilled_bytes).then_some(Tier::Staged)
            }
            (Storage::Memory, _) => None,
            (Storage::Disk, _) => (fits && fits_staged).then_some(Tier::Staged),
        }
    }
}

/// The largest event that can ever enter, in bytes.
fn largest(options: &QueueOptions) -> u64 {
    match options.storage {
        Storage::Memory => options.max_bytes,
        Storage::Disk => options.max_bytes.min(options.max_staged_bytes),
    }
}
