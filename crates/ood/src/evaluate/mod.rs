//! Judging a model on images whose nature is known: numbers as JSON, a page for people.

mod page;

use serde::{Deserialize, Serialize};

use crate::error::ScoreError;
use crate::{ActivationSet, Metrics, OodModel, RocCurve, RocPoint};

/// Points of a curve that are kept for the report: more cannot be seen.
const MOST_POINTS: usize = 400;
/// How many false alarms and misses are listed.
const WORST: usize = 12;

/// How a model and each of its detectors do on a set of images and a set of outliers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The model's own score.
    pub model: Metrics,
    /// Each detector alone, by name.
    pub detectors: Vec<(String, Metrics)>,
    /// The model's curve, thinned.
    pub roc: Vec<RocPoint>,
    /// The model's scores of the in-distribution images, in their order.
    pub in_distribution: Vec<f64>,
    /// The model's scores of the outliers, in their order.
    pub outliers: Vec<f64>,
    /// In-distribution images with the highest scores.
    pub false_alarms: Vec<Notable>,
    /// Outliers with the lowest scores.
    pub misses: Vec<Notable>,
}

/// One image that a person should look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notable {
    /// Its place in its set, from 0.
    pub image: usize,
    /// Its score.
    pub score: f64,
    /// What it is called, if names were given.
    pub name: Option<String>,
    /// Where a picture of it lies, relative to the page, if there is one.
    pub picture: Option<String>,
}

/// Which of the two sets an image belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The in-distribution images.
    InDistribution,
    /// The outliers.
    Outliers,
}

/// Name and picture of an image in a report; both may be missing.
pub type Caption = (Option<String>, Option<String>);

impl Evaluation {
    /// Scores both sets and compares; `None` when one of them is empty.
    ///
    /// `caption` names single images and says where their pictures lie.
    pub fn new(
        model: &OodModel,
        inside: &ActivationSet,
        outside: &ActivationSet,
        caption: impl Fn(Side, usize) -> Caption,
    ) -> Result<Option<Self>, ScoreError> {
        if inside.is_empty() || outside.is_empty() {
            return Ok(None);
        }
        let (in_scores, out_scores) = (model.score_set(inside)?, model.score_set(outside)?);
        let threshold = Some(model.threshold());
        let (Some(metrics), Some(curve)) = (
            Metrics::new(&in_scores, &out_scores, threshold),
            RocCurve::new(&in_scores, &out_scores),
        ) else {
            return Ok(None);
        };
        let singles = model
            .detector_scores(inside)?
            .into_iter()
            .zip(model.detector_scores(outside)?);
        let detectors = singles.filter_map(|((name, inside), (_, outside))| {
            Some((name.to_owned(), Metrics::new(&inside, &outside, None)?))
        });
        let notable = |side, image: usize, score| {
            let (name, picture) = caption(side, image);
            Notable {
                image,
                score,
                name,
                picture,
            }
        };
        Ok(Some(Self {
            model: metrics,
            detectors: detectors.collect(),
            roc: thinned(curve.points()),
            false_alarms: worst(&in_scores, |score| -score)
                .map(|image| notable(Side::InDistribution, image, in_scores[image]))
                .collect(),
            misses: worst(&out_scores, |score| score)
                .map(|image| notable(Side::Outliers, image, out_scores[image]))
                .collect(),
            in_distribution: in_scores,
            outliers: out_scores,
        }))
    }

    /// A page with the curve, the histograms, the detectors and the worst errors.
    ///
    /// It needs nothing else but the pictures that the captions named.
    pub fn to_html(&self, title: &str) -> String {
        page::render(self, title)
    }
}

/// The images with the smallest key, at most [`WORST`].
fn worst(scores: &[f64], key: impl Fn(f64) -> f64) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| key(scores[a]).total_cmp(&key(scores[b])));
    order.into_iter().take(WORST)
}

/// At most [`MOST_POINTS`] points with the first and the last.
fn thinned(points: &[RocPoint]) -> Vec<RocPoint> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let mut kept: Vec<RocPoint> = points.iter().step_by(step).copied().collect();
    if let (Some(last), Some(end)) = (points.last(), kept.last())
        && last != end
    {
        kept.push(*last);
    }
    kept
}
