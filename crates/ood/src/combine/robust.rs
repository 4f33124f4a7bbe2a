use crate::numeric::{quantile, sorted};

/// Middle and upper reach of a score on in-distribution images, unmoved by a few strays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Robust {
    /// The median.
    pub(crate) centre: f64,
    /// From the median to the 90 % quantile; above 0.
    pub(crate) scale: f64,
}

impl Robust {
    /// Measures scores; `None` when they are all the same (or there are none).
    ///
    /// The reach upwards is what matters: false alarms lie there, and scores are skewed. Where
    /// more than two fifths of the scores equal the median, the distance to the 10 % quantile and
    /// then the standard deviation take its place.
    pub(crate) fn of(scores: &[f64]) -> Option<Self> {
        let ascending = sorted(scores);
        let centre = quantile(&ascending, 0.5);
        let up = quantile(&ascending, 0.9) - centre;
        let down = centre - quantile(&ascending, 0.1);
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let squares = scores
            .iter()
            .map(|score| (score - mean).powi(2))
            .sum::<f64>();
        let standard = (squares / scores.len() as f64).sqrt();
        // Less than rounding errors of the scores themselves is no spread.
        let noise = 1e-9 * (centre.abs() + standard) + f64::MIN_POSITIVE;
        let scale = [up, down, standard]
            .into_iter()
            .find(|&scale| scale > noise)?;
        Some(Self { centre, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_does_not_move_the_scale() {
        let mut scores: Vec<f64> = (0..101).map(f64::from).collect();
        scores[100] = 1e9;
        let robust = Robust::of(&scores).unwrap();
        assert!((robust.centre - 50.0).abs() < 1e-12 && (robust.scale - 40.0).abs() < 1e-12);
    }

    #[test]
    fn mostly_equal_scores_fall_back_and_equal_scores_have_no_scale() {
        let mut scores = vec![0.0; 19];
        scores.push(5.0);
        assert!(Robust::of(&scores).unwrap().scale > 1.0);
        assert_eq!(Robust::of(&[2.0; 9]), None);
        assert_eq!(Robust::of(&[]), None);
    }
}
