use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::lock;

/// When a sink that keeps failing is left alone.
///
/// After `failures` failed deliveries in a row nothing is sent for `rest`; then one event goes
/// as a probe. If it fails, the rest doubles, up to `longest_rest`; if not, all go again.
///
/// A sink that asks for a rest (`Retry-After`) gets it at once and whole, from all that goes there:
/// what was on its way already and arrives does not end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Failures in a row that open the breaker; 0 leaves only the rests that a sink asks for.
    pub failures: u32,
    /// First rest.
    pub rest: Duration,
    /// Longest rest.
    pub longest_rest: Duration,
}

impl Default for BreakerOptions {
    /// Five failures in a row, rests from 5 seconds to 2 minutes.
    fn default() -> Self {
        Self {
            failures: 5,
            rest: Duration::from_secs(5),
            longest_rest: Duration::from_secs(120),
        }
    }
}

/// Whether a delivery may go to a sink now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It may.
    Free,
    /// Not before this time; then ask again.
    Until(Duration),
}

/// What a result meant for the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Opened(Duration),
    Closed,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    rest: Option<Duration>,
    open_until: Option<Duration>,
    /// The end of the rest that the sink asked for.
    asked_until: Option<Duration>,
    is_probing: bool,
}

impl Health {
    /// The first rest, or twice the last one.
    fn next_rest(&mut self, options: &BreakerOptions) -> Duration {
        let doubled = self
            .rest
            .map_or(options.rest, |rest| rest.saturating_mul(2));
        *self.rest.insert(doubled.min(options.longest_rest))
    }
}

/// The breaker of one sink.
#[derive(Debug)]
pub(crate) struct Breaker {
    options: BreakerOptions,
    health: Mutex<Health>,
}

impl Breaker {
    pub(crate) fn new(options: BreakerOptions) -> Self {
        Self {
            options,
            health: Mutex::default(),
        }
    }

    /// Asks for a delivery; each [`Passage::Free`] must be followed by one report or return.
    pub(crate) fn ask(&self, now: Duration) -> Passage {
        let mut health = lock(&self.health);
        match health.open_until {
            None => Passage::Free,
            Some(_) if health.is_probing => Passage::Until(now + self.options.rest),
            Some(until) if until > now => Passage::Until(until),
            Some(_) => {
                health.is_probing = true;
                Passage::Free
            }
        }
    }

    /// Gives a passage back that was not used.
    pub(crate) fn give_back(&self) {
        lock(&self.health).is_probing = false;
    }

    /// Reports that the sink answered.
    pub(crate) fn succeeded(&self, now: Duration) -> Change {
        let mut health = lock(&self.health);
        let was_open = health.open_until.is_some();
        let asked = health.asked_until.filter(|until| *until > now);
        *health = Health {
            open_until: asked,
            asked_until: asked,
            ..Health::default()
        };
        if was_open && asked.is_none() {
            Change::Closed
        } else {
            Change::None
        }
    }

    /// Reports that the sink did not take an event, and for how long it asked to be left alone.
    pub(crate) fn failed(&self, now: Duration, asked: Option<Duration>) -> Change {
        let asked = asked.filter(|rest| !rest.is_zero());
        let mut health = lock(&self.health);
        health.failures = health.failures.saturating_add(1);
        let was_open = health.open_until.is_some();
        let was_probe = std::mem::take(&mut health.is_probing);
        let keeps_failing = health.failures >= self.options.failures;
        let is_due = was_probe || keeps_failing && !was_open;
        let rest = (self.options.failures > 0 && is_due).then(|| health.next_rest(&self.options));
        // A probe's time is over; what another worker was told meanwhile counts on.
        let before = health.open_until.filter(|_| !was_probe);
        let until = rest.max(asked).map(|rest| now.saturating_add(rest));
        health.open_until = before.max(until);
        let asked_until = asked.map(|rest| now.saturating_add(rest));
        health.asked_until = health.asked_until.max(asked_until);
        match rest.max(asked) {
            Some(rest) if !was_open => Change::Opened(rest),
            _ => Change::None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        lock(&self.health).open_until.is_some()
    }
}

/// The breakers of all sinks; hooks with one sink share one.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<BTreeMap<String, Arc<Breaker>>>);

impl Breakers {
    pub(crate) fn of_sink(&self, sink: String, options: BreakerOptions) -> Arc<Breaker> {
        let mut breakers = lock(&self.0);
        let breaker = breakers
            .entry(sink)
            .or_insert_with(|| Arc::new(Breaker::new(options)));
        Arc::clone(breaker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(BreakerOptions {
            failures: 2,
            rest: SECOND,
            longest_rest: SECOND * 3,
        })
    }

    #[test]
    fn opens_after_failures_in_a_row_and_closes_after_a_probe() {
        let breaker = breaker();
        assert_eq!(breaker.failed(SECOND, None), Change::None);
        assert_eq!(breaker.succeeded(SECOND), Change::None);
        assert_eq!(breaker.failed(SECOND, None), Change::None);
        assert_eq!(breaker.failed(SECOND, None), Change::Opened(SECOND));
        assert_eq!(breaker.ask(SECOND), Passage::Until(SECOND * 2));
        assert_eq!(breaker.ask(SECOND * 2), Passage::Free);
        assert_eq!(breaker.ask(SECOND * 2), Passage::Until(SECOND * 3));
        assert_eq!(breaker.succeeded(SECOND * 2), Change::Closed);
        assert_eq!(breaker.ask(SECOND * 2), Passage::Free);
    }

    #[test]
    fn a_failed_probe_doubles_the_rest_up_to_the_longest() {
        let breaker = breaker();
        breaker.failed(Duration::ZERO, None);
        breaker.failed(Duration::ZERO, None);
        let mut now = Duration::ZERO;
        for rest in [1, 2, 3, 3] {
            assert_eq!(breaker.ask(now), Passage::Until(now + SECOND * rest));
            now += SECOND * rest;
            assert_eq!(breaker.ask(now), Passage::Free);
            assert_eq!(breaker.failed(now, None), Change::None);
        }
    }

    #[test]
    fn late_failures_of_other_workers_do_not_lengthen_the_rest() {
        let breaker = breaker();
        breaker.failed(Duration::ZERO, None);
        breaker.failed(Duration::ZERO, None);
        breaker.failed(SECOND / 2, None);
        assert_eq!(breaker.ask(Duration::ZERO), Passage::Until(SECOND));
    }

    #[test]
    fn a_passage_that_was_not_used_can_be_had_again() {
        let breaker = breaker();
        breaker.failed(Duration::ZERO, None);
        breaker.failed(Duration::ZERO, None);
        assert_eq!(breaker.ask(SECOND), Passage::Free);
        breaker.give_back();
        assert_eq!(breaker.ask(SECOND), Passage::Free);
    }

    #[test]
    fn a_sink_that_asks_for_a_rest_gets_it_from_all() {
        let breaker = breaker();
        let minute = SECOND * 60;
        assert_eq!(breaker.failed(SECOND, Some(minute)), Change::Opened(minute));
        assert_eq!(breaker.ask(minute), Passage::Until(minute + SECOND));
        // Another worker's answer came later and asks for less, then for more.
        assert_eq!(breaker.failed(SECOND * 2, Some(SECOND)), Change::None);
        assert_eq!(breaker.ask(minute), Passage::Until(minute + SECOND));
        assert_eq!(breaker.failed(SECOND * 2, Some(minute)), Change::None);
        assert_eq!(breaker.ask(minute), Passage::Until(minute + SECOND * 2));
        // The probe is told to wait again, for longer than the breaker would rest by itself.
        let now = minute + SECOND * 2;
        assert_eq!(breaker.ask(now), Passage::Free);
        assert_eq!(breaker.failed(now, Some(minute)), Change::None);
        assert_eq!(breaker.ask(now), Passage::Until(now + minute));
        assert_eq!(breaker.ask(now + minute), Passage::Free);
        assert_eq!(breaker.succeeded(now + minute), Change::Closed);
    }

    #[test]
    fn what_arrives_meanwhile_does_not_end_a_rest_that_was_asked_for() {
        let breaker = breaker();
        let minute = SECOND * 60;
        breaker.failed(Duration::ZERO, Some(minute));
        assert_eq!(breaker.succeeded(SECOND), Change::None);
        assert!(breaker.is_open());
        assert_eq!(breaker.ask(SECOND * 2), Passage::Until(minute));
        assert_eq!(breaker.ask(minute), Passage::Free);
        assert_eq!(breaker.succeeded(minute), Change::Closed);
        assert_eq!(breaker.ask(minute), Passage::Free);
    }

    #[test]
    fn a_rest_of_no_time_is_none() {
        let breaker = breaker();
        assert_eq!(breaker.failed(SECOND, Some(Duration::ZERO)), Change::None);
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_breaker_that_is_off_knows_only_the_rests_that_were_asked_for() {
        let breaker = Breaker::new(BreakerOptions {
            failures: 0,
            ..BreakerOptions::default()
        });
        for _ in 0..10 {
            assert_eq!(breaker.failed(SECOND, None), Change::None);
            assert!(!breaker.is_open());
        }
        breaker.failed(SECOND, Some(SECOND));
        assert_eq!(breaker.ask(SECOND), Passage::Until(SECOND * 2));
        assert_eq!(breaker.ask(SECOND * 2), Passage::Free);
        assert_eq!(breaker.failed(SECOND * 2, None), Change::None);
        assert!(!breaker.is_open());
    }
}
