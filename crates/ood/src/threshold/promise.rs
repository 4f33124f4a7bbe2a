//! A bound on the false collection rate that holds with a stated confidence.
//!
//! Of `n` held-out in-distribution scores the `r + 1`-th largest is the threshold; images above
//! it are collected. The chance that the true rate then exceeds `rate` is `P(Bin(n, rate) <= r)`,
//! whatever the scores' distribution, so the largest `r` is taken whose chance stays below
//! `1 - confidence` (the order statistic's tolerance bound of Wilks, 1941; with conformal
//! calibration it is the "training-conditional" or PAC guarantee of Vovk, 2012). The plain 99 %
//! quantile breaks its promise in about half of the calibrations.
//!
//! The images must be exchangeable with those to come: neighbouring video frames are not.

use serde::{Deserialize, Serialize};

/// What was promised, and on what ground.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    /// At most this part of in-distribution images is collected, `0..1`.
    pub max_false_collection_rate: f64,
    /// The chance that this holds, over the draw of the calibration images, `0..1`.
    pub confidence: f64,
    /// On how many held-out in-distribution images it was calibrated.
    pub images: usize,
    /// How many of those images lie above the threshold.
    pub above: usize,
}

/// A promise cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PromiseError {
    /// There are too few held-out images.
    #[error(
        "a false collection rate of at most {rate} with confidence {confidence} needs {needed} held-out in-distribution images, there are {actual}: with these a rate of {possible:.4} can be promised"
    )]
    TooFewImages {
        /// The rate asked for.
        rate: f64,
        /// The confidence asked for.
        confidence: f64,
        /// How many images it needs.
        needed: usize,
        /// How many there are.
        actual: usize,
        /// The lowest rate that they allow with that confidence; 1 without images.
        possible: f64,
    },
    /// A rate or confidence lies outside `0..1`.
    #[error("a {what} of {value} cannot be promised: it must lie between 0 and 1, both excluded")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}

/// How many held-out images a promise needs: the smallest `n` with `(1 - rate)^n <= 1 - confidence`.
pub fn images_needed(rate: f64, confidence: f64) -> usize {
    ((1.0 - confidence).ln() / (-rate).ln_1p() - 1e-9).ceil() as usize
}

/// The lowest rate that `images` held-out images allow with a confidence; 1 without images.
pub fn rate_possible(images: usize, confidence: f64) -> f64 {
    if images == 0 {
        1.0
    } else {
        1.0 - (1.0 - confidence).powf(1.0 / images as f64)
    }
}

impl Promise {
    /// The threshold that keeps a promise on held-out in-distribution scores, and the promise.
    ///
    /// Images with **at least** the threshold are collected; it is the smallest number above the
    /// score that may just not be collected, so equal scores are never collected by accident.
    pub fn calibrate(
        scores: &[f64],
        rate: f64,
        confidence: f64,
    ) -> Result<(f64, Self), PromiseError> {
        check("false collection rate", rate)?;
        check("confidence", confidence)?;
        let images = scores.len();
        let above = allowed_above(images, rate, confidence).ok_or(PromiseError::TooFewImages {
            rate,
            confidence,
            needed: images_needed(rate, confidence),
            actual: images,
            possible: rate_possible(images, confidence),
        })?;
        let mut sorted = scores.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let promise = Self {
            max_false_collection_rate: rate,
            confidence,
            images,
            above,
        };
        Ok((sorted[above].next_up(), promise))
    }

    /// Gives the promise asked for, or the lowest rate that the images allow.
    pub fn calibrate_or_relax(
        scores: &[f64],
        rate: f64,
        confidence: f64,
    ) -> Result<(f64, Self), PromiseError> {
        match Self::calibrate(scores, rate, confidence) {
            Err(PromiseError::TooFewImages {
                possible,
                actual: 1..,
                ..
            }) => {
                // A hair more than what n images allow, so that rounding does not refuse again.
                Self::calibrate(scores, possible * (1.0 + 1e-9), confidence)
            }
            other => other,
        }
    }
}

fn check(what: &'static str, value: f64) -> Result<(), PromiseError> {
    let inside = value > 0.0 && value < 1.0;
    if inside {
        Ok(())
    } else {
        Err(PromiseError::OutOfRange { what, value })
    }
}

/// The largest `r` with `P(Bin(n, rate) <= r) <= 1 - confidence`; `None` when even 0 is too many.
fn allowed_above(n: usize, rate: f64, confidence: f64) -> Option<usize> {
    let risk = 1.0 - confidence;
    let odds = (rate / (1.0 - rate)).ln();
    let mut log_term = n as f64 * (-rate).ln_1p();
    let mut sum = 0.0;
    let mut allowed = None;
    for r in 0..n {
        sum += log_term.exp();
        if sum > risk {
            break;
        }
        allowed = Some(r);
        log_term += ((n - r) as f64 / (r + 1) as f64).ln() + odds;
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn one_percent_needs_299_images() {
        assert_eq!(images_needed(0.01, 0.95), 299);
        assert_eq!(allowed_above(298, 0.01, 0.95), None);
        assert_eq!(allowed_above(299, 0.01, 0.95), Some(0));
        assert_eq!(allowed_above(473, 0.01, 0.95), Some(1));
        assert_eq!(allowed_above(472, 0.01, 0.95), Some(0));
    }

    #[test]
    fn a_refusal_names_the_number_and_what_is_possible() {
        let scores: Vec<f64> = (0..50).map(f64::from).collect();
        let error = Promise::calibrate(&scores, 0.01, 0.95).unwrap_err();
        assert!(error.to_string().contains("needs 299 held-out"), "{error}");
        assert!(error.to_string().contains("0.0582"), "{error}");
        let (threshold, promise) = Promise::calibrate_or_relax(&scores, 0.01, 0.95).unwrap();
        assert!(threshold > 49.0 && promise.above == 0);
        assert!((promise.max_false_collection_rate - rate_possible(50, 0.95)).abs() < 1e-6);
    }

    #[test]
    fn impossible_rates_are_refused() {
        for (rate, confidence) in [(0.0, 0.95), (1.0, 0.95), (0.01, 1.0), (f64::NAN, 0.5)] {
            let refused = Promise::calibrate(&[0.5; 1000], rate, confidence);
            assert!(matches!(refused, Err(PromiseError::OutOfRange { .. })));
        }
        let nothing = Promise::calibrate_or_relax(&[], 0.01, 0.95);
        assert!(matches!(nothing, Err(PromiseError::TooFewImages { .. })));
    }

    #[test]
    fn equal_scores_are_not_collected() {
        let (threshold, _) = Promise::calibrate(&[1.0; 400], 0.01, 0.95).unwrap();
        assert!(threshold > 1.0);
    }

    /// The realised rate of a threshold on uniform scores is `1 - threshold`.
    #[test]
    fn the_promise_is_kept_in_all_but_one_of_twenty_calibrations() {
        let mut random = Random::new(17);
        let broken = (0..1000).filter(|_| {
            let scores: Vec<f64> = (0..700).map(|_| random.unit()).collect();
            let (threshold, _) = Promise::calibrate(&scores, 0.01, 0.95).unwrap();
            1.0 - threshold > 0.01
        });
        let broken = broken.count();
        // Five percent of 1,000, with three standard deviations of the simulation itself.
        assert!(
            broken <= 50 + 21,
            "{broken} of 1000 calibrations broke their promise"
        );
        assert!(
            broken > 5,
            "the bound is far too cautious: {broken} of 1000"
        );
    }

    /// Scores of 4,185 images that a small network never saw (FashionMNIST, six classes), by the
    /// default model: random ones set the threshold, the others judge it, and that 1,000 times.
    #[test]
    fn real_scores_keep_the_promise_in_a_thousand_resplits() {
        let scores = crate::io::fixture("ood/held_out_scores.npz");
        let mut scores = scores["scores"].values.to_f64();
        assert_eq!(scores.len(), 4185);
        let mut random = Random::new(23);
        let mut rates = Vec::new();
        for _ in 0..1000 {
            random.shuffle(&mut scores);
            let (held_out, judged) = scores.split_at(598);
            let (threshold, _) = Promise::calibrate(held_out, 0.01, 0.95).unwrap();
            let collected = judged.iter().filter(|&&score| score >= threshold).count();
            rates.push(collected as f64 / judged.len() as f64);
        }
        // The noise of the judged images is in these rates: the promise itself allows 5 %, and 598
        // images with one above the threshold break it in 1.7 % of calibrations.
        let broken = rates.iter().filter(|&&rate| rate > 0.01).count();
        assert!(broken <= 50, "{broken} of 1000 resplits above 1 %");
        let mean = rates.iter().sum::<f64>() / 1000.0;
        assert!((0.002..0.005).contains(&mean), "mean rate {mean}");
    }
}
