//! How long the other side of a connection may keep us waiting.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// The other side was slower than the least rate for longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other side is too slow")]
pub(crate) struct TooSlow;

/// Time that the other side may still keep us waiting.
///
/// It begins with the whole patience. Waiting takes from it, and every byte that moves gives the
/// time back that it takes at the least rate, up to the whole patience. A pause of the length of
/// the patience ends a connection, and so does a trickle below the least rate.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    left: Duration,
    /// Bytes a second.
    rate: u64,
}

impl Allowance {
    fn moved(&mut self, bytes: usize, waited: Duration, patience: Duration) {
        let earned = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        let left = self.left.saturating_sub(waited);
        self.left = left.saturating_add(earned).min(patience);
    }
}

/// An [`Allowance`] with the clock that it goes by.
pub(super) struct Pace {
    allowance: Allowance,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new(patience: Duration, rate: u64) -> Self {
        Self {
            allowance: Allowance {
                left: patience,
                rate: rate.max(1),
            },
            since: None,
            timer: None,
        }
    }

    /// So many bytes have moved; `patience` is the whole of it.
    pub(super) fn moved(&mut self, bytes: usize, patience: Duration) {
        let waited = self.since.take().map(|since| since.elapsed());
        let waited = waited.unwrap_or_default();
        self.allowance.moved(bytes, waited, patience);
    }

    /// The other side keeps us waiting; ready when it has done so for too long.
    pub(super) fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<TooSlow> {
        let end = *self.since.get_or_insert_with(Instant::now) + self.allowance.left;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(context).map(|()| TooSlow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// How often `bytes` come after a pause before the allowance is used up, `None` for ever.
    fn endured(bytes: usize, pause: Duration) -> Option<usize> {
        let mut allowance = Allowance {
            left: PATIENCE,
            rate: 1000,
        };
        (0..10_000).find(|_| {
            let is_over = allowance.left <= pause;
            allowance.moved(bytes, pause, PATIENCE);
            is_over
        })
    }

    #[test]
    fn a_pause_and_a_trickle_end_and_a_steady_stream_does_not() {
        let second = Duration::from_secs(1);
        assert_eq!(
            endured(1 << 30, PATIENCE),
            Some(0),
            "a whole patience at once"
        );
        assert_eq!(endured(1, second), Some(10), "a byte a second");
        assert_eq!(
            endured(900, second),
            Some(90),
            "nine tenths of the least rate"
        );
        assert_eq!(endured(1000, second), None);
        assert_eq!(endured(9000, second * 9), None);
    }

    #[test]
    fn what_moved_quickly_buys_no_more_than_the_whole_patience() {
        let mut allowance = Allowance {
            left: PATIENCE,
            rate: 1000,
        };
        allowance.moved(1 << 30, Duration::ZERO, PATIENCE);
        assert_eq!(allowance.left, PATIENCE);
        allowance.moved(0, PATIENCE * 2, PATIENCE);
        assert_eq!(allowance.left, Duration::ZERO);
    }
}
