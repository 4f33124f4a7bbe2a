//! What can go wrong when a model is fitted, asked or kept.

use std::path::PathBuf;

use crate::ShapeError;

/// One part of a model's activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The feature vector of the penultimate layer.
    Features,
    /// Raw class scores before softmax.
    Logits,
    /// Class probabilities.
    Probabilities,
    /// Class indices of the fitted images.
    Labels,
    /// Weight and bias of the last layer.
    Head,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Features => "features",
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
            Self::Labels => "labels",
            Self::Head => "head",
        })
    }
}

/// The activations of one image cannot be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The fitted model needs a part that the image's activations do not have.
    #[error(
        "the OOD model needs the {0} of the image, but the prediction has none: ask the deployment for them (a model without that output cannot be used with this OOD model)"
    )]
    Missing(Part),
    /// A part has another length than the one that the model was fitted on.
    #[error(
        "the image's {part} have {actual} numbers, but the OOD model was fitted on {expected}: it belongs to another deployed model"
    )]
    WrongLength {
        /// Which part.
        part: Part,
        /// The length the model was fitted on.
        expected: usize,
        /// The length that came.
        actual: usize,
    },
    /// A part holds NaN or infinity.
    #[error(
        "number {index} of the image's {part} is NaN or infinite: the deployed model failed on this image"
    )]
    NotFinite {
        /// Which part.
        part: Part,
        /// Where in it, from 0.
        index: usize,
    },
    /// A detector came to a score that is NaN or infinite; so may a model that was fitted on
    /// numbers above 1e19, whose squares are beyond single precision.
    #[error("the detector {0} came to no finite score for this image")]
    NoScore(&'static str),
}

/// A set of activations is not one that can be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The numbers do not fill the shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Two parts are for different numbers of images.
    #[error(
        "`{part}` has {actual} rows, but `features` has {expected}: every array needs one row an image"
    )]
    RowCount {
        /// Which part.
        part: Part,
        /// Rows of the features.
        expected: usize,
        /// Rows of the part.
        actual: usize,
    },
    /// A part holds NaN or infinity.
    #[error("`{part}` of image {row} holds NaN or infinity: leave this image out")]
    NotFinite {
        /// Which part.
        part: Part,
        /// The image's row, from 0.
        row: usize,
    },
    /// A label is not a class of the model.
    #[error(
        "image {row} has label {label}, but the model knows only {classes} classes (labels count from 0)"
    )]
    UnknownLabel {
        /// The image's row, from 0.
        row: usize,
        /// Its label.
        label: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A part has another width than in the set it is used with.
    #[error(
        "`{part}` has {actual} columns, expected {expected}: the two sets come from different models"
    )]
    Width {
        /// Which part.
        part: Part,
        /// Columns expected.
        expected: usize,
        /// Columns found.
        actual: usize,
    },
}

/// An OOD model could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The in-distribution images, the calibration images or the outliers are unusable.
    #[error("{which}: {source}")]
    Set {
        /// Which set of images ("in-distribution", "calibration", "outliers").
        which: &'static str,
        /// What is wrong with it.
        source: SetError,
    },
    /// There are too few images.
    #[error("{what} needs at least {needed} images, but there are {actual}")]
    TooFew {
        /// What cannot be done.
        what: String,
        /// How many it needs.
        needed: usize,
        /// How many there are.
        actual: usize,
    },
    /// The kind of model needs a part that was not given.
    #[error("{what} needs {part}: give them, or choose another kind of OOD model")]
    Needs {
        /// What cannot be done.
        what: String,
        /// Which part is missing.
        part: Part,
    },
    /// The kind of model learns from outliers and none were given.
    #[error(
        "an OOD model of the kind `{kind}` learns from outliers, but none were given: give real or synthetic ones, or choose the kind `default`"
    )]
    NoOutliers {
        /// The kind asked for.
        kind: &'static str,
    },
    /// No detector could be fitted.
    #[error("no detector could be fitted: {}", reasons.join("; "))]
    NoDetector {
        /// Why each was left out.
        reasons: Vec<String>,
    },
    /// An option lies outside its range.
    #[error("{option} is {value}, but must be {allowed}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// An image of the fit could not be scored.
    #[error("an image of the fit cannot be scored: {0}")]
    Scoring(#[source] ScoreError),
    /// A matrix could not be decomposed.
    #[error("{0} did not converge: the features may hold extreme values")]
    NoConvergence(&'static str),
    /// The promise asked for needs more held-out images.
    #[error(transparent)]
    Promise(#[from] crate::threshold::PromiseError),
}

/// An OOD model's files could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] straylight_files::FileError),
    /// A file is not what it should be.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The files were written by a newer program.
    #[error("{}: version {found} of the format is newer than {known}, the newest known here: update Straylight", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Newest version that can be read.
        known: u32,
    },
    /// The OOD model was fitted for another deployed model.
    #[error("{}: the OOD model was fitted for the model {expected}, but the deployment holds {actual}: fit it again", path.display())]
    OtherModel {
        /// The file.
        path: PathBuf,
        /// Hash in the file.
        expected: String,
        /// Hash of the deployed model.
        actual: String,
    },
}
