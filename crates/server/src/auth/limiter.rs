use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// The length of a counting window in seconds.
const WINDOW: i64 = 60;
/// Addresses that are remembered at most; beyond, the oldest windows are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Counts failed logins by address, in windows of a minute.
pub(crate) struct LoginLimiter {
    limit: u32,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

struct Failures {
    since: i64,
    count: u32,
}

impl LoginLimiter {
    /// Allows `limit` failures a minute and address.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit,
            failures: Mutex::default(),
        }
    }

    /// Counts a failure; the seconds to wait when there were too many.
    pub(crate) fn fail(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let now = now.as_second();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_ADDRESSES {
            failures.retain(|_, f| now - f.since < WINDOW);
        }
        if failures.len() >= MAX_ADDRESSES && !failures.contains_key(&address) {
            return Err(WINDOW as u64);
        }
        let entry = failures.entry(address).or_insert(Failures {
            since: now,
            count: 0,
        });
        if now - entry.since >= WINDOW {
            *entry = Failures {
                since: now,
                count: 0,
            };
        }
        entry.count = entry.count.saturating_add(1);
        if entry.count > self.limit {
            return Err((entry.since + WINDOW - now).max(1) as u64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_to_wait_for_the_next_window() {
        let limiter = LoginLimiter::new(2);
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(limiter.fail(a, at(0)), Ok(()));
        assert_eq!(limiter.fail(a, at(1)), Ok(()));
        assert_eq!(limiter.fail(a, at(20)), Err(40));
        assert_eq!(limiter.fail(b, at(20)), Ok(()));
        assert_eq!(limiter.fail(a, at(60)), Ok(()));
    }
}
