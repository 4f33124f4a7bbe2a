use serde::{Deserialize, Serialize};

use super::LimitTime;

/// By how much of an interval an image may come early: the jitter of clocks and cameras.
const TOLERANCE: f64 = 1e-3;

/// At most one image in each interval of a grid that starts with the first image.
///
/// The grid keeps the promised rate exactly: a stream that fires all the time for `s` seconds
/// at `r` a second gives `floor(s * r) + 1` images, the first of them at once. An idle time of
/// more than an interval starts the grid anew, so that nothing is saved up for a burst.
#[derive(Debug)]
pub(super) struct RateLimit {
    per_second: f64,
    state: RateState,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RateState {
    /// Start of the grid, in microseconds of limit time.
    anchor: i64,
    /// The first interval of the grid in which an image may pass; 0 before the first image.
    next: u64,
}

impl RateLimit {
    pub(super) fn new(per_second: f64, state: RateState) -> Self {
        Self { per_second, state }
    }

    /// The interval of the grid in which a time lies.
    fn slot(&self, now: LimitTime) -> u64 {
        let elapsed = now.0.saturating_sub(self.state.anchor) as f64;
        (elapsed * self.per_second / 1e6 + TOLERANCE) as u64
    }

    pub(super) fn allows(&self, now: LimitTime) -> bool {
        self.state.next == 0 || self.slot(now) >= self.state.next
    }

    /// Remembers an image that was allowed.
    pub(super) fn passed(&mut self, now: LimitTime) {
        let slot = self.slot(now);
        self.state = if self.state.next > 0 && slot == self.state.next {
            RateState {
                next: slot + 1,
                ..self.state
            }
        } else {
            RateState {
                anchor: now.0,
                next: 1,
            }
        };
    }

    pub(super) fn state(&self) -> RateState {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(per_second: f64, micros: impl IntoIterator<Item = i64>) -> usize {
        let mut limit = RateLimit::new(per_second, RateState::default());
        let mut admit = |now| {
            let allows = limit.allows(now);
            if allows {
                limit.passed(now);
            }
            allows
        };
        micros
            .into_iter()
            .filter(|at| admit(LimitTime(1_000 + at)))
            .count()
    }

    #[test]
    fn fifty_images_in_eight_seconds_at_one_a_second_give_nine() {
        assert_eq!(passed(1.0, (0..50).map(|i| i * 8_000_000 / 49)), 9);
    }

    #[test]
    fn a_stream_gives_its_seconds_and_one() {
        struct Case(f64, i64, usize);
        for Case(rate, seconds, expected) in [
            Case(1.0, 0, 1),
            Case(1.0, 1, 2),
            Case(0.5, 9, 5),
            Case(3.0, 2, 7),
            Case(30.0, 1, 31),
        ] {
            let frames = (0..=seconds * 1_000).map(|millis| millis * 1_000);
            assert_eq!(
                passed(rate, frames),
                expected,
                "{rate} a second for {seconds} s"
            );
        }
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        assert_eq!(
            passed(1.0, [0, 100_000_000, 100_000_001, 100_900_000, 101_000_000]),
            3
        );
    }
}
