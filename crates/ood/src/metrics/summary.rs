use serde::{Deserialize, Serialize};

use super::RocCurve;

/// How well one score tells outliers from in-distribution images; rates in `0..=1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of in-distribution images.
    pub in_distribution: usize,
    /// Number of outliers.
    pub outliers: usize,
    /// Area under the receiver operating characteristic.
    pub auroc: f64,
    /// Average precision with in-distribution images as the positive class.
    pub aupr_in: f64,
    /// Average precision with outliers as the positive class.
    pub aupr_out: f64,
    /// Part of the outliers found when at most 1 % of the in-distribution images are called outliers.
    pub tpr_at_1_fpr: f64,
    /// Part of the outliers found when at most 5 % of the in-distribution images are called outliers.
    pub tpr_at_5_fpr: f64,
    /// Part of the outliers that pass when 95 % of the in-distribution images pass
    /// (in-distribution images are the positive class: the convention of most papers).
    pub fpr_at_95_tpr_in: f64,
    /// Part of the in-distribution images that are called outliers when 95 % of the outliers are
    /// found (outliers are the positive class: the convention of OpenOOD's code).
    pub fpr_at_95_tpr_out: f64,
    /// What one threshold does, if there is one.
    pub operating: Option<Operating>,
}

/// What a threshold does on images whose nature is known; rates in `0..=1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operating {
    /// Images with at least this score are called outliers.
    pub threshold: f64,
    /// Part of all images that are called rightly.
    pub accuracy: f64,
    /// Harmonic mean of precision and recall of outliers; 0 when none is found.
    pub f1: f64,
    /// Part of the in-distribution images that are called outliers.
    pub fpr: f64,
    /// Part of the outliers that are called outliers.
    pub tpr: f64,
}

impl Metrics {
    /// Compares scores of in-distribution images and of outliers; `None` when a set is empty or
    /// a score is NaN.
    pub fn new(inside: &[f64], outside: &[f64], threshold: Option<f64>) -> Option<Self> {
        let curve = RocCurve::new(inside, outside)?;
        Some(Self {
            in_distribution: inside.len(),
            outliers: outside.len(),
            auroc: curve.auroc(),
            aupr_in: curve.aupr_in(),
            aupr_out: curve.aupr_out(),
            tpr_at_1_fpr: curve.at_fpr(0.01).tpr,
            tpr_at_5_fpr: curve.at_fpr(0.05).tpr,
            fpr_at_95_tpr_in: curve.missed_when_keeping(0.95),
            fpr_at_95_tpr_out: curve.fpr_at_tpr(0.95),
            operating: threshold.map(|threshold| Operating::new(inside, outside, threshold)),
        })
    }
}

impl Operating {
    /// Counts what a threshold does; rates over an empty set are 0.
    pub fn new(inside: &[f64], outside: &[f64], threshold: f64) -> Self {
        let called = |scores: &[f64]| scores.iter().filter(|&&score| score >= threshold).count();
        let (false_alarms, hits) = (called(inside), called(outside));
        let right = hits + inside.len() - false_alarms;
        let part = |count: usize, of: usize| {
            if of == 0 {
                0.0
            } else {
                count as f64 / of as f64
            }
        };
        Self {
            threshold,
            accuracy: part(right, inside.len() + outside.len()),
            f1: part(2 * hits, hits + false_alarms + outside.len()),
            fpr: part(false_alarms, inside.len()),
            tpr: part(hits, outside.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_counted_out() {
        let operating = Operating::new(&[0.1, 0.5], &[0.5, 0.2, 0.9], 0.5);
        assert!((operating.accuracy - 0.6).abs() < 1e-12);
        assert!((operating.f1 - 4.0 / 6.0).abs() < 1e-12);
        assert!((operating.fpr - 0.5).abs() < 1e-12);
        assert!((operating.tpr - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_two_conventions_of_fpr_at_95_differ() {
        let inside: Vec<f64> = (0..100).map(f64::from).collect();
        let metrics = Metrics::new(&inside, &[10.5, 200.0, 300.0, 400.0], None).unwrap();
        assert!((metrics.fpr_at_95_tpr_in - 0.25).abs() < 1e-12);
        assert!((metrics.fpr_at_95_tpr_out - 0.89).abs() < 1e-12);
    }
}
