//! Deliveries that were begun and wait to be finished together.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::action::Begun;
use crate::clock::lock;
use crate::event::Event;

/// With so many deliveries that wait, waiting for more gains nothing.
///
/// Threads that ask at the same time may begin one each beyond it.
const MOST: usize = 32;

/// Least time between two rounds that finish deliveries, unless as many as may wait do.
///
/// What a round costs is nearly the same for one event and for twenty, and inference pays for it
/// where it wants the whole processor.
const DISTANCE: Duration = Duration::from_millis(100);

/// One attempt to deliver an event.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) event: Arc<Event>,
    /// Attempts that failed before.
    pub(super) failed: u32,
    /// When this one began, in monotonic time.
    pub(super) since: Duration,
}

/// An attempt with what its action has begun.
#[derive(Debug)]
pub(super) struct BegunAttempt {
    pub(super) attempt: Attempt,
    pub(super) begun: Begun,
}

/// What of a hook's deliveries was begun and is not finished.
#[derive(Debug, Default)]
pub(super) struct Unfinished(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Vec<BegunAttempt>,
    is_finishing: bool,
    last_round: Option<Duration>,
}

/// What there is to finish for the one who asks.
pub(super) enum Round<'a> {
    /// Nothing, or somebody is at it.
    Nothing,
    /// Nothing before this time.
    Later(Duration),
    /// These, in the order in which they were begun.
    Now(Turn<'a>),
}

/// The right to finish deliveries, which one thread has at a time.
pub(super) struct Turn<'a> {
    unfinished: &'a Unfinished,
    pub(super) attempts: Vec<BegunAttempt>,
}

impl Unfinished {
    pub(super) fn push(&self, attempt: Attempt, begun: Begun) {
        lock(&self.0).waiting.push(BegunAttempt { attempt, begun });
    }

    /// Since when the oldest of them waits.
    pub(super) fn since(&self) -> Option<Duration> {
        let state = lock(&self.0);
        state.waiting.iter().map(|one| one.attempt.since).min()
    }

    /// Whether no more should be begun.
    pub(super) fn is_full(&self) -> bool {
        lock(&self.0).waiting.len() >= MOST
    }

    /// What waits and nobody is finishing, which is no longer known here.
    pub(super) fn take(&self) -> Vec<BegunAttempt> {
        std::mem::take(&mut lock(&self.0).waiting)
    }

    /// Hands out what waits if it is time, or at once to those in a hurry.
    pub(super) fn round(&self, now: Duration, in_a_hurry: bool) -> Round<'_> {
        let mut state = lock(&self.0);
        if state.waiting.is_empty() || state.is_finishing {
            return Round::Nothing;
        }
        let due = state.last_round.map(|last| last + DISTANCE);
        match due.filter(|due| *due > now) {
            Some(due) if !in_a_hurry && state.waiting.len() < MOST => Round::Later(due),
            _ => {
                state.is_finishing = true;
                state.last_round = Some(now);
                Round::Now(Turn {
                    unfinished: self,
                    attempts: std::mem::take(&mut state.waiting),
                })
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.unfinished.0).is_finishing = false;
    }
}
