use crate::numeric::{quantile, sorted};

/// Middle and spread of a score on in-distribution images, unmoved by a few strays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Robust {
    /// The median.
    pub(crate) centre: f64,
    /// The spread, as a standard deviation of normal data would be; above 0.
    pub(crate) scale: f64,
}

impl Robust {
    /// Measures scores; `None` when they are all the same (or there are none).
    ///
    /// The spread is 1.4826 times the median absolute deviation; where more than half of the
    /// scores are equal, the interquartile range, and then the standard deviation take its place.
    pub(crate) fn of(scores: &[f64]) -> Option<Self> {
        let ascending = sorted(scores);
        let centre = quantile(&ascending, 0.5);
        let deviations: Vec<f64> = scores.iter().map(|score| (score - centre).abs()).collect();
        let deviation = 1.4826 * quantile(&sorted(&deviations), 0.5);
        let quartiles = (quantile(&ascending, 0.75) - quantile(&ascending, 0.25)) / 1.349;
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let squares = scores
            .iter()
            .map(|score| (score - mean).powi(2))
            .sum::<f64>();
        let standard = (squares / scores.len() as f64).sqrt();
        // Less than rounding errors of the scores themselves is no spread.
        let noise = 1e-9 * (centre.abs() + standard) + f64::MIN_POSITIVE;
        let scale = [deviation, quartiles, standard]
            .into_iter()
            .find(|&scale| scale > noise)?;
        Some(Self { centre, scale })
    }

    /// How many spreads a score lies above the middle.
    pub(crate) fn deviation(&self, score: f64) -> f64 {
        (score - self.centre) / self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_does_not_move_the_scale() {
        let robust = Robust::of(&[1.0, 2.0, 3.0, 4.0, 1e9]).unwrap();
        assert!((robust.centre - 3.0).abs() < 1e-12);
        assert!((robust.scale - 1.4826).abs() < 1e-12);
        assert!((robust.deviation(3.0 + 2.0 * 1.4826) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn mostly_equal_scores_fall_back_and_equal_scores_have_no_scale() {
        assert!(Robust::of(&[0.0, 0.0, 0.0, 0.0, 5.0]).unwrap().scale > 1.0);
        assert_eq!(Robust::of(&[2.0; 9]), None);
        assert_eq!(Robust::of(&[]), None);
    }
}
