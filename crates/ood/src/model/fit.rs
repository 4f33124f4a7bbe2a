use straylight_core::Progress;

use super::split::Split;
use super::{DetectorReport, FitOptions, FitReport, ImageCounts, ModelKind, OodModel, Provenance};
use crate::combine::{Combination, Fusion, Robust};
use crate::cross_fit::{CrossFit, Members, cross_fit};
use crate::detector::{FitContext, Reason};
use crate::error::{FitError, SetError};
use crate::forest::{Forest, ForestOptions};
use crate::random::Random;
use crate::{ActivationSet, Head, LeftOut, Matrix, Metrics, Threshold, ThresholdRule};

/// Fewer in-distribution images tell nothing about what is normal.
const FEWEST_IMAGES: usize = 4;
/// Logits that differ by more than this part of the largest are not the head's.
const HEAD_TOLERANCE: f64 = 1e-2;
/// With fewer held-out images than this, cross-fitted scores make a better threshold.
const FEWEST_HELD_OUT: usize = 10;
/// More fitted images than this are cross-fitted in two folds.
const MANY_IMAGES: usize = 5000;
/// How the steps of a fit are counted.
const STEPS: u64 = 4;

impl OodModel {
    /// Fits a model to in-distribution images, and to outliers where the kind learns from them.
    ///
    /// The images are parted by class into fitted, calibration and test images; the detectors'
    /// scores of fitted images are cross-fitted, the threshold is found on calibration images,
    /// and the metrics of the report come from test images, which nothing was chosen on. The
    /// same input and seed give the same model.
    ///
    /// Detectors that lack something are left out with a reason; the fit fails only when none
    /// remains, when there are too few images, or when the threshold rule cannot be kept.
    pub fn fit(
        in_distribution: &ActivationSet,
        outliers: Option<&ActivationSet>,
        options: &FitOptions,
        progress: &dyn Progress,
    ) -> Result<(Self, FitReport), FitError> {
        options.check()?;
        progress.begin("Fitting the OOD model", STEPS);
        let fitted = Parts::new(in_distribution, outliers, options)
            .and_then(|parts| Fit::new(&parts, options).run(progress));
        progress.finish();
        fitted
    }
}

/// The images of a fit, parted.
#[derive(Debug)]
struct Parts {
    fit: ActivationSet,
    calibration: ActivationSet,
    test: ActivationSet,
    outliers: Option<OutlierParts>,
}

#[derive(Debug)]
struct OutlierParts {
    fit: ActivationSet,
    calibration: ActivationSet,
    test: ActivationSet,
}

impl Parts {
    fn new(
        inside: &ActivationSet,
        outliers: Option<&ActivationSet>,
        options: &FitOptions,
    ) -> Result<Self, FitError> {
        let outliers = outliers.filter(|set| !set.is_empty());
        check_sets(inside, outliers, options)?;
        let test = if outliers.is_some() {
            options.test_fraction
        } else {
            0.0
        };
        let held_out = if options.calibration.is_some() {
            0.0
        } else {
            options.calibration_fraction
        };
        let split = Split::new(inside.len(), inside.labels(), held_out, test, options.seed);
        let calibration = inside.select(&split.calibration);
        Ok(Self {
            fit: inside.select(&split.fit),
            calibration: options.calibration.clone().unwrap_or(calibration),
            test: inside.select(&split.test),
            outliers: outliers.map(|set| OutlierParts::new(set, options)),
        })
    }
}

impl OutlierParts {
    /// Outliers are fitted on only by kinds that learn from them, and calibrated on only by
    /// rules that compare with them.
    fn new(set: &ActivationSet, options: &FitOptions) -> Self {
        let calibration = if options.threshold.needs_outliers() {
            options.calibration_fraction
        } else {
            0.0
        };
        let split = if options.kind.needs_outliers() {
            Split::new(
                set.len(),
                None,
                calibration,
                options.test_fraction,
                options.seed,
            )
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

/// A fit under way.
struct Fit<'a> {
    parts: &'a Parts,
    options: &'a FitOptions,
    head: Option<&'a Head>,
    left_out: Vec<LeftOut>,
    notes: Vec<String>,
}

/// Cross-fitted scores of the fitted images, one entry a detector.
struct Fitted {
    members: Members,
    scores: Vec<Vec<f64>>,
    measures: Vec<Option<Robust>>,
}

impl<'a> Fit<'a> {
    fn new(parts: &'a Parts, options: &'a FitOptions) -> Self {
        Self {
            parts,
            options,
            head: None,
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn run(mut self, progress: &dyn Progress) -> Result<(OodModel, FitReport), FitError> {
        self.check_head();
        self.note_degradations();
        let fitted = self.fit_detectors(progress)?;
        let (combination, train) = self.combine(&fitted)?;
        progress.advance(1);
        let model = OodModel {
            kind: self.options.kind,
            dimensions: self.parts.fit.features().columns(),
            classes: self.parts.fit.classes(),
            members: fitted.members,
            combination,
            threshold: Threshold {
                value: 0.5,
                rule: ThresholdRule::Fixed { value: 0.5 },
                promise: None,
            },
            provenance: Provenance::default(),
        };
        let (threshold, validation) = self.calibrate(&model, &train)?;
        let model = model.with_threshold(threshold);
        progress.advance(1);
        let report = self.report(&model, &fitted.measures, train, validation)?;
        Ok((model, report))
    }

    /// Uses the head only when it gives the model's own logits.
    fn check_head(&mut self) {
        let Some(head) = &self.options.head else {
            return;
        };
        match head.mismatch(&self.parts.fit) {
            Some(mismatch) if mismatch <= HEAD_TOLERANCE => self.head = Some(head),
            Some(mismatch) => {
                let reason = Reason::HeadMismatch(mismatch);
                self.notes.push(format!("the head is not used: {reason}"));
            }
            None => self.notes.push(
                "the head is not used: its shape does not fit the features and logits".to_owned(),
            ),
        }
    }

    fn note_degradations(&mut self) {
        let images = self.parts.fit.len();
        if images <= self.options.neighbours {
            self.notes.push(format!(
                "{} neighbours were asked for, but only {images} images are fitted: all others count as neighbours",
                self.options.neighbours
            ));
        }
        if self.parts.fit.labels().is_none() && self.parts.fit.class_scores().is_some() {
            self.notes
                .push("no labels were given: the predicted classes take their place".into());
        }
    }

    fn fit_detectors(&mut self, progress: &dyn Progress) -> Result<Fitted, FitError> {
        let specs = self.options.kind.detectors(self.options);
        let set = &self.parts.fit;
        let context = FitContext::new(set, self.head, self.options.neighbours);
        let (members, left_out) = Members::fit(&specs, &context);
        self.left_out.extend(left_out);
        progress.advance(1);
        let rows = self.sampled_rows();
        let cross = CrossFit {
            folds: self.folds(),
            neighbours: self.options.neighbours,
            seed: self.options.seed,
        };
        let scores = cross_fit(&members, set, self.head, &rows, &cross);
        progress.advance(1);
        self.keep_sound(members, scores)
    }

    /// Two folds of many images are enough: either half is as good as all.
    fn folds(&self) -> usize {
        if self.parts.fit.len() > MANY_IMAGES {
            2
        } else {
            self.options.folds
        }
    }

    /// The images whose scores are cross-fitted: all, or a random sample of many.
    fn sampled_rows(&mut self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.parts.fit.len()).collect();
        let most = self.options.most_cross_fitted.max(FEWEST_IMAGES);
        if rows.len() > most {
            Random::part(self.options.seed, 1).shuffle(&mut rows);
            rows.truncate(most);
            rows.sort_unstable();
            self.notes.push(format!(
                "the scores of {most} random fitted images were cross-fitted"
            ));
        }
        rows
    }

    /// Drops detectors that could not be cross-fitted; a fusion also drops constant ones.
    fn keep_sound(
        &mut self,
        members: Members,
        scores: Vec<Result<Vec<f64>, Reason>>,
    ) -> Result<Fitted, FitError> {
        let mut fitted = Fitted {
            members: Members::default(),
            scores: Vec::new(),
            measures: Vec::new(),
        };
        let needs_spread = self.options.kind == ModelKind::Default;
        for ((spec, detector), scores) in members.list.into_iter().zip(scores) {
            let measured = scores.map(|scores| (Robust::of(&scores), scores));
            match measured {
                Ok((None, _)) if needs_spread => {
                    self.left_out.push(spec.left_out(Reason::Constant));
                }
                Ok((measure, scores)) => {
                    fitted.members.list.push((spec, detector));
                    fitted.scores.push(scores);
                    fitted.measures.push(measure);
                }
                Err(reason) => self.left_out.push(spec.left_out(reason)),
            }
        }
        if fitted.members.list.is_empty() {
            let reasons = self.left_out.iter().map(ToString::to_string).collect();
            return Err(FitError::NoDetector { reasons });
        }
        Ok(fitted)
    }

    /// Fits the combination; gives the cross-fitted combined scores of the fitted images, and
    /// those of the outliers that were fitted on.
    fn combine(&self, fitted: &Fitted) -> Result<(Combination, [Vec<f64>; 2]), FitError> {
        let images = fitted.scores.first().map_or(0, Vec::len);
        let row = |image: usize| {
            fitted
                .scores
                .iter()
                .map(|of| of[image])
                .collect::<Vec<f64>>()
        };
        let inside: Vec<Vec<f64>> = (0..images).map(row).collect();
        if self.options.kind == ModelKind::Default {
            let measures: Vec<Robust> = fitted.measures.iter().copied().flatten().collect();
            let weights = fitted
                .members
                .list
                .iter()
                .map(|(spec, _)| super::recipe::weight(spec))
                .collect();
            let fusion = Fusion::fit(&fitted.scores, &measures, weights);
            let train = inside.iter().map(|row| fusion.score(row)).collect();
            return Ok((Combination::Fusion(fusion), [train, Vec::new()]));
        }
        let outliers = self.parts.outliers.as_ref();
        let outside = match outliers {
            Some(parts) => fitted
                .members
                .score_all(&parts.fit)
                .map_err(scoring_failed)?,
            None => Vec::new(),
        };
        let forest_options = ForestOptions {
            trees: self.options.trees,
            smallest_leaf: 1,
            balanced: self.options.kind == ModelKind::Supervised,
            seed: self.options.seed,
        };
        let forest = fit_forest(&inside, &outside, &forest_options);
        let train = out_of_fold(&inside, &outside, &forest_options, self.options.folds);
        Ok((Combination::Forest(forest), train))
    }

    /// Finds the threshold on held-out images, or on cross-fitted scores where there are too few.
    fn calibrate(
        &mut self,
        model: &OodModel,
        train: &[Vec<f64>; 2],
    ) -> Result<(Threshold, Option<Metrics>), FitError> {
        let mut inside = model
            .score_set(&self.parts.calibration)
            .map_err(scoring_failed)?;
        let calibration = self.parts.outliers.as_ref().map(|parts| &parts.calibration);
        let mut outside = match calibration {
            Some(set) => model.score_set(set).map_err(scoring_failed)?,
            None => Vec::new(),
        };
        let held_out = inside.len() >= FEWEST_HELD_OUT || self.options.calibration.is_some();
        if !held_out {
            self.notes.push(format!(
                "only {} held-out images: the threshold was found on cross-fitted scores of the fitted images and promises nothing",
                inside.len()
            ));
            inside.extend_from_slice(&train[0]);
            outside.extend_from_slice(&train[1]);
        }
        let found = self.options.threshold.find(&inside, &outside)?;
        let mut threshold = found.ok_or(FitError::NoOutliers {
            kind: self.options.kind.name(),
        })?;
        if !held_out {
            threshold.promise = None;
        }
        self.note_promise(&threshold);
        Ok((
            threshold,
            Metrics::new(&inside, &outside, Some(threshold.value)),
        ))
    }

    fn note_promise(&mut self, threshold: &Threshold) {
        let ThresholdRule::MaxFalseCollection { rate, .. } = threshold.rule else {
            return;
        };
        let Some(promise) = threshold.promise else {
            return;
        };
        if promise.max_false_collection_rate > rate {
            self.notes.push(format!(
                "a false collection rate of {rate} needs {} held-out images; the {} there are allow {:.4}, which is what is promised",
                crate::threshold::images_needed(rate, promise.confidence),
                promise.images,
                promise.max_false_collection_rate
            ));
        }
    }

    fn report(
        self,
        model: &OodModel,
        measures: &[Option<Robust>],
        train: [Vec<f64>; 2],
        validation: Option<Metrics>,
    ) -> Result<FitReport, FitError> {
        let parts = self.parts;
        let threshold = *model.threshold_details();
        let [train_inside, train_outside] = train;
        let (test, test_aurocs) = self.judge(model)?;
        let counts =
            |fit: &ActivationSet, calibration: &ActivationSet, test: &ActivationSet| ImageCounts {
                fit: fit.len(),
                calibration: calibration.len(),
                test: test.len(),
            };
        let detectors = model
            .detectors()
            .zip(measures)
            .enumerate()
            .map(|(i, (name, measure))| DetectorReport {
                name: name.to_owned(),
                median: measure.map_or(0.0, |measure| measure.centre),
                spread: measure.map_or(0.0, |measure| measure.scale),
                test_auroc: test_aurocs.get(i).copied(),
            });
        Ok(FitReport {
            kind: self.options.kind,
            in_distribution: counts(&parts.fit, &parts.calibration, &parts.test),
            outliers: parts
                .outliers
                .as_ref()
                .map_or_else(ImageCounts::default, |o| {
                    counts(&o.fit, &o.calibration, &o.test)
                }),
            detectors: detectors.collect(),
            left_out: self.left_out,
            threshold,
            train: Metrics::new(&train_inside, &train_outside, Some(threshold.value)),
            validation,
            test,
            notes: self.notes,
        })
    }

    /// Metrics of the model and AUROC of each detector on the test images.
    fn judge(&self, model: &OodModel) -> Result<(Option<Metrics>, Vec<f64>), FitError> {
        let Some(outliers) = &self.parts.outliers else {
            return Ok((None, Vec::new()));
        };
        let inside = model
            .members
            .score_all(&self.parts.test)
            .map_err(scoring_failed)?;
        let outside = model
            .members
            .score_all(&outliers.test)
            .map_err(scoring_failed)?;
        let combined = |rows: &[Vec<f64>]| -> Vec<f64> {
            rows.iter()
                .map(|row| model.combination.score(row))
                .collect()
        };
        let metrics = Metrics::new(
            &combined(&inside),
            &combined(&outside),
            Some(model.threshold()),
        );
        let column =
            |rows: &[Vec<f64>], i: usize| rows.iter().map(|row| row[i]).collect::<Vec<_>>();
        let single = |i: usize| Metrics::new(&column(&inside, i), &column(&outside, i), None);
        let detectors = 0..model.members.list.len();
        Ok((
            metrics,
            detectors
                .filter_map(|i| single(i).map(|found| found.auroc))
                .collect(),
        ))
    }
}

fn scoring_failed(error: crate::ScoreError) -> FitError {
    FitError::Scoring(error)
}

fn fit_forest(inside: &[Vec<f64>], outside: &[Vec<f64>], options: &ForestOptions) -> Forest {
    let rows: Vec<&Vec<f64>> = inside.iter().chain(outside).collect();
    let columns = rows.first().map_or(0, |row| row.len());
    let samples = Matrix::from_fn(rows.len(), columns, |i, j| rows[i][j]);
    let outlier: Vec<bool> = (0..rows.len()).map(|i| i >= inside.len()).collect();
    Forest::fit(&samples, &outlier, options)
}

/// Probabilities of the forest's own samples by forests that have not seen them.
fn out_of_fold(
    inside: &[Vec<f64>],
    outside: &[Vec<f64>],
    options: &ForestOptions,
    folds: usize,
) -> [Vec<f64>; 2] {
    let mut probabilities = [vec![0.0; inside.len()], vec![0.0; outside.len()]];
    let others = |rows: &[Vec<f64>], fold: usize| {
        let kept = rows.iter().enumerate().filter(|(i, _)| i % folds != fold);
        kept.map(|(_, row)| row.clone()).collect::<Vec<_>>()
    };
    for fold in 0..folds {
        let forest = fit_forest(&others(inside, fold), &others(outside, fold), options);
        for (rows, into) in [inside, outside].into_iter().zip(&mut probabilities) {
            for (row, value) in rows.iter().zip(into).skip(fold).step_by(folds) {
                *value = forest.probability(row);
            }
        }
    }
    probabilities
}
