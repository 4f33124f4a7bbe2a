use std::time::Duration;

use crate::random::Random;

/// How often and how fast a failed delivery is tried again.
///
/// The wait before attempt `n + 1` is `initial * 2^(n-1)`, at most `longest`, of which a random
/// half is taken off ("equal jitter"), and never less than the sink asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOptions {
    /// Wait after the first failure, before jitter.
    pub initial: Duration,
    /// Longest wait, before jitter.
    pub longest: Duration,
    /// Attempts after which an event becomes a dead letter; at least 1.
    pub max_attempts: u32,
}

impl Default for RetryOptions {
    /// Half a second, doubling up to five minutes, 20 attempts: about an hour in all.
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(500),
            longest: Duration::from_secs(300),
            max_attempts: 20,
        }
    }
}

impl RetryOptions {
    /// How long to wait after the `attempts`-th failure.
    pub(crate) fn wait(
        &self,
        attempts: u32,
        asked: Option<Duration>,
        random: &dyn Random,
    ) -> Duration {
        let doubled = 2u32.saturating_pow(attempts.saturating_sub(1));
        let full = self.initial.saturating_mul(doubled).min(self.longest);
        let jittered = full.mul_f64(0.5 + 0.5 * random.next_f64());
        jittered.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn waits_double_up_to_the_longest_with_half_of_jitter() {
        let options = RetryOptions {
            longest: Duration::from_secs(8),
            ..Default::default()
        };
        let random = SeededRandom::new(1);
        for (attempts, full) in [
            (1, 500),
            (2, 1_000),
            (4, 4_000),
            (5, 8_000),
            (u32::MAX, 8_000),
        ] {
            let full = Duration::from_millis(full);
            for _ in 0..100 {
                let wait = options.wait(attempts, None, &random);
                assert!(wait >= full / 2 && wait <= full, "{attempts}: {wait:?}");
            }
        }
    }

    #[test]
    fn a_sink_that_asks_for_rest_gets_it() {
        let random = SeededRandom::new(1);
        let asked = Some(Duration::from_secs(60));
        assert_eq!(
            RetryOptions::default().wait(1, asked, &random),
            Duration::from_secs(60)
        );
    }
}
