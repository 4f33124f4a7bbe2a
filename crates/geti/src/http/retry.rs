use std::time::Duration;

use jiff::fmt::rfc2822;

use super::Repeat;
use super::failure::Failure;

/// How often and how patiently a failed request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most; 1 means never again.
    pub attempts: u32,
    /// The wait before the second attempt; doubled for each further one.
    pub first_wait: Duration,
    /// The longest wait, also when the server asks for more: then the request fails.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, waits from half a second to one minute.
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// No second attempt.
    pub fn never() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// How long to wait before the next attempt; `None` if there must be none.
    ///
    /// `attempt` counts the attempts made, from 1; `chance` is a random number in `0..1` which
    /// spreads the wait over its upper half.
    pub(crate) fn wait(
        &self,
        failure: &Failure,
        repeat: Repeat,
        attempt: u32,
        chance: f64,
    ) -> Option<Duration> {
        let repeatable = repeat == Repeat::Safe || failure.untouched;
        if attempt >= self.attempts || !repeatable || !failure.error.may_pass() {
            return None;
        }
        if let Some(asked) = failure.retry_after {
            return (asked <= self.longest_wait).then_some(asked);
        }
        let doubled = self.first_wait.saturating_mul(1 << (attempt - 1).min(20));
        Some(
            doubled
                .min(self.longest_wait)
                .mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0),
        )
    }
}

/// Reads a `Retry-After` header: seconds, or a date seen from the answer's own `Date`.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(value).ok()?.timestamp();
    let now = rfc2822::parse(date?).ok()?.timestamp();
    Some(Duration::try_from(until - now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, GetiError};

    fn failure(kind: ErrorKind, untouched: bool, retry_after: Option<u64>) -> Failure {
        Failure {
            error: GetiError::new(kind, "x"),
            untouched,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn only_what_is_safe_and_may_pass_is_repeated() {
        use ErrorKind::{Connection, Login, Server, TooManyRequests};
        use Repeat::{Safe, Untouched};
        struct Case(ErrorKind, Repeat, bool, Option<u64>, u32, Option<u64>);
        for Case(kind, repeat, untouched, asked, attempt, milliseconds) in [
            Case(Connection, Safe, false, None, 1, Some(375)),
            Case(Connection, Safe, false, None, 2, Some(750)),
            Case(Connection, Safe, false, None, 4, Some(3000)),
            Case(Connection, Safe, false, None, 5, None),
            Case(Connection, Untouched, false, None, 1, None),
            Case(Connection, Untouched, true, None, 1, Some(375)),
            Case(TooManyRequests, Untouched, true, Some(7), 1, Some(7000)),
            Case(TooManyRequests, Safe, true, Some(3600), 1, None),
            Case(Server, Safe, false, Some(0), 1, Some(0)),
            Case(Login, Safe, false, None, 1, None),
        ] {
            let policy = RetryPolicy::default();
            let failure = failure(kind, untouched, asked);
            let wait = policy.wait(&failure, repeat, attempt, 0.5);
            assert_eq!(
                wait,
                milliseconds.map(Duration::from_millis),
                "{kind:?} {attempt}"
            );
        }
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let date = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        let later = "Wed, 21 Oct 2015 07:28:30 GMT";
        assert_eq!(retry_after("12", None), Some(Duration::from_secs(12)));
        assert_eq!(retry_after(later, date), Some(Duration::from_secs(30)));
        assert_eq!(
            retry_after("Wed, 21 Oct 2015 07:00:00 GMT", date),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after(later, None), None);
        assert_eq!(retry_after("soon", date), None);
    }
}
