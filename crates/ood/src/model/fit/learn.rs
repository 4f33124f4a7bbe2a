//! Detectors, and their scores of images that they have not seen.

use straylight_core::Progress;

use super::parts::{Parts, Scale};
use super::{FEWEST_IMAGES, Fit};
use crate::combine::Robust;
use crate::cross_fit::{CrossFit, Members, cross_fit, leave_one_out};
use crate::detector::{FitContext, Reason};
use crate::error::FitError;
use crate::model::{ModelKind, recipe};
use crate::random::Random;

/// From this many images on, forests are cross-fitted in two folds: more would take longer and
/// tell nothing new.
pub(super) const MANY_IMAGES: usize = 1000;

/// Detectors with cross-fitted scores of the fitted images, one entry a detector.
pub(super) struct Fitted {
    pub(super) members: Members,
    pub(super) scores: Vec<Vec<f64>>,
    pub(super) measures: Vec<Option<Robust>>,
}

impl<'a> Fit<'a> {
    pub(super) fn learn(&mut self, progress: &dyn Progress) -> Result<Fitted, FitError> {
        let specs = self.options.kind.detectors(self.options);
        let set = &self.parts.fit;
        let mut context = FitContext::new(set, self.head, recipe::neighbours(self.options));
        if let Some(whole) = &self.parts.whole {
            context = context.with_bank(whole.bank.clone());
        }
        let (members, left_out) = Members::fit(&specs, &context);
        drop(context);
        self.left_out.extend(left_out);
        progress.advance(1);
        let scores = if let Some(scale) = &self.parts.scale {
            self.scores_of_unseen(&members, scale)
        } else {
            let cross = self.cross_fit_options();
            let rows = self.cross_fitted_rows();
            cross_fit(&members, set, self.head, &rows, &cross)
        };
        progress.advance(1);
        self.keep_sound(members, scores)
    }

    fn cross_fit_options(&self) -> CrossFit<'a> {
        let parts: &'a Parts = self.parts;
        let many = parts.fit.len() >= MANY_IMAGES;
        CrossFit {
            folds: if many { 2 } else { self.options.folds },
            neighbours: recipe::neighbours(self.options),
            seed: self.options.seed,
            row_of: parts.whole.as_ref().map(|whole| whole.row_of.as_slice()),
        }
    }

    /// Scores of images that no detector learned from, each without itself in the bank.
    fn scores_of_unseen(
        &mut self,
        members: &Members,
        scale: &Scale,
    ) -> Vec<Result<Vec<f64>, Reason>> {
        let count = scale.set.len();
        self.notes.push(format!(
            "scores were scaled on {count} of the {} fitted images, which are in the bank but which no other detector learned from",
            self.parts.fitted
        ));
        let rows: Vec<usize> = (0..count).collect();
        leave_one_out(members, &scale.set, &rows, Some(&scale.row_of))
    }

    /// The images whose scores are cross-fitted: all, or a random sample of many.
    fn cross_fitted_rows(&mut self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.parts.fit.len()).collect();
        let most = self.options.most_cross_fitted.max(FEWEST_IMAGES);
        if rows.len() > most {
            Random::part(self.options.seed, 1).shuffle(&mut rows);
            rows.truncate(most);
            rows.sort_unstable();
        }
        if rows.len() < self.parts.fitted {
            self.notes.push(format!(
                "the scores of {} of the {} fitted images were cross-fitted",
                rows.len(),
                self.parts.fitted
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
}
