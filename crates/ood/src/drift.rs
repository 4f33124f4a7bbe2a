//! An alarm that a stream of images has drifted, valid at any time.
//!
//! Under the null hypothesis the stream is in-distribution: each image is collected with a chance
//! of at most `rate`, whatever came before (the promise of the threshold). The capital of a bet
//! against that grows by `1 + s (hit - rate)` an image; its expectation never grows, so by Ville's
//! inequality it exceeds `1 / q` ever in the life of the stream with a chance of at most `q`
//! (Shafer et al., 2011). A mixture over several stakes `s` needs no guess of how many outliers
//! come. A stream that is good for a year must not have lost all its capital when it turns bad:
//! so bets start anew all the time. The bet that starts at the `j`-th point owns the share
//! `1 / (j (j + 1))` of the capital; shares sum to 1, so the mixture of all keeps the lifetime
//! bound. Restart points are 2^i images long epochs apart, and only the youngest bets are kept:
//! a bet that is dropped keeps nothing, which only makes the alarm more cautious. Work and memory
//! an image are constant.

use serde::{Deserialize, Serialize};

/// Parts of the largest sound stake, `1 / (1 - rate)` against a miss, that are mixed.
const STAKES: [f64; 5] = [0.02, 0.05, 0.1, 0.2, 0.4];
/// How many bets run side by side.
const BETS: usize = 32;
/// A new bet starts after this many images.
const SPACING: u64 = 50;

/// Watches how often images are collected, and alarms when it is more often than promised.
///
/// Of in-distribution streams at most the part `lifetime_false_alarms` ever alarms, however long
/// they run. Save and load it as JSON to survive a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftAlarm {
    rate: f64,
    lifetime_false_alarms: f64,
    frames: u64,
    hits: u64,
    bets: Vec<Bet>,
    peak_evidence: f64,
    alarmed_at: Option<u64>,
}

/// One bet: its share of the capital, and the logarithm of its capital at each stake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bet {
    start: u64,
    share: f64,
    log_capital: [f64; STAKES.len()],
}

/// What the alarm knows after an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriftState {
    /// Images seen.
    pub frames: u64,
    /// Images collected.
    pub hits: u64,
    /// The promised rate.
    pub promised_rate: f64,
    /// The observed rate, 0 before the first image.
    pub observed_rate: f64,
    /// Evidence against the promise: 1 is none, the alarm sounds at `1 / lifetime_false_alarms`.
    pub evidence: f64,
    /// The image, counted from 1, at which the alarm first sounded.
    pub alarmed_at: Option<u64>,
}

impl DriftAlarm {
    /// Watches a stream whose in-distribution images are collected at most at `rate`.
    ///
    /// `None` unless both numbers lie between 0 and 1, both excluded.
    pub fn new(rate: f64, lifetime_false_alarms: f64) -> Option<Self> {
        let inside = |value: f64| value > 0.0 && value < 1.0;
        (inside(rate) && inside(lifetime_false_alarms)).then(|| Self {
            rate,
            lifetime_false_alarms,
            frames: 0,
            hits: 0,
            bets: Vec::new(),
            peak_evidence: 1.0,
            alarmed_at: None,
        })
    }

    /// Takes one image: whether it was collected.
    pub fn observe(&mut self, collected: bool) -> DriftState {
        if self.frames.is_multiple_of(SPACING) {
            self.start_bet();
        }
        self.frames += 1;
        self.hits += u64::from(collected);
        let hit = f64::from(u8::from(collected));
        for bet in &mut self.bets {
            for (capital, stake) in bet.log_capital.iter_mut().zip(STAKES) {
                *capital += (stake / self.rate * (hit - self.rate)).ln_1p();
            }
        }
        let evidence = self.evidence();
        self.peak_evidence = self.peak_evidence.max(evidence);
        if self.alarmed_at.is_none() && evidence >= 1.0 / self.lifetime_false_alarms {
            self.alarmed_at = Some(self.frames);
        }
        self.state()
    }

    /// What is known now.
    pub fn state(&self) -> DriftState {
        let observed = if self.frames == 0 {
            0.0
        } else {
            self.hits as f64 / self.frames as f64
        };
        DriftState {
            frames: self.frames,
            hits: self.hits,
            promised_rate: self.rate,
            observed_rate: observed,
            evidence: self.evidence(),
            alarmed_at: self.alarmed_at,
        }
    }

    /// Silences an alarm that was dealt with, and begins to watch from anew.
    pub fn acknowledge(&mut self) {
        let renewed = Self::new(self.rate, self.lifetime_false_alarms);
        if let Some(renewed) = renewed {
            *self = renewed;
        }
    }

    fn start_bet(&mut self) {
        let number = (self.frames / SPACING + 1) as f64;
        if self.bets.len() == BETS {
            self.drop_poorest();
        }
        let share = 1.0 / (number * (number + 1.0));
        self.bets.push(Bet {
            start: self.frames,
            share,
            log_capital: [0.0; STAKES.len()],
        });
    }

    fn drop_poorest(&mut self) {
        let worth = |bet: &Bet| bet.share * bet.capital();
        let poorest = (0..self.bets.len())
            .min_by(|&a, &b| worth(&self.bets[a]).total_cmp(&worth(&self.bets[b])));
        if let Some(index) = poorest {
            self.bets.remove(index);
        }
    }

    /// The capital of all bets; what was not bet yet counts as it is.
    fn evidence(&self) -> f64 {
        let started = (self.frames.saturating_sub(1) / SPACING + 1) as f64;
        let unspent = 1.0 / (started + 1.0);
        unspent
            + self
                .bets
                .iter()
                .map(|bet| bet.share * bet.capital())
                .sum::<f64>()
    }
}

impl Bet {
    fn capital(&self) -> f64 {
        let sum: f64 = self
            .log_capital
            .iter()
            .map(|capital| capital.min(600.0).exp())
            .sum();
        sum / STAKES.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn alarm_of(rates: impl Fn(u64) -> f64, frames: u64, random: &mut Random) -> Option<u64> {
        let mut alarm = DriftAlarm::new(0.01, 0.01).unwrap();
        for frame in 0..frames {
            alarm.observe(random.unit() < rates(frame));
            if alarm.state().alarmed_at.is_some() {
                break;
            }
        }
        alarm.state().alarmed_at
    }

    #[test]
    fn an_in_distribution_stream_hardly_ever_alarms() {
        let mut random = Random::new(23);
        let alarms = (0..500).filter(|_| alarm_of(|_| 0.01, 10_000, &mut random).is_some());
        let alarms = alarms.count();
        assert!(alarms <= 5 + 6, "{alarms} of 500 streams alarmed");
    }

    /// A tenth of the images are outliers, of which 60 % are detected.
    #[test]
    fn a_contaminated_stream_alarms_within_200_images() {
        for clean in [0, 1000] {
            let mut random = Random::new(29);
            let rate = |frame: u64| {
                if frame < clean {
                    0.01
                } else {
                    0.9 * 0.01 + 0.1 * 0.6
                }
            };
            let mut delays: Vec<u64> = (0..301)
                .map(|_| {
                    alarm_of(rate, clean + 5000, &mut random)
                        .map_or(u64::MAX, |at| at.saturating_sub(clean))
                })
                .collect();
            delays.sort_unstable();
            assert!(
                delays[150] <= 200,
                "median {} after {clean} clean images",
                delays[150]
            );
        }
    }

    #[test]
    fn observed_and_promised_rate_are_shown_and_the_state_survives_a_restart() {
        let mut alarm = DriftAlarm::new(0.05, 0.01).unwrap();
        for frame in 0..100 {
            alarm.observe(frame % 10 == 0);
        }
        let state = alarm.state();
        assert!(
            (state.observed_rate - 0.1).abs() < 1e-12 && (state.promised_rate - 0.05).abs() < 1e-12
        );
        let text = serde_json::to_string(&alarm).unwrap();
        let again: DriftAlarm = serde_json::from_str(&text).unwrap();
        assert_eq!(again.state().frames, 100);
        assert!(DriftAlarm::new(0.0, 0.5).is_none() && DriftAlarm::new(0.5, f64::NAN).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut alarm = DriftAlarm::new(0.01, 0.01).unwrap();
        for _ in 0..100_000 {
            alarm.observe(false);
        }
        assert!(alarm.bets.len() <= BETS);
    }
}
