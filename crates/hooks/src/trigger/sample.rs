use straylight_core::{ContentHash, Frame, Prediction};

use super::{Trigger, TriggerError};
use crate::config::{SampleTriggerConfig, TriggerConfig};

/// Fires for a random share of all images, whatever the model says, with the score 1.
///
/// A reviewed sample tells what the other triggers miss. Each image is drawn by itself: its source,
/// name, time and the seed decide, so that a replay draws the same images, and another seed others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleTrigger {
    rate: f64,
    seed: u64,
}

impl SampleTrigger {
    /// Draws this share of the images, `0..=1`.
    pub fn new(rate: f64, seed: u64) -> Self {
        Self { rate, seed }
    }

    /// A number in `0..1` that is the same whenever this image is looked at.
    fn draw(&self, frame: &Frame) -> f64 {
        let source = frame.source().map_or("", |source| source);
        let time = frame.captured_at().as_microsecond();
        let ticket = format!("{}\0{time}\0{source}\0{}", self.seed, frame.name());
        let ContentHash([a, b, c, d, e, f, g, h, ..]) = ContentHash::of(ticket.as_bytes());
        let bits = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Trigger for SampleTrigger {
    fn name(&self) -> &'static str {
        "SampleTrigger"
    }

    fn score(&self, frame: &Frame, _prediction: &Prediction) -> Result<f64, TriggerError> {
        Ok(f64::from(self.draw(frame) < self.rate))
    }

    fn decide(&self, score: f64) -> bool {
        score >= 1.0
    }

    fn reason(&self, _score: f64) -> String {
        format!("random sample of {} %", (self.rate * 1e8).round() / 1e6)
    }

    fn config(&self) -> Option<TriggerConfig> {
        Some(TriggerConfig::SampleTrigger(SampleTriggerConfig {
            rate: self.rate,
            seed: self.seed,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use straylight_core::{RgbImage, Timestamp};

    use super::*;

    fn drawn(trigger: SampleTrigger, source: &str) -> Vec<bool> {
        let image = RgbImage::filled(1, 1, [0, 0, 0]).unwrap();
        let frame = |index: i64| {
            let time = Timestamp::from_millisecond(40 * index).unwrap();
            Frame::new(image.clone(), format!("gate_{index:06}"), time)
                .with_source(Arc::from(source))
        };
        let fires = |index| {
            let score = trigger
                .score(&frame(index), &Prediction::default())
                .unwrap();
            trigger.decide(score)
        };
        (0..20_000).map(fires).collect()
    }

    #[test]
    fn the_share_is_kept_and_a_replay_draws_the_same() {
        let trigger = SampleTrigger::new(0.05, 0);
        let first = drawn(trigger, "gate");
        let count = first.iter().filter(|fires| **fires).count();
        // Five standard deviations of a binomial distribution.
        assert!((846..=1154).contains(&count), "{count}");
        assert_eq!(drawn(trigger, "gate"), first);
        for other in [
            drawn(SampleTrigger::new(0.05, 1), "gate"),
            drawn(trigger, "yard"),
        ] {
            let both = other.iter().zip(&first).filter(|(a, b)| **a && **b).count();
            assert!((15..=85).contains(&both), "{both}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_none_and_all() {
        assert!(!drawn(SampleTrigger::new(0.0, 0), "").contains(&true));
        assert!(!drawn(SampleTrigger::new(1.0, 0), "").contains(&false));
        assert_eq!(
            SampleTrigger::new(0.005, 0).reason(1.0),
            "random sample of 0.5 %"
        );
    }
}
