use serde::{Deserialize, Serialize};

use crate::error::FitError;
use crate::{ActivationSet, Head, ThresholdRule};

/// The kinds of OOD model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelKind {
    /// A fusion of standardised detectors; needs no outliers.
    #[default]
    Default,
    /// The sub-scores and the random forest of the Geti SDK's COOD, cross-fitted; needs outliers.
    Geti,
    /// A forest over all sound detectors; for users who have real outliers.
    Supervised,
}

impl ModelKind {
    /// The kind's name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Geti => "geti",
            Self::Supervised => "supervised",
        }
    }

    /// Whether the kind learns from outliers.
    pub fn needs_outliers(self) -> bool {
        self != Self::Default
    }
}

impl std::str::FromStr for ModelKind {
    type Err = FitError;

    fn from_str(text: &str) -> Result<Self, FitError> {
        let known = [Self::Default, Self::Geti, Self::Supervised];
        known
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| FitError::Option {
                option: "kind",
                value: text.to_owned(),
                allowed: "default, geti or supervised",
            })
    }
}

/// How an OOD model is fitted.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Which kind.
    pub kind: ModelKind,
    /// Weight and bias of the deployed model's last layer, for the detectors that use them.
    pub head: Option<Head>,
    /// Held-out in-distribution images for the threshold; without them a part of the
    /// in-distribution images is held out (see [`FitOptions::calibration_fraction`]).
    pub calibration: Option<ActivationSet>,
    /// How the threshold is found.
    pub threshold: ThresholdRule,
    /// Number of neighbours, at least 1; fewer are used where there are fewer images.
    pub neighbours: usize,
    /// Whether the features of the `geti` kind hold reconstruction errors; without them they are
    /// the reference's feature set "knn + msp", which is faster with many images. The other kinds
    /// have the reconstruction errors of the default in any case.
    pub reconstruction: bool,
    /// Part of the variance that reconstruction errors keep, `0..1`.
    pub variance: f64,
    /// Part of the images that is held out to find the threshold, `0..1`; of many images
    /// twice as many as the promise needs.
    pub calibration_fraction: f64,
    /// Part of the images that is held out to judge the model, `0..1`, at most 1,000; nothing is
    /// held out without outliers to compare with.
    pub test_fraction: f64,
    /// Number of folds of the cross-fit, at least 2. From 1,000 images on forests take two; from 2,000 on the
    /// default kind scales its scores on 500 images that its detectors do not learn from.
    pub folds: usize,
    /// Scores of at most this many images are cross-fitted: more tell nothing new.
    pub most_cross_fitted: usize,
    /// Number of trees of forests, at least 1.
    pub trees: usize,
    /// Where all random choices begin: the same seed gives the same model.
    pub seed: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            kind: ModelKind::Default,
            head: None,
            calibration: None,
            threshold: ThresholdRule::default(),
            neighbours: 10,
            reconstruction: true,
            variance: 0.9,
            calibration_fraction: 0.3,
            test_fraction: 0.3,
            folds: 5,
            most_cross_fitted: 2000,
            trees: 100,
            seed: 0,
        }
    }
}

impl FitOptions {
    /// Options of a kind with the threshold rule that suits it: a promise for the default kind,
    /// the best F1 for kinds that learn from outliers.
    pub fn of(kind: ModelKind) -> Self {
        let threshold = if kind.needs_outliers() {
            ThresholdRule::BestF1
        } else {
            ThresholdRule::default()
        };
        Self {
            kind,
            threshold,
            ..Self::default()
        }
    }

    /// Whether every option lies in its range.
    pub(crate) fn check(&self) -> Result<(), FitError> {
        let fraction = |value: f64| (0.0..1.0).contains(&value);
        let checks = [
            (
                "neighbours",
                self.neighbours as f64,
                self.neighbours >= 1,
                "at least 1",
            ),
            ("folds", self.folds as f64, self.folds >= 2, "at least 2"),
            ("trees", self.trees as f64, self.trees >= 1, "at least 1"),
            (
                "variance",
                self.variance,
                fraction(self.variance),
                "at least 0 and below 1",
            ),
            (
                "calibration_fraction",
                self.calibration_fraction,
                fraction(self.calibration_fraction),
                "at least 0 and below 1",
            ),
            (
                "test_fraction",
                self.test_fraction,
                fraction(self.test_fraction),
                "at least 0 and below 1",
            ),
        ];
        match checks.into_iter().find(|(.., holds, _)| !holds) {
            Some((option, value, _, allowed)) => Err(FitError::Option {
                option,
                value: value.to_string(),
                allowed,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_out_of_range_are_named() {
        let options = FitOptions {
            folds: 1,
            ..FitOptions::default()
        };
        assert_eq!(
            options.check().unwrap_err().to_string(),
            "folds is 1, but must be at least 2"
        );
        let options = FitOptions {
            test_fraction: f64::NAN,
            ..FitOptions::default()
        };
        assert!(options.check().is_err());
        assert!(FitOptions::default().check().is_ok());
    }

    #[test]
    fn kinds_have_names() {
        for kind in [ModelKind::Default, ModelKind::Geti, ModelKind::Supervised] {
            assert_eq!(kind.name().parse::<ModelKind>().unwrap(), kind);
        }
        assert!("forest".parse::<ModelKind>().is_err());
    }
}
