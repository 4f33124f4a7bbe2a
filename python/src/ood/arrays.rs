//! OOD models of arrays.

use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use straylight::ood::{self as core, ActivationSet, Head, Matrix, ModelBinding};

use super::{OodModel, Rule, Wishes, fitted};
use crate::error::{Outcome, Raised};
use crate::interruptible;

/// Arrays by the names that array files have, as a set of activations.
pub(crate) struct Arrays {
    pub(crate) set: ActivationSet,
    pub(crate) head: Option<Head>,
}

impl Arrays {
    /// Reads a dictionary of `features` (n, D), `logits`, `probabilities` (n, C), `labels` (n,),
    /// and `head_weight` (C, D) with `head_bias` (C,); float32 and uint32, or None.
    pub(crate) fn read(arrays: &Bound<'_, PyAny>) -> PyResult<Self> {
        let part = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
            let found = arrays.call_method1("get", (name,))?;
            Ok((!found.is_none()).then_some(found))
        };
        let features = part("features")?.ok_or_else(|| Raised::value("features are missing"))?;
        let mut set = ActivationSet::new(matrix(&features)?).map_err(Raised::from)?;
        if let Some(logits) = part("logits")? {
            set = set.with_logits(matrix(&logits)?).map_err(Raised::from)?;
        }
        if let Some(found) = part("probabilities")? {
            set = set
                .with_probabilities(matrix(&found)?)
                .map_err(Raised::from)?;
        }
        if let Some(labels) = part("labels")? {
            let labels: PyReadonlyArray1<'_, u32> = labels.extract()?;
            let labels = labels.as_array().to_vec();
            set = set.with_labels(labels).map_err(Raised::from)?;
        }
        let head = match (part("head_weight")?, part("head_bias")?) {
            (Some(weight), Some(bias)) => Some(read_head(&weight, &bias)?),
            _ => None,
        };
        Ok(Self { set, head })
    }
}

fn matrix(array: &Bound<'_, PyAny>) -> PyResult<Matrix> {
    let array: PyReadonlyArray2<'_, f32> = array.extract()?;
    let [rows, columns] = [array.shape().first(), array.shape().get(1)].map(|n| *n.unwrap_or(&0));
    let data = match array.as_slice() {
        Ok(slice) if array.is_c_contiguous() => slice.to_vec(),
        _ => array.as_array().iter().copied().collect(),
    };
    Ok(Matrix::new(rows, columns, data).map_err(Raised::from)?)
}

fn read_head(weight: &Bound<'_, PyAny>, bias: &Bound<'_, PyAny>) -> PyResult<Head> {
    let bias: PyReadonlyArray1<'_, f32> = bias.extract()?;
    let head = Head::new(matrix(weight)?, bias.as_array().to_vec());
    Ok(head.map_err(Raised::from)?)
}

/// Fits a model on arrays; Ctrl-C ends it.
#[pyfunction]
#[pyo3(signature = (
    arrays, outliers, calibration, kind, max_false_collection_rate, confidence, relax, threshold,
    neighbours, seed, progress
))]
pub(crate) fn fit_arrays(
    py: Python<'_>,
    arrays: &Bound<'_, PyAny>,
    outliers: Option<&Bound<'_, PyAny>>,
    calibration: Option<&Bound<'_, PyAny>>,
    kind: String,
    max_false_collection_rate: f64,
    confidence: f64,
    relax: bool,
    threshold: Option<f64>,
    neighbours: usize,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(OodModel, String)> {
    let rule = Rule {
        max_false_collection_rate,
        confidence,
        relax,
        threshold,
    };
    let mut options = Wishes {
        kind,
        rule,
        neighbours,
        seed,
    }
    .options()?;
    let known = Arrays::read(arrays)?;
    options.head = known.head;
    let others = |arrays: Option<&Bound<'_, PyAny>>| -> PyResult<Option<ActivationSet>> {
        arrays.map(|it| Ok(Arrays::read(it)?.set)).transpose()
    };
    let outliers = others(outliers)?;
    options.calibration = others(calibration)?;
    let set = known.set;
    let (model, report) = interruptible::work(py, progress, move |steps| {
        Ok(core::OodModel::fit(
            &set,
            outliers.as_ref(),
            &options,
            steps,
        )?)
    })?;
    fitted(model, &report)
}

/// The same model with a threshold found on held-out in-distribution images.
#[pyfunction]
pub(crate) fn calibrate(
    py: Python<'_>,
    model: &OodModel,
    arrays: &Bound<'_, PyAny>,
    max_false_collection_rate: f64,
    confidence: f64,
    relax: bool,
) -> PyResult<OodModel> {
    let set = Arrays::read(arrays)?.set;
    let rule = Rule {
        max_false_collection_rate,
        confidence,
        relax,
        threshold: None,
    };
    let rule = rule.of_promise();
    let copy = py.detach(|| -> Outcome<core::OodModel> {
        let scores = model.0.score_set(&set)?;
        let found = rule
            .find(&scores, &[])
            .map_err(|error| Raised::new("FitFailedError", error))?;
        let found = found.ok_or_else(|| Raised::value("there are no images"))?;
        Ok(copy_of(&model.0)?.with_threshold(found))
    })?;
    Ok(OodModel(copy.into()))
}

/// A copy of a model, by way of its files: a model is as large as its bank of features.
fn copy_of(model: &core::OodModel) -> Outcome<core::OodModel> {
    let folder = tempfile::tempdir().map_err(|error| Raised::new("FileError", error))?;
    model.save(folder.path())?;
    Ok(core::OodModel::load(folder.path(), ModelBinding::Any)?)
}
