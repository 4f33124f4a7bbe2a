//! The best of a window: events that are chosen later, and kept over a crash meanwhile.

use std::sync::Arc;

use straylight_core::Timestamp;

use super::Runner;
use crate::event::Event;
use crate::limit::{LimitKind, Offer};
use crate::observe::Outcome;
use crate::queue::JournalError;
use crate::stats::{Account, Counters};

impl Runner {
    /// Whether the open window outlives the process.
    pub(super) fn keeps_window(&self) -> bool {
        self.queue.is_durable() && self.judge().limits.has_lasting_window()
    }

    /// Goes on with the window that an earlier process left open.
    ///
    /// A hook that chooses no longer forgets the candidates.
    pub(super) fn resume_window(&self) {
        if !self.queue.is_durable() || self.judge().limits.is_of_recordings() {
            return;
        }
        let candidates = self.queue.resume_held();
        let count = candidates.len();
        let unwanted = self.judge().limits.resume(&self.world, candidates);
        self.counters.carried((count - unwanted.len()) as u64);
        if !unwanted.is_empty() {
            let count = unwanted.len();
            tracing::info!(hook = %self.name, count, "the window now has less room");
        }
        for event in unwanted {
            self.queue.unhold(event.id);
        }
    }

    pub(super) fn count_offer(&self, offer: &Offer<Arc<Event>>) {
        let account = match offer {
            Offer::Held => Account::Held,
            Offer::HeldForAnother(_) | Offer::Refused => Account::Suppressed(LimitKind::BestOf),
        };
        self.counters.evaluated(account);
    }

    /// An image that takes part in the choice of the best of a window.
    pub(super) fn offered(self: &Arc<Self>, offer: Offer<Arc<Event>>, score: f64) -> Outcome {
        match offer {
            Offer::Held => {}
            Offer::HeldForAnother(other) => self.queue.unhold(other.id),
            Offer::Refused => {
                let limit = LimitKind::BestOf;
                return Outcome::Suppressed { score, limit };
            }
        }
        if self.keeps_window() {
            self.queue.work.raise();
            self.wake_spooler();
        }
        Outcome::Held { score }
    }

    /// Fires the best images of a window that is over when an image taken at this time comes, or
    /// of the open one.
    pub(crate) fn release_held(self: &Arc<Self>, captured_at: Option<Timestamp>) {
        for event in self.judge().limits.release(&self.world, captured_at) {
            self.fire(event, Counters::released);
        }
    }

    /// Writes candidates to the disk that are not there yet; returns how many there were.
    pub(super) fn keep_window(&self) -> Result<usize, JournalError> {
        if !self.keeps_window() {
            return Ok(0);
        }
        let candidates = self.judge().limits.candidates();
        let limits = || self.judge().limits.to_keep();
        let is_wanted = |id| self.judge().limits.is_candidate(id);
        self.queue.hold(candidates, limits, is_wanted)
    }
}
