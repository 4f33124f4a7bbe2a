//! The OOD model: fitted detectors, their combination and a threshold.

mod files;
mod fit;
#[cfg(test)]
mod golden;
mod options;
mod recipe;
mod report;
mod split;

use rayon::prelude::*;
use straylight_core::Activations;

pub use files::{ModelBinding, Provenance};
pub use options::{FitOptions, ModelKind};
pub use report::{DetectorReport, FitReport, ImageCounts};

use crate::combine::Combination;
use crate::cross_fit::Members;
use crate::error::ScoreError;
use crate::{ActivationSet, OodScore, Query, Threshold};

/// A fitted OOD model: scores images from their activations.
///
/// Scores lie in `0..=1`, a higher one is more out of distribution. Scoring takes `&self`, keeps
/// nothing, and may be done from any number of threads.
#[derive(Debug)]
pub struct OodModel {
    kind: ModelKind,
    dimensions: usize,
    classes: usize,
    members: Members,
    combination: Combination,
    threshold: Threshold,
    provenance: Provenance,
}

/// One image's scores by a whole model.
#[derive(Debug, Clone, PartialEq)]
pub struct DetailedScore {
    /// The combined score in `0..=1`.
    pub score: OodScore,
    /// Name and score of each detector, in the detector's own unit.
    pub detectors: Vec<(&'static str, OodScore)>,
}

impl OodModel {
    /// Scores one image, `0..=1`.
    ///
    /// Fails when the activations lack a part that the model needs, have another length than
    /// the fitted ones, or hold NaN or infinity.
    pub fn score(&self, activations: &Activations) -> Result<OodScore, ScoreError> {
        self.score_query(&Query::new(activations)?)
    }

    /// Scores one image and tells what each detector said.
    pub fn score_detailed(&self, activations: &Activations) -> Result<DetailedScore, ScoreError> {
        let query = Query::new(activations)?;
        let scores = self.members.score(&query)?;
        let named = self.members.list.iter().zip(&scores);
        let detectors = named
            .map(|((spec, _), &score)| {
                let score = OodScore::new(score).ok_or(ScoreError::NoScore(spec.name()))?;
                Ok((spec.name(), score))
            })
            .collect::<Result<_, ScoreError>>()?;
        Ok(DetailedScore {
            score: self.combined(&scores)?,
            detectors,
        })
    }

    /// Scores every image of a set, in its order, on all cores.
    pub fn score_set(&self, set: &ActivationSet) -> Result<Vec<f64>, ScoreError> {
        let rows = self.members.score_all(set)?;
        let score = |row: &Vec<f64>| self.combination.score(row);
        Ok(rows.par_iter().map(score).collect())
    }

    /// Every detector's scores of every image of a set: `(name, scores in the set's order)`.
    pub fn detector_scores(
        &self,
        set: &ActivationSet,
    ) -> Result<Vec<(&'static str, Vec<f64>)>, ScoreError> {
        let rows = self.members.score_all(set)?;
        let of = |index: usize| rows.iter().map(|row| row[index]).collect();
        let named = self.members.list.iter().enumerate();
        Ok(named
            .map(|(index, (spec, _))| (spec.name(), of(index)))
            .collect())
    }

    /// Whether a score means that the image is an outlier.
    pub fn is_outlier(&self, score: OodScore) -> bool {
        score.value() >= self.threshold.value
    }

    /// Images with at least this score are outliers.
    pub fn threshold(&self) -> f64 {
        self.threshold.value
    }

    /// How the threshold was found and what it promises.
    pub fn threshold_details(&self) -> &Threshold {
        &self.threshold
    }

    /// The same model with another threshold.
    #[must_use]
    pub fn with_threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// The same model, bound to the deployed model with this hash and to a description of it.
    #[must_use]
    pub fn with_provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }

    /// Where the model comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The kind that it was fitted as.
    pub fn kind(&self) -> ModelKind {
        self.kind
    }

    /// Number of dimensions of the feature vectors that it was fitted on.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of classes of the deployed model, 0 when it was fitted without any.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The names of its detectors.
    pub fn detectors(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.members.list.iter().map(|(spec, _)| spec.name())
    }

    /// Scores a prepared query.
    pub fn score_query(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        self.combined(&self.members.score(query)?)
    }

    fn combined(&self, scores: &[f64]) -> Result<OodScore, ScoreError> {
        OodScore::new(self.combination.score(scores)).ok_or(ScoreError::NoScore("combination"))
    }
}
