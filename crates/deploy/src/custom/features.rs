//! A feature vector for a model that has none: an inner tensor becomes one more output.
//!
//! For a classifier it is what goes into its last linear layer. For other models it is the
//! deepest feature map: of the coarsest ones the last with the most channels; post-processing
//! takes its mean over all places.

use std::path::{Path, PathBuf};

use straylight_core::TaskType;
use straylight_engine::graph::{IrModel, Layer, ModelDetail, ModelFacts, OnnxModel};
use straylight_engine::{Dimension, ModelSource, Runtime};

use super::ModelDescription;
use crate::DeployError;

/// The name of the new output.
pub(super) const NAME: &str = "feature_vector";
/// Most feature maps of an ONNX graph that are looked at.
const MOST: usize = 1000;
/// Layers of an IR whose results are feature maps.
const MAPS: [&str; 8] = [
    "Convolution",
    "ReLU",
    "Swish",
    "HSwish",
    "Add",
    "Multiply",
    "Clamp",
    "PReLU",
];

/// The inner tensor (of an IR, the layer) that can be the feature vector; `None` when there is no
/// such, or the format cannot be changed.
pub(super) fn source(
    model: &Path,
    description: &ModelDescription,
    runtime: &Runtime,
) -> Result<Option<String>, DeployError> {
    let facts = ModelFacts::read(model)?;
    let scores = description.outputs.scores.as_deref();
    let scores = scores.filter(|_| description.task == TaskType::Classification);
    Ok(match (&facts.detail, scores) {
        (ModelDetail::Onnx(onnx), Some(scores)) => onnx
            .penultimate(scores)
            .filter(|name| is_inner(onnx, name))
            .map(str::to_owned),
        (ModelDetail::Onnx(onnx), None) => deepest(model, onnx, runtime)?,
        (ModelDetail::Ir(ir), Some(scores)) => ir.head_weights(scores)?.map(|head| head.source),
        (ModelDetail::Ir(ir), None) => deepest_layer(ir),
        (ModelDetail::Tflite(_), _) => None,
    })
}

/// The input itself is no feature.
fn is_inner(onnx: &OnnxModel, name: &str) -> bool {
    onnx.inputs.iter().all(|input| input.name != name)
}

/// The content of the model file with the feature vector as one more output.
pub(super) fn content(model: &Path, tensor: &str) -> Result<Vec<u8>, DeployError> {
    match ModelFacts::read(model)?.detail {
        ModelDetail::Onnx(onnx) => Ok(onnx.with_outputs(model, &[(tensor, NAME)])?),
        ModelDetail::Ir(ir) => Ok(ir.with_output(tensor, NAME)?.into_bytes()),
        ModelDetail::Tflite(_) => Err(DeployError::NoFeatures {
            path: model.to_owned(),
            reason: TFLITE.to_owned(),
        }),
    }
}

/// Why a TFLite model is left as it is.
pub(super) const TFLITE: &str = "a TFLite model cannot be changed; convert it with OpenVINO's converter (`ovc \
    model.tflite`), then describe the result (`straylight deployment init --force model.xml`)";

/// Writes a copy of a described model with a feature vector beside it, and describes the copy.
///
/// The model itself stays as it is. Returns the tensor that became the feature vector; `None`
/// when there is none, or the engine cannot read the changed graph.
pub fn write_with_features(
    model: &Path,
    description: &mut ModelDescription,
    runtime: &Runtime,
) -> Result<Option<String>, DeployError> {
    if description.outputs.features.is_some() {
        return Ok(None);
    }
    let Some(tensor) = source(model, description, runtime)? else {
        return Ok(None);
    };
    let copy = copy_of(model);
    straylight_files::write_atomically(&copy, &content(model, &tensor)?)?;
    let weights = (model.with_extension("bin"), copy.with_extension("bin"));
    if copy.extension().is_some_and(|extension| extension == "xml") {
        let _ = std::fs::remove_file(&weights.1);
        std::fs::hard_link(&weights.0, &weights.1)
            .or_else(|_| std::fs::copy(&weights.0, &weights.1).map(|_| ()))
            .map_err(|error| straylight_files::FileError::new("copy", &weights.0, error))?;
    }
    let read = runtime.read(&ModelSource::file(&copy));
    let has = read.is_ok_and(|model| model.outputs().iter().any(|output| output.name == NAME));
    if !has {
        let _ = std::fs::remove_file(&copy);
        return Ok(None);
    }
    description.model = copy.file_name().unwrap_or_default().into();
    description.outputs.features = Some(NAME.to_owned());
    Ok(Some(tensor))
}

/// `model.features.onnx` beside `model.onnx`.
fn copy_of(model: &Path) -> PathBuf {
    let stem = model.file_stem().unwrap_or_default().to_string_lossy();
    let extension = model.extension().unwrap_or_default().to_string_lossy();
    model.with_file_name(format!("{stem}.features.{extension}"))
}

/// Channels and places of a feature map; `None` for what is none.
fn extent(shape: &[Dimension]) -> Option<(usize, usize)> {
    match *shape {
        [_, Some(channels), Some(height), Some(width)] if height * width > 1 => {
            Some((channels, height * width))
        }
        // Sizes that are open: only the channels count.
        [_, Some(channels), None, None] => Some((channels, usize::MAX)),
        _ => None,
    }
}

/// The last of the coarsest maps with the most channels.
fn best<'a>(maps: impl Iterator<Item = (&'a str, (usize, usize))>) -> Option<&'a str> {
    let key = |(channels, places): (usize, usize)| (std::cmp::Reverse(places), channels);
    maps.max_by_key(|&(_, extent)| key(extent))
        .map(|(name, _)| name)
}

/// Makes all feature maps outputs of a copy, to see their shapes.
fn deepest(
    model: &Path,
    onnx: &OnnxModel,
    runtime: &Runtime,
) -> Result<Option<String>, DeployError> {
    let is_output = |name: &str| onnx.outputs.iter().any(|output| output.name == name);
    let names: Vec<&str> = onnx.maps().filter(|name| !is_output(name)).collect();
    let names = names
        .get(names.len().saturating_sub(MOST)..)
        .unwrap_or_default();
    let probes: Vec<String> = (0..names.len())
        .map(|index| format!("straylight_map_{index}"))
        .collect();
    let outputs: Vec<(&str, &str)> = names
        .iter()
        .copied()
        .zip(probes.iter().map(String::as_str))
        .collect();
    let bytes = onnx.with_outputs(model, &outputs)?;
    let folder = model
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // Beside the model, because weights may lie in files there.
    let file = tempfile::Builder::new()
        .prefix(".straylight-")
        .suffix(".onnx")
        .tempfile_in(folder.unwrap_or(Path::new(".")));
    let failed = |error| straylight_files::FileError::new("write beside", model, error);
    let file = file.map_err(failed)?;
    std::fs::write(file.path(), bytes).map_err(failed)?;
    let Ok(read) = runtime.read(&ModelSource::file(file.path())) else {
        return Ok(None);
    };
    let shape = |probe: &String| {
        let output = read.outputs().iter().find(|output| output.name == *probe)?;
        extent(&output.shape)
    };
    let maps = names
        .iter()
        .zip(&probes)
        .filter_map(|(name, probe)| Some((*name, shape(probe)?)));
    Ok(best(maps).map(str::to_owned))
}

fn deepest_layer(ir: &IrModel) -> Option<String> {
    let maps = ir
        .layers()
        .iter()
        .filter(|layer| MAPS.contains(&layer.kind.as_str()));
    let shape = |layer: &Layer| -> Option<Vec<Dimension>> {
        let shape = layer.outputs.first()?.shape.iter();
        Some(shape.map(|&side| usize::try_from(side).ok()).collect())
    };
    let maps = maps.filter_map(|layer| Some((layer.name.as_str(), extent(&shape(layer)?)?)));
    best(maps).map(str::to_owned)
}
