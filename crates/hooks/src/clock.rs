//! Time, handed in: a wall clock for stamps, a monotonic one for waiting and for intervals.
//!
//! Nothing in this crate asks the operating system for the time or sleeps by itself. A test
//! drives a [`ManualClock`]; a replay sets it to the time of each frame.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use straylight_core::Timestamp;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock; it may jump in either direction.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process; it never goes back.
    fn monotonic(&self) -> Duration;

    /// Returns when the signal was raised after `seen` was read from it, or when
    /// [`Clock::monotonic`] has reached `until`; it may return earlier without cause.
    fn wait(&self, signal: &Signal, seen: u64, until: Option<Duration>);
}

/// Wakes those who wait through a [`Clock`]; clones are the same signal.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<(Mutex<u64>, Condvar)>);

impl Signal {
    /// A number that changes whenever the signal is raised; read it before looking for work.
    pub fn seen(&self) -> u64 {
        *lock(&self.0.0)
    }

    /// Wakes everyone who waits.
    pub fn raise(&self) {
        *lock(&self.0.0) += 1;
        self.0.1.notify_all();
    }

    fn wait(&self, seen: u64, at_most: Option<Duration>) {
        let mut raised = lock(&self.0.0);
        let start = Instant::now();
        while *raised == seen {
            raised = match at_most.map(|limit| limit.checked_sub(start.elapsed())) {
                None => self
                    .0
                    .1
                    .wait(raised)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(None) => return,
                Some(Some(left)) => {
                    let woken = self.0.1.wait_timeout(raised, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// The clocks of the machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn wait(&self, signal: &Signal, seen: u64, until: Option<Duration>) {
        signal.wait(
            seen,
            until.map(|time| time.saturating_sub(self.monotonic())),
        );
    }
}

/// A clock that stands still until it is moved; clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Manual>>);

#[derive(Debug)]
struct Manual {
    wall: Timestamp,
    monotonic: Duration,
    waiting: Vec<Signal>,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn new(wall: Timestamp) -> Self {
        let state = Manual {
            wall,
            monotonic: Duration::ZERO,
            waiting: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Moves both clocks forward and wakes those who waited for it.
    pub fn advance(&self, by: Duration) {
        let mut state = lock(&self.0);
        state.monotonic += by;
        state.wall = state.wall.checked_add(by).unwrap_or(Timestamp::MAX);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.iter().for_each(Signal::raise);
    }

    /// Moves both clocks forward to a time of the wall clock; an earlier time changes nothing.
    pub fn advance_to(&self, wall: Timestamp) {
        let ahead = wall.duration_since(self.now());
        if let Ok(by) = Duration::try_from(ahead) {
            self.advance(by);
        }
    }

    /// Lets the wall clock jump, as a time server or a person may do; monotonic time stands.
    pub fn jump_wall(&self, to: Timestamp) {
        lock(&self.0).wall = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        lock(&self.0).wall
    }

    fn monotonic(&self) -> Duration {
        lock(&self.0).monotonic
    }

    fn wait(&self, signal: &Signal, seen: u64, until: Option<Duration>) {
        let mut state = lock(&self.0);
        if until.is_some_and(|time| time <= state.monotonic) {
            return;
        }
        state.waiting.push(signal.clone());
        drop(state);
        signal.wait(seen, None);
    }
}

/// Locks a mutex whatever became of the thread that held it last.
///
/// What the mutexes of this crate guard is consistent between any two statements, and foreign
/// code (triggers, actions, observers) never runs under one.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_wakes_who_waits() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let signal = Signal::default();
        let seen = signal.seen();
        std::thread::scope(|scope| {
            scope.spawn(|| clock.wait(&signal, seen, Some(Duration::from_secs(1))));
            while lock(&clock.0).waiting.is_empty() {
                std::thread::yield_now();
            }
            clock.advance(Duration::from_secs(1));
        });
        assert_eq!(clock.monotonic(), Duration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_second(1).unwrap());
    }

    #[test]
    fn the_wall_jumps_and_monotonic_time_does_not() {
        let clock = ManualClock::new(Timestamp::from_second(100).unwrap());
        clock.jump_wall(Timestamp::from_second(40).unwrap());
        assert_eq!(clock.monotonic(), Duration::ZERO);
        clock.advance_to(Timestamp::from_second(30).unwrap());
        assert_eq!(clock.now(), Timestamp::from_second(40).unwrap());
    }

    #[test]
    fn a_signal_raised_before_waiting_is_not_missed() {
        let clock = SystemClock::default();
        let signal = Signal::default();
        let seen = signal.seen();
        signal.raise();
        clock.wait(&signal, seen, None);
    }
}
