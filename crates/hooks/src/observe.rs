use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use straylight_core::Frame;

use crate::event::{Event, EventId};
use crate::limit::LimitKind;
use crate::queue::DropReason;

/// What became of an image that was submitted to one hook.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The trigger could not score the image.
    Failed {
        /// What it said.
        error: String,
    },
    /// The trigger saw no reason to act.
    NotFired {
        /// The trigger's score; higher is more reason to act.
        score: f64,
    },
    /// The trigger fired and a limit held the image back.
    Suppressed {
        /// The trigger's score.
        score: f64,
        /// The limit.
        limit: LimitKind,
    },
    /// The image may be among the best of its window; it fires or not when the window ends.
    Held {
        /// The trigger's score.
        score: f64,
    },
    /// The event waits for its delivery, or is delivered already.
    Queued {
        /// The trigger's score.
        score: f64,
        /// The event.
        id: EventId,
    },
    /// The event fired and found no room.
    Dropped {
        /// The trigger's score.
        score: f64,
        /// Why it was given up.
        reason: DropReason,
    },
}

impl Outcome {
    /// The trigger's score, unless it failed.
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Failed { .. } => None,
            Self::NotFired { score }
            | Self::Suppressed { score, .. }
            | Self::Held { score }
            | Self::Queued { score, .. }
            | Self::Dropped { score, .. } => Some(*score),
        }
    }

    /// Whether the trigger fired and the limits let the image through.
    pub fn is_fired(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Dropped { .. })
    }
}

/// Is told what happens to images and events; every method does nothing by default.
///
/// Called on the thread on which it happens, never under a lock, so it may call back into the
/// hooks; it should be fast. What it does not tell, because it panics, is logged.
pub trait Observer: Send + Sync {
    /// A hook decided about an image.
    fn decided(&self, _hook: &str, _frame: &Frame, _outcome: &Outcome) {}

    /// An event is on disk and survives a crash from now on.
    fn accepted(&self, _hook: &str, _id: EventId) {}

    /// An event is at its sink.
    fn delivered(&self, _hook: &str, _event: &Event) {}

    /// An event became a dead letter.
    fn died(&self, _hook: &str, _id: EventId, _error: &str) {}
}

/// An observer whose panics harm neither inference nor deliveries.
#[derive(Clone)]
pub(crate) struct Guarded(pub(crate) Arc<dyn Observer>);

impl Guarded {
    pub(crate) fn decided(&self, hook: &str, frame: &Frame, outcome: &Outcome) {
        self.tell("decided", hook, |observer| {
            observer.decided(hook, frame, outcome);
        });
    }

    pub(crate) fn accepted(&self, hook: &str, id: EventId) {
        self.tell("accepted", hook, |observer| observer.accepted(hook, id));
    }

    pub(crate) fn delivered(&self, hook: &str, event: &Event) {
        self.tell("delivered", hook, |observer| {
            observer.delivered(hook, event);
        });
    }

    pub(crate) fn died(&self, hook: &str, id: EventId, error: &str) {
        self.tell("died", hook, |observer| observer.died(hook, id, error));
    }

    fn tell(&self, what: &str, hook: &str, tell: impl FnOnce(&dyn Observer)) {
        if catch_unwind(AssertUnwindSafe(|| tell(self.0.as_ref()))).is_err() {
            tracing::error!(hook, what, "the observer of the hooks panicked");
        }
    }
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
