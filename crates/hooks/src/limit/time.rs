use std::time::Duration;

use straylight_core::Timestamp;

/// Microseconds since 1970 as limits count them: set by the wall clock once, at the start of the
/// process, and moved by the monotonic clock from then on.
///
/// A wall clock that jumps while the process runs changes nothing. After a restart the time is
/// at least the last one that was remembered, so intervals never come out negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LimitTime(pub(crate) i64);

/// Makes [`LimitTime`]s from monotonic ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitClock {
    start: i64,
    monotonic_at_start: Duration,
}

impl LimitClock {
    /// Starts at the wall clock's time, or at the last remembered one if that is later.
    pub(crate) fn start(wall: Timestamp, monotonic: Duration, remembered: Option<i64>) -> Self {
        let start = wall.as_microsecond().max(remembered.unwrap_or(i64::MIN));
        Self {
            start,
            monotonic_at_start: monotonic,
        }
    }

    pub(crate) fn at(&self, monotonic: Duration) -> LimitTime {
        let since = monotonic
            .saturating_sub(self.monotonic_at_start)
            .as_micros();
        LimitTime(
            self.start
                .saturating_add(i64::try_from(since).unwrap_or(i64::MAX)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_the_later_of_wall_clock_and_memory() {
        let at = |remembered| {
            let wall = Timestamp::from_microsecond(100).unwrap();
            let clock = LimitClock::start(wall, Duration::from_micros(7), remembered);
            clock.at(Duration::from_micros(9)).0
        };
        assert_eq!(at(None), 102);
        assert_eq!(at(Some(50)), 102);
        assert_eq!(at(Some(500)), 502);
    }
}
