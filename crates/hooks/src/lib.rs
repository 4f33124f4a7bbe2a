//! Post-inference hooks: what happens to an image after a deployment has seen it.
//!
//! A [`PostInferenceHook`] is a [`Trigger`], limits, and an [`Action`]. A [`HookSet`] is given
//! every image with its prediction and costs inference next to nothing:
//!
//! ```text
//! image -> trigger: score, decision -> limits -> queue (memory or disk) -> worker -> action
//! ```
//!
//! Nothing is lost unless somebody asked for it or a disk is full, and then it is said; nothing is
//! doubled. The counters prove it: for every hook, at any moment, fired = delivered + queued + in
//! memory + dropped + dead letters (see [`Ledger`]).

pub mod action;
pub mod clock;
pub mod config;
mod delivery;
mod event;
mod hook;
mod limit;
mod metrics;
mod observe;
mod open_queue;
mod queue;
mod random;
mod replay;
mod runner;
mod set;
mod stats;
#[cfg(test)]
mod testing;
pub mod trigger;

pub use action::{Action, ActionError, ActionErrorKind, Begun, Delivery, DeliveryProgress};
pub use delivery::{BreakerOptions, RetryOptions};
pub use event::{Event, EventId, EventIdError, KeyPolicy, Picture, PictureError};
pub use hook::{HookOptions, PostInferenceHook};
pub use limit::{BestOfOptions, LimitKind, LimitOptions, NearDuplicateOptions, SameObjectOptions};
pub use metrics::{render_prometheus, render_prometheus_of};
pub use observe::{NoObserver, Observer, Outcome};
pub use queue::{
    DeadLetter, DropReason, JournalError, Ledger, Overflow, QueueFolder, QueueOptions,
    QueuedDetails, QueuedEvent, SourceKind, Storage,
};
pub use random::{Random, SeededRandom};
pub use replay::{Replay, ReplayDifference, ReplayReport, ReplayedImage, compare_replays};
pub use set::{DrainOptions, HookError, HookSet, HookSetOptions, LimitTimes, LostImage};
pub use stats::{DELIVERY_SECONDS, Histogram, HookStats, SCORES};
pub use trigger::{Needs, Trigger, TriggerError};
