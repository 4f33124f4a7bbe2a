use std::ops::RangeInclusive;

use super::Robust;
use crate::numeric::{quantile, sorted};
use crate::state::{SectionReader, SectionWriter, StateError};

/// The part of the votes that counts as most alarmed, rounded up.
const ALARMED: (usize, usize) = (3, 7);

/// How many votes a detector may have; more is a damaged file.
const MOST_VOTES: RangeInclusive<f64> = 0.0..=100.0;

/// The mean of several detectors' standardised scores, tilted to the most alarmed of them, brought
/// to `0..=1`.
///
/// Each score becomes `z = (s - median) / (q90 - median)`, with quantiles over in-distribution
/// images. It is not cut off: a clip costs far outliers. A detector with weight `w` votes `w` times;
/// of all `m` votes, `t` is the mean of all plus the mean of the `k = ceil(3 m / 7)` largest. So a
/// detector that is blind to one kind of outlier cannot outvote those that see it. `t` becomes the
/// score `(1 + x / (1 + |x|)) / 2` with `x = (t - q95) / (q95 - q50)`, where `q50` and `q95` are
/// quantiles of `t` over in-distribution images. So a typical in-distribution image scores 0.25,
/// one in twenty scores above 0.5, and the order of strange images is kept however strange they
/// are: unlike a logistic curve this one does not run into 1.
#[derive(Debug, Clone)]
pub(crate) struct Fusion {
    centres: Vec<f64>,
    scales: Vec<f64>,
    /// How many votes each detector has; whole numbers.
    weights: Vec<f64>,
    /// Quantiles 0.5 and 0.95 of `t` over in-distribution images.
    anchors: [f64; 2],
}

impl Fusion {
    /// Fits the scale to cross-fitted in-distribution scores: `scores[i]` holds all images'
    /// scores by detector `i`, whose middle and spread is `measures[i]`.
    pub(crate) fn fit(scores: &[Vec<f64>], measures: &[Robust], weights: Vec<f64>) -> Self {
        let mut fusion = Self {
            centres: measures.iter().map(|measure| measure.centre).collect(),
            scales: measures.iter().map(|measure| measure.scale).collect(),
            weights,
            anchors: [0.0, 1.0],
        };
        let images = scores.first().map_or(0, Vec::len);
        let row = |image: usize| scores.iter().map(|of| of[image]).collect::<Vec<f64>>();
        let alarms: Vec<f64> = (0..images).map(|image| fusion.alarm(&row(image))).collect();
        let alarms = sorted(&alarms);
        let (middle, high) = (quantile(&alarms, 0.5), quantile(&alarms, 0.95));
        if middle.is_finite() {
            fusion.anchors = [middle, high.max(middle + 1e-3)];
        }
        fusion
    }

    /// Mean of all votes plus mean of the most alarmed.
    fn alarm(&self, scores: &[f64]) -> f64 {
        let parts = scores
            .iter()
            .zip(&self.centres)
            .zip(&self.scales)
            .zip(&self.weights);
        let mut votes: Vec<f64> = parts
            .flat_map(|(((score, centre), scale), weight)| {
                std::iter::repeat_n((score - centre) / scale, weight.round() as usize)
            })
            .collect();
        votes.sort_unstable_by(|a, b| b.total_cmp(a));
        let alarmed = (ALARMED.0 * votes.len()).div_ceil(ALARMED.1);
        mean(&votes) + mean(&votes[..alarmed])
    }

    /// The combined score in `0..=1`.
    pub(crate) fn score(&self, scores: &[f64]) -> f64 {
        let [middle, high] = self.anchors;
        let x = (self.alarm(scores) - high) / (high - middle);
        f64::midpoint(1.0, x / (1.0 + x.abs()))
    }

    pub(crate) fn save<'a>(&'a self, to: &mut SectionWriter<'_, 'a>) {
        to.vector64("centres", &self.centres);
        to.vector64("scales", &self.scales);
        to.vector64("weights", &self.weights);
        to.vector64("anchors", &self.anchors);
    }

    pub(crate) fn load(from: &SectionReader<'_>, detectors: usize) -> Result<Self, StateError> {
        let vector = |name: &str| {
            let values = from.vector64(name)?;
            let wrong = || StateError::Unexpected {
                name: format!("fusion.{name}"),
                expected: format!("{detectors} numbers long"),
            };
            if values.len() == detectors {
                Ok(values)
            } else {
                Err(wrong())
            }
        };
        let anchors = from.vector64("anchors")?;
        let anchors: [f64; 2] = anchors.try_into().map_err(|_| StateError::Unexpected {
            name: "fusion.anchors".to_owned(),
            expected: "two numbers".to_owned(),
        })?;
        let weights = vector("weights")?;
        if !weights.iter().all(|weight| MOST_VOTES.contains(weight)) {
            return Err(StateError::Unexpected {
                name: "fusion.weights".to_owned(),
                expected: format!("from {} to {}", MOST_VOTES.start(), MOST_VOTES.end()),
            });
        }
        Ok(Self {
            centres: vector("centres")?,
            scales: vector("scales")?,
            weights,
            anchors,
        })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;
    use crate::state::{StateReader, StoredArray};

    /// A fusion of detectors whose scores are standard already.
    fn standard(weights: &[f64]) -> Fusion {
        Fusion {
            centres: vec![0.0; weights.len()],
            scales: vec![1.0; weights.len()],
            weights: weights.to_vec(),
            anchors: [0.0, 1.0],
        }
    }

    #[test]
    fn the_most_alarmed_count_twice() {
        struct Case(&'static [f64], &'static [f64], f64);
        for Case(weights, scores, expected) in [
            Case(&[1.0], &[2.0], 4.0),
            Case(&[1.0, 1.0], &[3.0, 1.0], 2.0 + 3.0),
            Case(&[1.0; 3], &[0.0, 3.0, 6.0], 3.0 + 4.5),
            // Seven votes, the first twice: the three largest are 7, 7 and 4.
            Case(
                &[2.0, 1.0, 1.0, 1.0, 1.0, 1.0],
                &[7.0, 4.0, 0.0, 1.0, 2.0, 0.0],
                3.0 + 6.0,
            ),
        ] {
            let found = standard(weights).alarm(scores);
            assert!((found - expected).abs() < 1e-12, "{scores:?}: {found}");
        }
    }

    #[test]
    fn absurd_votes_are_a_damaged_file() {
        let load = |weight: f64| {
            let array = |name: &str, row: Vec<f64>| {
                let matrix = Matrix::new(1, row.len(), row).unwrap();
                (format!("fusion.{name}"), StoredArray::F64(matrix))
            };
            let arrays = [
                array("centres", vec![0.0]),
                array("scales", vec![1.0]),
                array("weights", vec![weight]),
                array("anchors", vec![0.0, 1.0]),
            ];
            Fusion::load(&StateReader::new(arrays.into()).section("fusion"), 1)
        };
        assert!(load(2.0).is_ok());
        for weight in [-1.0, 1e18, f64::NAN] {
            let error = load(weight).unwrap_err();
            assert!(error.to_string().contains("fusion.weights"), "{error}");
        }
    }

    #[test]
    fn detectors_that_are_blind_do_not_outvote_the_one_that_sees() {
        let fusion = standard(&[2.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let seen = fusion.alarm(&[3.0, 3.0, -2.0, 0.0, -1.0, 0.0]);
        let typical = fusion.alarm(&[0.9; 6]);
        assert!(seen > typical, "{seen} {typical}");
    }

    #[test]
    fn typical_images_score_a_quarter_and_one_in_twenty_above_a_half() {
        let scores: Vec<Vec<f64>> = vec![
            (0..1001).map(f64::from).collect(),
            (0..1001).map(|i| f64::from(i) * 7.0).collect(),
        ];
        let measures: Vec<Robust> = scores.iter().map(|s| Robust::of(s).unwrap()).collect();
        let fusion = Fusion::fit(&scores, &measures, vec![1.0; 2]);
        let score = |i: f64| fusion.score(&[i, 7.0 * i]);
        assert!((score(500.0) - 0.25).abs() < 1e-9);
        assert!((score(950.0) - 0.5).abs() < 1e-9);
        assert!(score(1e12) > score(1e11), "strange images keep their order");
        assert!(score(1e12) <= 1.0 && score(-1e12) >= 0.0);
    }
}
