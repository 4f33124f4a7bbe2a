use serde::{Deserialize, Serialize};

/// What happens to an event when its queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The thread that submitted the image waits until there is room. Inference slows down.
    Block,
    /// The oldest event that is not being delivered makes room.
    DropOldest,
    /// The new event is dropped.
    DropNewest,
    /// What finds no room in memory is kept on disk; when that is full too, it is dropped.
    Spill,
}

/// Where events wait for their delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// In memory: fast; a crash loses what waits.
    Memory,
    /// On disk: an accepted event survives a crash and a power cut.
    Disk,
}

/// Bounds of a queue and what happens at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueOptions {
    /// Where events wait.
    pub storage: Storage,
    /// What happens when there is no room.
    pub overflow: Overflow,
    /// Most events that wait or are being delivered (in memory, for [`Overflow::Spill`]).
    pub max_events: usize,
    /// Most bytes of all events together: in memory for [`Storage::Memory`], else on disk.
    pub max_bytes: u64,
    /// Most bytes of events on their way to the disk, and of spilled ones in memory.
    pub max_staged_bytes: u64,
    /// Most bytes on disk of events that were spilled.
    pub max_spilled_bytes: u64,
    /// Most dead letters; beyond, the oldest is dropped.
    pub max_dead: usize,
}

impl QueueOptions {
    /// 1,000 events or 256 MiB in memory.
    pub const MEMORY: Self = Self {
        storage: Storage::Memory,
        overflow: Overflow::DropOldest,
        max_events: 1_000,
        max_bytes: 256 << 20,
        max_staged_bytes: 64 << 20,
        max_spilled_bytes: 4 << 30,
        max_dead: 1_000,
    };

    /// 100,000 events or 4 GiB on disk, and at most 64 MiB on their way there.
    pub const DISK: Self = Self {
        storage: Storage::Disk,
        overflow: Overflow::DropOldest,
        max_events: 100_000,
        max_bytes: 4 << 30,
        max_dead: 100_000,
        ..Self::MEMORY
    };

    /// Whether any event may be kept on disk.
    pub fn needs_disk(&self) -> bool {
        self.storage == Storage::Disk || self.overflow == Overflow::Spill
    }
}

/// Why an event was given up before it was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full and the event was the newest.
    QueueFull,
    /// The queue was full and the event was the oldest.
    Displaced,
    /// The event alone is larger than the queue may grow.
    TooLarge,
    /// The image could not be encoded for the disk.
    Unencodable,
    /// The dead letters were full and the event was the oldest of them.
    DeadLettersFull,
    /// A person removed it.
    Discarded,
    /// The hook was removed, or was not yet there, while the event waited in memory.
    Closed,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::QueueFull,
        Self::Displaced,
        Self::TooLarge,
        Self::Unencodable,
        Self::DeadLettersFull,
        Self::Discarded,
        Self::Closed,
    ];

    /// The reason in metrics and in the queue's file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Displaced => "displaced",
            Self::TooLarge => "too_large",
            Self::Unencodable => "unencodable",
            Self::DeadLettersFull => "dead_letters_full",
            Self::Discarded => "discarded",
            Self::Closed => "closed",
        }
    }
}
