//! OOD models: fitted on arrays, on images through a deployment, on a project of a server.

mod arrays;
mod images;

pub(crate) use arrays::{calibrate, fit_arrays};
pub(crate) use images::{fit_folder, fit_project};

use std::path::PathBuf;
use std::sync::Arc;

use numpy::PyArray1;
use pyo3::prelude::*;
use straylight::ood::threshold::{Promise, Shortfall};
use straylight::ood::{
    self as core, FitOptions, FitReport, ModelBinding, ModelKind, ScoreError, ThresholdRule,
};

use self::arrays::Arrays;
use crate::convert;
use crate::error::{Outcome, Raised};

/// The name of a detector with its scores.
type NamedScores<'py> = (&'static str, Bound<'py, PyArray1<f64>>);

/// A fitted OOD model; a higher score is always more out of distribution.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct OodModel(pub(crate) Arc<core::OodModel>);

#[pymethods]
impl OodModel {
    /// Reads a saved model.
    #[staticmethod]
    fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let model = py.detach(|| core::OodModel::load(&folder, ModelBinding::Any));
        Ok(Self(Arc::new(model.map_err(Raised::from)?)))
    }

    /// Writes the model into a folder, as a whole or not at all.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        Ok(py.detach(|| self.0.save(&folder)).map_err(Raised::from)?)
    }

    /// Scores of shape (n,) in 0 to 1.
    fn score_set<'py>(
        &self,
        py: Python<'py>,
        arrays: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let set = Arrays::read(arrays)?.set;
        let scores = py.detach(|| self.0.score_set(&set)).map_err(Raised::from)?;
        Ok(PyArray1::from_vec(py, scores))
    }

    /// The scores of each detector, by name, of shape (n,), each in its own unit.
    fn detector_scores<'py>(
        &self,
        py: Python<'py>,
        arrays: &Bound<'py, PyAny>,
    ) -> PyResult<Vec<NamedScores<'py>>> {
        let set = Arrays::read(arrays)?.set;
        let scores = py.detach(|| self.0.detector_scores(&set));
        let scores = scores.map_err(Raised::from)?.into_iter();
        Ok(scores
            .map(|(name, scores)| (name, PyArray1::from_vec(py, scores)))
            .collect())
    }

    /// The score of one prediction, in 0 to 1.
    fn score_prediction(&self, py: Python<'_>, prediction: &Bound<'_, PyAny>) -> PyResult<f64> {
        let activations = convert::from_python(prediction)?.activations;
        let score = py.detach(|| self.0.score(&activations));
        Ok(score.map_err(without_activations)?.value())
    }

    /// Images with at least this score are called outliers.
    #[getter]
    fn threshold(&self) -> f64 {
        self.0.threshold()
    }

    /// What the threshold promises, as JSON; None without a promise.
    #[getter]
    fn promise(&self) -> Option<String> {
        self.0
            .threshold_details()
            .promise
            .as_ref()
            .map(promise_json)
    }

    /// The kind of model.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().name()
    }

    /// Length of the feature vectors.
    #[getter]
    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    /// Number of classes; 0 when it is not known.
    #[getter]
    fn classes(&self) -> usize {
        self.0.classes()
    }

    /// The names of its detectors.
    #[getter]
    fn detectors(&self) -> Vec<&'static str> {
        self.0.detectors().collect()
    }

    /// What it was fitted on, for people.
    #[getter]
    fn description(&self) -> &str {
        &self.0.provenance().description
    }
}

fn without_activations(error: ScoreError) -> Raised {
    Raised::value(format!(
        "{error}; a prediction has what the model needs after `explain`, or when a hook asked for it"
    ))
}

fn promise_json(promise: &Promise) -> String {
    serde_json::json!({
        "max_false_collection_rate": promise.max_false_collection_rate,
        "confidence": promise.confidence,
        "images": promise.images,
    })
    .to_string()
}

/// How a model is fitted: the words of Python's arguments.
pub(crate) struct Wishes {
    pub(crate) kind: String,
    pub(crate) rule: Rule,
    pub(crate) neighbours: usize,
    pub(crate) seed: u64,
}

/// How the threshold is found.
pub(crate) struct Rule {
    pub(crate) max_false_collection_rate: f64,
    pub(crate) confidence: f64,
    pub(crate) relax: bool,
    pub(crate) threshold: Option<f64>,
}

impl Rule {
    pub(crate) fn of_promise(&self) -> ThresholdRule {
        ThresholdRule::MaxFalseCollection {
            rate: self.max_false_collection_rate,
            confidence: self.confidence,
            shortfall: if self.relax {
                Shortfall::Relax
            } else {
                Shortfall::Refuse
            },
        }
    }
}

impl Wishes {
    pub(crate) fn options(&self) -> Outcome<FitOptions> {
        let kind: ModelKind = self.kind.parse()?;
        let base = FitOptions::of(kind);
        let threshold = match self.rule.threshold {
            Some(value) => ThresholdRule::Fixed { value },
            // Kinds that learn from outliers have a rule of their own.
            None if kind.needs_outliers() => base.threshold,
            None => self.rule.of_promise(),
        };
        Ok(FitOptions {
            threshold,
            neighbours: self.neighbours,
            seed: self.seed,
            ..base
        })
    }
}

/// A fitted model with the report of the fit as JSON.
pub(crate) fn fitted(model: core::OodModel, report: &FitReport) -> PyResult<(OodModel, String)> {
    let report = serde_json::to_string(report).map_err(Raised::from)?;
    Ok((OodModel(Arc::new(model)), report))
}
