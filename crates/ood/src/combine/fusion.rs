use super::Robust;
use crate::numeric::{quantile, sorted};
use crate::state::{SectionReader, SectionWriter, StateError};

/// The weighted mean of several detectors' standardised scores, brought to `0..=1`.
///
/// Each score becomes `(s - median) / (q90 - median)`, with quantiles over in-distribution
/// images. It is not cut off: a clip costs far outliers. The weighted mean `t` becomes the score
/// `(1 + x / (1 + |x|)) / 2` with `x = (t - q95) / (q95 - q50)`, where `q50` and `q95` are
/// quantiles of `t` over in-distribution images. So a typical in-distribution image scores 0.25,
/// one in twenty scores above 0.5, and the order of strange images is kept however strange they
/// are: unlike a logistic curve this one does not run into 1.
#[derive(Debug, Clone)]
pub(crate) struct Fusion {
    centres: Vec<f64>,
    scales: Vec<f64>,
    weights: Vec<f64>,
    /// Quantiles 0.5 and 0.95 of the mean over in-distribution images.
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
        let means: Vec<f64> = (0..images).map(|image| fusion.mean(&row(image))).collect();
        let means = sorted(&means);
        let (middle, high) = (quantile(&means, 0.5), quantile(&means, 0.95));
        if middle.is_finite() {
            fusion.anchors = [middle, high.max(middle + 1e-3)];
        }
        fusion
    }

    /// Weighted mean of the standardised scores.
    fn mean(&self, scores: &[f64]) -> f64 {
        let parts = scores
            .iter()
            .zip(&self.centres)
            .zip(&self.scales)
            .zip(&self.weights);
        let sum: f64 = parts
            .map(|(((score, centre), scale), weight)| weight * (score - centre) / scale)
            .sum();
        sum / self.weights.iter().sum::<f64>()
    }

    /// The combined score in `0..=1`.
    pub(crate) fn score(&self, scores: &[f64]) -> f64 {
        let [middle, high] = self.anchors;
        let x = (self.mean(scores) - high) / (high - middle);
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
        Ok(Self {
            centres: vector("centres")?,
            scales: vector("scales")?,
            weights: vector("weights")?,
            anchors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
