//! Out-of-distribution detection from a model's activations.
//!
//! An [`OodModel`] is fitted on the activations of in-distribution images ([`ActivationSet`]),
//! scores new ones, and knows from which score on an image is an outlier. It is made of
//! detectors ([`OodDetector`]), a combination of their scores, and a threshold
//! ([`ThresholdRule`]). Scores of single detectors have their own units; the model's score lies
//! in `0..=1`; **a higher score is always more out of distribution**.
//!
//! # Design
//!
//! - *Nothing is scored on what it was fitted on.* Whatever is learned from scores (medians, a
//!   forest, a threshold) is learned from cross-fitted or held-out scores.
//! - *What is missing is left out, and named.* A detector says what it needs; one that the
//!   activations do not allow is listed in the [`FitReport`] with its reason.
//! - *The same input and seed give the same bytes*, on one kind of processor.
//! - This crate sees activations, never images, except for [`synthetic`] outliers
//!   and perceptual hashes ([`select`]).

mod activation_set;
mod combine;
mod cross_fit;
mod dependence;
mod detector;
mod drift;
mod error;
mod evaluate;
mod forest;
mod head;
mod io;
mod kernels;
mod knn;
mod linalg;
mod matrix;
mod metrics;
mod model;
mod numeric;
mod query;
mod random;
mod score;
pub mod select;
mod state;
mod storage;
pub mod synthetic;
pub mod threshold;

pub use activation_set::ActivationSet;
pub use dependence::Dependence;
pub use detector::{
    ClassStatistic, DetectorSpec, LeftOut, Neighbour, OodDetector, Pruning, Reason, Weight,
    save_detector,
};
pub use drift::{DriftAlarm, DriftState};
pub use error::{FitError, ModelFileError, Part, ScoreError, SetError};
pub use evaluate::{Caption, Evaluation, Notable, Side};
pub use head::Head;
pub use io::{ArrayFile, parse_arrays, read_arrays, write_scores};
pub use matrix::{Matrix, ShapeError};
pub use metrics::{Metrics, Operating, RocCurve, RocPoint};
pub use model::{
    DetailedScore, DetectorReport, FitOptions, FitReport, ImageCounts, ModelBinding, ModelKind,
    OodModel, Provenance,
};
pub use query::Query;
pub use score::OodScore;
pub use state::{SectionWriter, StateError, StateWriter};
pub use threshold::{Threshold, ThresholdRule};
