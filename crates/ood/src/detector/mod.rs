//! Detectors: each says of one image how far out of distribution it is.
//!
//! Every detector follows one contract ([`OodDetector`]): a higher score is always more out of
//! distribution, scores are finite for finite input, the same input gives the same score, and a
//! saved detector scores as before.
//! What a detector needs is checked when it is fitted: one that lacks something is left out and
//! [`LeftOut`] says why.

mod alone;
mod ash;
mod class_fre;
mod context;
mod dice;
mod energy;
mod entropy;
mod enwedi;
mod fdbd;
mod fre;
mod gaussian;
mod generalised_entropy;
mod grad_norm;
mod kl_matching;
mod knn;
mod mahalanobis;
mod max_logit;
mod msp;
mod neco;
mod neighbour_entropy;
mod nnguide;
#[cfg(test)]
mod parity;
mod react;
mod relative_mahalanobis;
mod residual;
mod scale;
mod shared_head;
mod she;
mod spec;
mod vim;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use alone::save_detector;
pub use ash::Pruning;
pub use class_fre::ClassStatistic;
pub(crate) use context::{FitContext, classes_of};
pub use enwedi::Weight;
pub use knn::Neighbour;
pub use spec::DetectorSpec;

use crate::error::{FitError, Part, ScoreError};
use crate::{OodScore, Query, StateWriter};

/// A fitted out-of-distribution detector.
///
/// It is called by [`OodModel`](crate::OodModel), from any thread, once an image.
pub trait OodDetector: Send + Sync + fmt::Debug {
    /// Scores one image: a higher score is more out of distribution.
    ///
    /// Unit and range are the detector's own. Fails when the image lacks what the detector needs
    /// or has it in another size; never panics, never returns NaN.
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError>;

    /// Computes for many images at once what scoring them needs, where that is faster.
    ///
    /// Scores are the same without. An image that cannot be scored is left alone: scoring it
    /// says why.
    fn prepare(&self, _queries: &[Query<'_>]) {}

    /// Writes everything that is needed to score again.
    fn save<'a>(&'a self, to: &mut StateWriter<'a>);
}

/// Why a detector is not part of a fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The activations lack a part.
    #[error("the model gives no {0}")]
    NoPart(String),
    /// There are too few images.
    #[error("it needs {needed} images, there are {actual}")]
    TooFewImages {
        /// How many it needs.
        needed: usize,
        /// How many there are.
        actual: usize,
    },
    /// It compares classes and there is only one.
    #[error("it compares classes, and there is only one")]
    OneClass,
    /// No class has enough images.
    #[error("no class has at least {0} images")]
    SmallClasses(usize),
    /// All in-distribution images have the same score.
    #[error("it gives every in-distribution image the same score")]
    Constant,
    /// The head is not the last layer of the model that gave the activations.
    #[error(
        "the last layer's weights do not give the model's own logits (they differ by {0:.1e} of the largest)"
    )]
    HeadMismatch(f64),
    /// The features leave nothing to measure.
    #[error("{0}")]
    Degenerate(String),
    /// A decomposition did not converge.
    #[error("{0}")]
    Failed(String),
}

impl From<Part> for Reason {
    fn from(part: Part) -> Self {
        Self::NoPart(part.to_string())
    }
}

impl From<FitError> for Reason {
    fn from(error: FitError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A detector that is not part of a fitted model, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Name of the detector.
    pub detector: String,
    /// Why it was left out.
    pub reason: Reason,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.detector, self.reason)
    }
}

/// Makes a score of a detector's number, or names the detector that failed.
pub(crate) fn finite(name: &'static str, value: f64) -> Result<OodScore, ScoreError> {
    OodScore::new(value).ok_or(ScoreError::NoScore(name))
}
