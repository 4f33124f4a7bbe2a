//! How a model is fitted.
//!
//! The images are parted ([`parts`]), detectors are fitted and cross-fitted ([`learn`]), their
//! scores combined ([`combine`]), the threshold is found on held-out images ([`calibrate`]), and
//! all of it is reported ([`judge`]).

mod calibrate;
mod combine;
mod judge;
mod learn;
mod parts;

use straylight_core::Progress;

use super::{FitOptions, FitReport, OodModel, Provenance};
use crate::detector::Reason;
use crate::error::FitError;
use crate::{ActivationSet, Head, LeftOut, ScoreError, Threshold, ThresholdRule};
use parts::Parts;

/// Fewer in-distribution images tell nothing about what is normal.
const FEWEST_IMAGES: usize = 4;
/// With fewer images a class than this, scores are rough.
const FEW_IN_CLASS: usize = 10;
/// Logits that differ by more than this part of the largest are not the head's.
const HEAD_TOLERANCE: f64 = 1e-2;
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
        Self::fit_consuming(in_distribution.clone(), outliers, options, progress)
    }

    /// As [`OodModel::fit`], for many images: it takes the in-distribution images and turns them
    /// into the model's bank where they lie, so that they are in memory only once.
    ///
    /// A set whose clones live on is copied instead.
    pub fn fit_consuming(
        in_distribution: ActivationSet,
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

/// A fit under way.
struct Fit<'a> {
    parts: &'a Parts,
    options: &'a FitOptions,
    head: Option<&'a Head>,
    left_out: Vec<LeftOut>,
    notes: Vec<String>,
}

impl<'a> Fit<'a> {
    fn new(parts: &'a Parts, options: &'a FitOptions) -> Self {
        Self {
            parts,
            options,
            head: None,
            left_out: Vec::new(),
            notes: parts.notes.clone(),
        }
    }

    fn run(mut self, progress: &dyn Progress) -> Result<(OodModel, FitReport), FitError> {
        self.check_head();
        self.note_degradations();
        let fitted = self.learn(progress)?;
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
        let images = self.parts.fitted;
        let neighbours = super::recipe::neighbours(self.options);
        if images <= neighbours {
            self.notes.push(format!(
                "{neighbours} neighbours were asked for, but only {images} images are fitted: all others count as neighbours"
            ));
        }
        if self.parts.fit.labels().is_none() && self.parts.fit.class_scores().is_some() {
            self.notes
                .push("no labels were given: the predicted classes take their place".into());
        }
        let classes = self.parts.populated_classes;
        if images < FEW_IN_CLASS * classes.max(1) {
            self.notes.push(format!(
                "few images: {images} fitted images of {classes} classes; with fewer than {FEW_IN_CLASS} a class scores are rough"
            ));
        }
    }
}

fn scoring_failed(error: ScoreError) -> FitError {
    FitError::Scoring(error)
}
