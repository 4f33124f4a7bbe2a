use serde::{Deserialize, Serialize};

use super::{Promise, PromiseError};
use crate::metrics::RocCurve;

/// How the threshold of a model is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum ThresholdRule {
    /// At most the part `rate` of in-distribution images is collected, with a confidence.
    MaxFalseCollection {
        /// The promised rate, `0..1`.
        rate: f64,
        /// The chance that the promise holds, `0..1`.
        confidence: f64,
        /// What to do when there are too few held-out images.
        shortfall: Shortfall,
    },
    /// The highest F1 on held-out images and outliers.
    BestF1,
    /// The highest true positive rate whose false positive rate stays within `fpr` on held-out images.
    TprAtFpr {
        /// The false positive rate allowed, `0..=1`.
        fpr: f64,
    },
    /// A number of the user's.
    Fixed {
        /// The threshold.
        value: f64,
    },
}

/// What to do when there are too few images for a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// Fail, with the number of images that it needs.
    Refuse,
    /// Promise the lowest rate that the images allow; the report says which.
    Relax,
}

impl Default for ThresholdRule {
    /// One percent with 95 % confidence, or the lowest rate that the images allow.
    fn default() -> Self {
        Self::MaxFalseCollection {
            rate: 0.01,
            confidence: 0.95,
            shortfall: Shortfall::Relax,
        }
    }
}

/// From which score on an image is called an outlier, and what that promises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Images with at least this score are called outliers.
    pub value: f64,
    /// The rule that gave it.
    pub rule: ThresholdRule,
    /// What was promised; `None` for rules without a promise, and where the calibration scores
    /// came from the fitted images themselves.
    pub promise: Option<Promise>,
}

impl ThresholdRule {
    /// Whether the rule compares with outliers.
    pub fn needs_outliers(&self) -> bool {
        matches!(self, Self::BestF1 | Self::TprAtFpr { .. })
    }

    /// Finds the threshold on scores of held-out in-distribution images and of outliers.
    ///
    /// `None` for a rule that needs outliers when there are none (or no images at all).
    pub fn find(&self, inside: &[f64], outside: &[f64]) -> Result<Option<Threshold>, PromiseError> {
        let without_promise = |value: f64| Threshold {
            value,
            rule: *self,
            promise: None,
        };
        let curve = || RocCurve::new(inside, outside);
        Ok(match *self {
            Self::MaxFalseCollection {
                rate,
                confidence,
                shortfall,
            } => {
                let (value, promise) = match shortfall {
                    Shortfall::Refuse => Promise::calibrate(inside, rate, confidence)?,
                    Shortfall::Relax => Promise::calibrate_or_relax(inside, rate, confidence)?,
                };
                Some(Threshold {
                    value,
                    rule: *self,
                    promise: Some(promise),
                })
            }
            Self::BestF1 => curve().map(|curve| without_promise(curve.best_f1().0.threshold)),
            Self::TprAtFpr { fpr } => curve().map(|curve| {
                let top = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let threshold = curve.at_fpr(fpr).threshold;
                // Where no score is allowed: just above every in-distribution image.
                without_promise(if threshold.is_finite() {
                    threshold
                } else {
                    top.next_up()
                })
            }),
            Self::Fixed { value } => Some(without_promise(value)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_threshold() {
        struct Case(ThresholdRule, f64);
        let inside = [0.1, 0.2, 0.3, 0.4];
        let outside = [0.35, 0.6, 0.7];
        for Case(rule, expected) in [
            Case(ThresholdRule::BestF1, 0.35),
            Case(ThresholdRule::TprAtFpr { fpr: 0.0 }, 0.6),
            Case(ThresholdRule::TprAtFpr { fpr: 0.25 }, 0.35),
            Case(ThresholdRule::Fixed { value: 0.9 }, 0.9),
            Case(ThresholdRule::default(), 0.4_f64.next_up()),
        ] {
            let found = rule.find(&inside, &outside).unwrap().unwrap();
            assert!((found.value - expected).abs() < 1e-12, "{rule:?}");
        }
        assert_eq!(ThresholdRule::BestF1.find(&inside, &[]).unwrap(), None);
    }

    #[test]
    fn where_no_false_alarm_is_allowed_the_threshold_stays_finite() {
        let rule = ThresholdRule::TprAtFpr { fpr: 0.0 };
        let found = rule.find(&[0.1, 0.9], &[0.5]).unwrap().unwrap();
        assert!(found.value > 0.9 && found.value < 0.91);
    }
}
