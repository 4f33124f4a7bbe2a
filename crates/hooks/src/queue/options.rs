use serde::{Deserialize, Serialize};

/// What happens to an event when its queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// Decided by where the images come from, see [`SourceKind`].
    #[default]
    Auto,
    /// The thread that submitted the image waits until there is room. Inference slows down.
    #[serde(alias = "block")]
    Wait,
    /// What finds no room in memory is kept on disk. When that is full too, a source that can
    /// wait waits, and the new event of a live source is dropped.
    Spill,
    /// The oldest event that is not being delivered makes room: it is lost.
    DropOldest,
    /// The new event is dropped: it is lost.
    DropNewest,
}

/// Where the images of a set of hooks come from, which decides what [`Overflow::Auto`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// Whoever calls `infer`. A full queue spills to disk where there is a folder for it, and
    /// makes the caller wait where there is none or it is full too.
    #[default]
    Unknown,
    /// Something that can be read later, such as files or a recorded video: a full queue makes it
    /// wait.
    CanWait,
    /// A camera or a stream, which does not wait: a full queue spills to disk, and drops new
    /// events at the limit of the disk.
    Live,
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
///
/// Bytes count what is held: the image's file, or its pixels where there is no file, and what the
/// model said about it. An event that is larger than a bound waits alone, unless the policy is to
/// drop events.
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
    /// Most dead letters; beyond, the oldest is dropped, and a warning says so.
    pub max_dead: usize,
}

impl QueueOptions {
    /// 1,000 events or 256 MiB in memory.
    pub const MEMORY: Self = Self {
        storage: Storage::Memory,
        overflow: Overflow::Auto,
        max_events: 1_000,
        max_bytes: 256 << 20,
        max_staged_bytes: 64 << 20,
        max_spilled_bytes: 4 << 30,
        max_dead: 1_000,
    };

    /// 100,000 events or 4 GiB on disk, and at most 64 MiB on their way there.
    pub const DISK: Self = Self {
        storage: Storage::Disk,
        overflow: Overflow::Auto,
        max_events: 100_000,
        max_bytes: 4 << 30,
        max_dead: 100_000,
        ..Self::MEMORY
    };

    /// Whether the queue works only with a folder on disk.
    pub fn needs_disk(&self) -> bool {
        self.storage == Storage::Disk || self.overflow == Overflow::Spill
    }
}

/// What [`Overflow`] comes to for one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether what finds no room in memory goes to the disk.
    pub(super) spills: bool,
    /// What happens when there is no room there either.
    pub(super) when_full: WhenFull,
}

/// What happens to an event for which there is no room at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenFull {
    Wait,
    DropOldest,
    DropNewest,
    /// Waits for a disk that is only slow; drops the event at the limit of the disk, and while it
    /// does not work.
    DropAtDiskLimit,
}

impl Policy {
    pub(crate) fn of(overflow: Overflow, source: SourceKind, has_disk: bool) -> Self {
        let full_disk = match source {
            SourceKind::Live => WhenFull::DropAtDiskLimit,
            SourceKind::Unknown | SourceKind::CanWait => WhenFull::Wait,
        };
        let (spills, when_full) = match (overflow, source) {
            (Overflow::Wait, _) | (Overflow::Auto, SourceKind::CanWait) => (false, WhenFull::Wait),
            (Overflow::DropOldest, _) => (false, WhenFull::DropOldest),
            (Overflow::DropNewest, _) => (false, WhenFull::DropNewest),
            (Overflow::Spill | Overflow::Auto, _) => (has_disk, full_disk),
        };
        Self { spills, when_full }
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
    /// The hook ended while the event was only in memory.
    Closed,
    /// The queue was full and nothing was delivered for as long as the hooks may stall.
    Stalled,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::Displaced,
        Self::TooLarge,
        Self::Unencodable,
        Self::DeadLettersFull,
        Self::Discarded,
        Self::Closed,
        Self::Stalled,
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
            Self::Stalled => "stalled",
        }
    }

    /// The reason in words, after "was dropped: ".
    pub fn in_words(self) -> &'static str {
        match self {
            Self::QueueFull => "its queue was full, and the newest event goes",
            Self::Displaced => "its queue was full, and the oldest event goes",
            Self::TooLarge => "it is larger than its queue may grow",
            Self::Unencodable => "its image could not be encoded for the disk",
            Self::DeadLettersFull => "there were too many dead letters, and the oldest goes",
            Self::Discarded => "somebody removed it",
            Self::Closed => "it was only in memory when the hook ended",
            Self::Stalled => "its queue was full, and nothing was delivered for too long",
        }
    }
}
