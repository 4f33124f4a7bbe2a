use std::ops::{Index, IndexMut};

/// Where an event of a queue takes its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// In memory, and meant to stay there.
    Memory,
    /// In memory, on its way to the disk.
    Staged,
    /// On disk.
    Disk,
}

/// Number and bytes of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) events: usize,
    pub(super) bytes: u64,
}

impl Room {
    pub(super) fn add(&mut self, bytes: u64) {
        self.events += 1;
        self.bytes += bytes;
    }

    pub(super) fn subtract(&mut self, bytes: u64) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// What the waiting events take in each tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    memory: Room,
    staged: Room,
    disk: Room,
}

impl Usage {
    /// All tiers together.
    pub(super) fn total(&self) -> Room {
        let parts = [self.memory, self.staged, self.disk];
        Room {
            events: parts.iter().map(|part| part.events).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
        }
    }
}

impl Index<Tier> for Usage {
    type Output = Room;

    fn index(&self, tier: Tier) -> &Room {
        match tier {
            Tier::Memory => &self.memory,
            Tier::Staged => &self.staged,
            Tier::Disk => &self.disk,
        }
    }
}

impl IndexMut<Tier> for Usage {
    fn index_mut(&mut self, tier: Tier) -> &mut Room {
        match tier {
            Tier::Memory => &mut self.memory,
            Tier::Staged => &mut self.staged,
            Tier::Disk => &mut self.disk,
        }
    }
}
