use serde::{Deserialize, Serialize};

/// One threshold and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// Images with at least this score are called outliers; infinite for the first point.
    #[serde(
        serialize_with = "finite_or_null",
        deserialize_with = "null_is_infinite"
    )]
    pub threshold: f64,
    /// Part of the in-distribution images that are called outliers.
    pub fpr: f64,
    /// Part of the outliers that are called outliers.
    pub tpr: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn finite_or_null<S: serde::Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(to)
}

fn null_is_infinite<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
}

/// The receiver operating characteristic of one score on two sets of images.
///
/// One point for each distinct score, by falling threshold, after the point (0, 0).
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    points: Vec<RocPoint>,
    inside: usize,
    outside: usize,
}

impl RocCurve {
    /// Builds the curve from the scores of in-distribution images and of outliers.
    ///
    /// `None` when one of the sets is empty or a score is NaN: there is nothing to compare.
    pub fn new(inside: &[f64], outside: &[f64]) -> Option<Self> {
        let scores = inside.iter().chain(outside);
        if inside.is_empty() || outside.is_empty() || scores.clone().any(|score| score.is_nan()) {
            return None;
        }
        let mut all: Vec<(f64, bool)> = inside.iter().map(|&score| (score, false)).collect();
        all.extend(outside.iter().map(|&score| (score, true)));
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut points = vec![RocPoint {
            threshold: f64::INFINITY,
            fpr: 0.0,
            tpr: 0.0,
        }];
        let (mut false_alarms, mut hits) = (0_usize, 0_usize);
        #[expect(
            clippy::float_cmp,
            reason = "equal scores are never told apart; -0.0 is 0.0"
        )]
        for equal in all.chunk_by(|a, b| a.0 == b.0) {
            let outliers = equal.iter().filter(|(_, outlier)| *outlier).count();
            hits += outliers;
            false_alarms += equal.len() - outliers;
            points.push(RocPoint {
                threshold: equal[0].0,
                fpr: false_alarms as f64 / inside.len() as f64,
                tpr: hits as f64 / outside.len() as f64,
            });
        }
        Some(Self {
            points,
            inside: inside.len(),
            outside: outside.len(),
        })
    }

    /// All points by falling threshold.
    pub fn points(&self) -> &[RocPoint] {
        &self.points
    }

    /// Number of in-distribution images.
    pub fn inside(&self) -> usize {
        self.inside
    }

    /// Number of outliers.
    pub fn outside(&self) -> usize {
        self.outside
    }

    /// Area under the curve, `0..=1`: the chance that an outlier scores higher than an
    /// in-distribution image, equal scores counting half.
    pub fn auroc(&self) -> f64 {
        let area =
            |pair: &[RocPoint]| (pair[1].fpr - pair[0].fpr) * (pair[1].tpr + pair[0].tpr) / 2.0;
        self.points.windows(2).map(area).sum()
    }

    /// Average precision with outliers as the positive class.
    pub fn aupr_out(&self) -> f64 {
        let precision = |point: &RocPoint| {
            let hits = point.tpr * self.outside as f64;
            hits / (hits + point.fpr * self.inside as f64)
        };
        let step = |pair: &[RocPoint]| (pair[1].tpr - pair[0].tpr) * precision(&pair[1]);
        self.points.windows(2).map(step).sum()
    }

    /// Average precision with in-distribution images as the positive class.
    pub fn aupr_in(&self) -> f64 {
        let precision = |point: &RocPoint| {
            let hits = (1.0 - point.fpr) * self.inside as f64;
            hits / (hits + (1.0 - point.tpr) * self.outside as f64)
        };
        let step = |pair: &[RocPoint]| (pair[1].fpr - pair[0].fpr) * precision(&pair[0]);
        self.points.windows(2).map(step).sum()
    }

    /// The best point whose false positive rate does not exceed `fpr`: the highest true positive
    /// rate, among equals the lowest false positive rate.
    pub fn at_fpr(&self, fpr: f64) -> RocPoint {
        let allowed = self.points.iter().filter(|point| point.fpr <= fpr + 1e-12);
        let best = allowed.max_by(|a, b| a.tpr.total_cmp(&b.tpr).then(b.fpr.total_cmp(&a.fpr)));
        best.copied().unwrap_or(self.points[0])
    }

    /// Lowest false positive rate at which at least the part `tpr` of the outliers is found.
    pub fn fpr_at_tpr(&self, tpr: f64) -> f64 {
        let enough = self.points.iter().find(|point| point.tpr >= tpr - 1e-12);
        enough.map_or(1.0, |point| point.fpr)
    }

    /// Part of the outliers that pass when at least the part `kept` of the in-distribution images
    /// passes: the false positive rate with in-distribution images as the positive class.
    pub fn missed_when_keeping(&self, kept: f64) -> f64 {
        1.0 - self.at_fpr(1.0 - kept).tpr
    }

    /// The threshold with the highest F1, its F1 with it; among equals the highest threshold.
    ///
    /// Never NaN: a threshold above all scores has F1 0, whichever image scored highest.
    pub fn best_f1(&self) -> (RocPoint, f64) {
        let mut best = (self.points[0], 0.0);
        for point in &self.points[1..] {
            let f1 = self.f1(point);
            if f1 > best.1 {
                best = (*point, f1);
            }
        }
        best
    }

    fn f1(&self, point: &RocPoint) -> f64 {
        let hits = point.tpr * self.outside as f64;
        let alarms = hits + point.fpr * self.inside as f64;
        2.0 * hits / (alarms + self.outside as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separate_sets_have_a_perfect_curve() {
        let curve = RocCurve::new(&[0.1, 0.2], &[0.8, 0.9]).unwrap();
        assert!((curve.auroc() - 1.0).abs() < 1e-12);
        assert!((curve.aupr_in() - 1.0).abs() < 1e-12 && (curve.aupr_out() - 1.0).abs() < 1e-12);
        assert!(curve.fpr_at_tpr(0.95).abs() < 1e-12);
        assert!(curve.missed_when_keeping(0.95).abs() < 1e-12);
        let (point, f1) = curve.best_f1();
        assert!((point.threshold - 0.8).abs() < 1e-12 && (f1 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_best_f1_is_sound_when_the_top_score_is_in_distribution() {
        let curve = RocCurve::new(&[0.1, 0.2, 0.99], &[0.5, 0.6]).unwrap();
        let (point, f1) = curve.best_f1();
        assert!((point.threshold - 0.5).abs() < 1e-12);
        assert!((f1 - 0.8).abs() < 1e-12);
    }

    #[test]
    fn a_rate_that_is_allowed_is_never_exceeded() {
        let inside: Vec<f64> = (0..40).map(f64::from).collect();
        let curve = RocCurve::new(&inside, &[39.5, 38.5, 1.0]).unwrap();
        let point = curve.at_fpr(0.01);
        assert!(point.fpr.abs() < 1e-12 && (point.tpr - 1.0 / 3.0).abs() < 1e-12);
        assert!((curve.at_fpr(0.05).tpr - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_compare_is_no_curve() {
        assert!(RocCurve::new(&[], &[1.0]).is_none());
        assert!(RocCurve::new(&[1.0], &[]).is_none());
        assert!(RocCurve::new(&[f64::NAN], &[1.0]).is_none());
    }

    proptest! {
        #[test]
        fn auroc_is_the_chance_of_a_higher_score(
            inside in prop::collection::vec(0_u8..10, 1..30),
            outside in prop::collection::vec(0_u8..10, 1..30),
        ) {
            let pairs = inside.iter().flat_map(|a| outside.iter().map(move |b| match b.cmp(a) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            }));
            let chance = pairs.sum::<f64>() / (inside.len() * outside.len()) as f64;
            let numbers = |v: &[u8]| v.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let curve = RocCurve::new(&numbers(&inside), &numbers(&outside)).unwrap();
            prop_assert!((curve.auroc() - chance).abs() < 1e-9);
        }
    }
}
