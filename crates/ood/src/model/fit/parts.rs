//! Which images are fitted on, calibrated on and judged on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::FEWEST_IMAGES;
use crate::detector::classes_of;
use crate::error::{FitError, SetError};
use crate::knn::Bank;
use crate::model::split::{Split, sample};
use crate::model::{FitOptions, ModelKind, recipe};
use crate::threshold::images_needed;
use crate::{ActivationSet, Dependence, ThresholdRule};

/// More images judge a model no better.
const MOST_TESTED: usize = 1000;
/// More outliers teach a forest nothing new.
const MOST_OUTLIERS: usize = 2000;
/// Held out at most for rules that promise nothing.
const MOST_HELD_OUT: usize = 600;
/// So many times what a promise needs is held out at most: then one image may lie above the
/// threshold, so that a single stray does not set it.
const HELD_OUT_FACTOR: usize = 2;
/// From this many images on, the fusion is scaled on images that detectors do not learn from,
/// instead of on cross-fitted ones: one fit instead of six, and the bank still holds them all.
const MANY_IMAGES: usize = 2000;
/// On so many.
const SCALED: f64 = 500.0;
/// Detectors that learn more than a bank learn from this many images at most, or from this many a
/// dimension or class.
const MOST_LEARNED: usize = 4096;
const LEARNED_PER_DIMENSION: usize = 4;
const LEARNED_PER_CLASS: usize = 20;

/// The images of a fit, parted.
#[derive(Debug)]
pub(super) struct Parts {
    /// Detectors learn from these: all fitted images, or a sample of very many.
    pub(super) fit: ActivationSet,
    /// The bank of all fitted images, where `fit` is only a part of them.
    pub(super) whole: Option<Whole>,
    /// Images of the bank that detectors do not learn from, for the scale of their scores; of
    /// many images only.
    pub(super) scale: Option<Scale>,
    /// Number of fitted images.
    pub(super) fitted: usize,
    /// Number of classes that have fitted images.
    pub(super) populated_classes: usize,
    pub(super) calibration: ActivationSet,
    pub(super) test: ActivationSet,
    pub(super) outliers: Option<OutlierParts>,
    /// What is odd about the images.
    pub(super) notes: Vec<String>,
}

/// All fitted images as unit vectors, and where the sample lies among them.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bank: Arc<Bank>,
    pub(super) row_of: Vec<usize>,
}

/// Images on which detectors that have not seen them are scaled.
#[derive(Debug)]
pub(super) struct Scale {
    pub(super) set: ActivationSet,
    /// Their rows in the bank.
    pub(super) row_of: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct OutlierParts {
    pub(super) fit: ActivationSet,
    pub(super) calibration: ActivationSet,
    pub(super) test: ActivationSet,
}

impl Parts {
    pub(super) fn new(
        inside: ActivationSet,
        outliers: Option<&ActivationSet>,
        options: &FitOptions,
    ) -> Result<Self, FitError> {
        let outliers = outliers.filter(|set| !set.is_empty());
        check_sets(&inside, outliers, options)?;
        let notes = dependences(&inside, options);
        let split = split(&inside, outliers.is_some(), options);
        let held_out = inside.select(&split.calibration);
        let test = inside.select(&split.test);
        let classes = classes_of(&inside);
        let populated: BTreeSet<u32> = classes.iter().copied().collect();
        let Learned { fit, whole, scale } = Learned::new(inside, &classes, &split.fit, options);
        Ok(Self {
            fit,
            whole,
            scale,
            fitted: split.fit.len(),
            populated_classes: populated.len(),
            calibration: options.calibration.clone().unwrap_or(held_out),
            test,
            outliers: outliers.map(|set| OutlierParts::new(set, options)),
            notes,
        })
    }
}

/// What detectors learn from.
struct Learned {
    fit: ActivationSet,
    whole: Option<Whole>,
    scale: Option<Scale>,
}

impl Learned {
    fn new(inside: ActivationSet, classes: &[u32], rows: &[usize], options: &FitOptions) -> Self {
        let most = MOST_LEARNED
            .max(LEARNED_PER_DIMENSION * inside.features().columns())
            .max(LEARNED_PER_CLASS * inside.classes());
        let scaled = options.kind == ModelKind::Default && rows.len() >= MANY_IMAGES;
        if (rows.len() <= most && !scaled) || !recipe::only_unit_banks(options) {
            let all = rows.len() == inside.len();
            let fit = if all { inside } else { inside.select(rows) };
            let (whole, scale) = (None, None);
            return Self { fit, whole, scale };
        }
        let labels: Vec<u32> = rows
            .iter()
            .filter_map(|&row| classes.get(row).copied())
            .collect();
        let known = (labels.len() == rows.len()).then_some(labels.as_slice());
        let mut places = sample(rows.len(), known, most, options.seed);
        let scale = scaled.then(|| {
            let few = Split::new(
                rows.len(),
                known,
                SCALED / rows.len() as f64,
                0.0,
                options.seed,
            );
            places.retain(|place| few.calibration.binary_search(place).is_err());
            few.calibration
        });
        let at = |places: &[usize]| -> Vec<usize> { places.iter().map(|&p| rows[p]).collect() };
        let fit = inside.select(&at(&places));
        let scale = scale.map(|row_of| Scale {
            set: inside.select(&at(&row_of)),
            row_of,
        });
        let unit = inside.into_features().into_unit_rows(rows);
        let bank = Bank::new(&unit, labels, true, recipe::neighbours(options));
        let whole = Some(Whole {
            bank: Arc::new(bank),
            row_of: places,
        });
        Self { fit, whole, scale }
    }
}

fn split(inside: &ActivationSet, judged: bool, options: &FitOptions) -> Split {
    let images = inside.len();
    let at_most = |fraction: f64, most: usize, of: f64| fraction.min(most as f64 / of.max(1.0));
    let test = if judged {
        at_most(options.test_fraction, MOST_TESTED, images as f64)
    } else {
        0.0
    };
    let fixed = matches!(options.threshold, ThresholdRule::Fixed { .. });
    let held_out = if fixed || options.calibration.is_some() {
        0.0
    } else {
        let rest = images as f64 * (1.0 - test);
        at_most(
            options.calibration_fraction,
            most_held_out(&options.threshold),
            rest,
        )
    };
    Split::new(images, inside.labels(), held_out, test, options.seed)
}

/// Images beyond this many are worth more to the detectors than to the threshold.
fn most_held_out(rule: &ThresholdRule) -> usize {
    match *rule {
        ThresholdRule::MaxFalseCollection {
            rate, confidence, ..
        } => HELD_OUT_FACTOR * images_needed(rate, confidence),
        _ => MOST_HELD_OUT,
    }
}

fn dependences(inside: &ActivationSet, options: &FitOptions) -> Vec<String> {
    let of = |set: &ActivationSet| {
        let found = Dependence::of(set, options.seed);
        found.map_or_else(Vec::new, |found| found.warnings())
    };
    let mut notes = of(inside);
    if let Some(calibration) = &options.calibration {
        let named = of(calibration).into_iter();
        notes.extend(named.map(|note| format!("calibration images: {note}")));
    }
    notes
}

impl OutlierParts {
    /// Outliers are fitted on only by kinds that learn from them, and calibrated on only by
    /// rules that compare with them.
    fn new(set: &ActivationSet, options: &FitOptions) -> Self {
        let images = set.len().max(1) as f64;
        let calibration = if options.threshold.needs_outliers() {
            options
                .calibration_fraction
                .min(MOST_HELD_OUT as f64 / images)
        } else {
            0.0
        };
        let test = options.test_fraction.min(MOST_TESTED as f64 / images);
        let split = if options.kind.needs_outliers() {
            let mut split = Split::new(set.len(), None, calibration, test, options.seed);
            let picked = sample(split.fit.len(), None, MOST_OUTLIERS, options.seed);
            split.fit = picked.into_iter().map(|place| split.fit[place]).collect();
            split
        } else {
            let mut split = Split::new(set.len(), None, calibration, 0.0, options.seed);
            split.test = std::mem::take(&mut split.fit);
            split
        };
        Self {
            fit: set.select(&split.fit),
            calibration: set.select(&split.calibration),
            test: set.select(&split.test),
        }
    }
}

fn check_sets(
    inside: &ActivationSet,
    outliers: Option<&ActivationSet>,
    options: &FitOptions,
) -> Result<(), FitError> {
    let actual = inside.len();
    if actual < FEWEST_IMAGES {
        let what = "an OOD model".to_owned();
        return Err(FitError::TooFew {
            what,
            needed: FEWEST_IMAGES,
            actual,
        });
    }
    let named = |which| move |source: SetError| FitError::Set { which, source };
    if let Some(set) = outliers {
        inside.check_same_model(set).map_err(named("outliers"))?;
    }
    if let Some(set) = &options.calibration {
        inside
            .check_same_model(set)
            .map_err(named("calibration images"))?;
    }
    let lacks = outliers.is_none();
    if lacks && (options.kind.needs_outliers() || options.threshold.needs_outliers()) {
        return Err(FitError::NoOutliers {
            kind: options.kind.name(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threshold::Shortfall;

    fn rule(rate: f64) -> ThresholdRule {
        ThresholdRule::MaxFalseCollection {
            rate,
            confidence: 0.95,
            shortfall: Shortfall::Relax,
        }
    }

    fn images(count: usize) -> ActivationSet {
        let features = crate::Matrix::from_fn(count, 2, |i, j| ((i * 7 + j * 3) as f32).sin());
        ActivationSet::new(features).unwrap()
    }

    #[test]
    fn a_part_of_few_images_and_a_number_of_many_is_held_out() {
        struct Case(usize, f64, usize);
        for Case(count, rate, expected) in [
            Case(100, 0.01, 30),
            Case(1000, 0.01, 300),
            Case(3000, 0.01, 598),
            Case(20_000, 0.01, 598),
            Case(20_000, 0.1, 58),
        ] {
            let options = FitOptions {
                threshold: rule(rate),
                ..FitOptions::default()
            };
            let parts = Parts::new(images(count), None, &options).unwrap();
            assert_eq!(parts.calibration.len(), expected, "{count} {rate}");
            assert_eq!(parts.fitted, count - expected);
        }
    }

    #[test]
    fn a_fixed_threshold_needs_no_images() {
        let options = FitOptions {
            threshold: ThresholdRule::Fixed { value: 0.5 },
            ..FitOptions::default()
        };
        let parts = Parts::new(images(100), None, &options).unwrap();
        assert_eq!((parts.fitted, parts.calibration.len()), (100, 0));
    }

    #[test]
    fn very_many_images_are_all_in_the_bank_and_a_sample_is_learned_from() {
        let parts = Parts::new(images(9000), None, &FitOptions::default()).unwrap();
        let whole = parts.whole.unwrap();
        let scale = parts.scale.unwrap();
        assert_eq!(
            (parts.fit.len(), scale.set.len()),
            (whole.row_of.len(), 500)
        );
        assert!((3700..4096).contains(&parts.fit.len()));
        assert!(scale.row_of.iter().all(|row| !whole.row_of.contains(row)));
        let (picked, place) = (parts.fit.features().unit_rows(), whole.row_of[17]);
        let found = whole.bank.search(picked.row(17), None);
        assert!(found.distances[0] < 1e-10 && place < 9000 - 598);
        assert!(whole.bank.search(picked.row(17), Some(place)).rows[0] != place as u32);
    }
}
