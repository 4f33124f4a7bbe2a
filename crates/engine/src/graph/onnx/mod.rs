//! Reading ONNX files without OpenVINO: metadata, names, nodes, files with external weights.

mod features;
mod miscomputed;
mod wire;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use prost::Message;

use super::facts::{Fact, Place, wrong};
use crate::{Dimension, EngineError};

/// Before the keys that stand in `rt_info/model_info` of an IR.
const MODEL_INFO: &str = "model_info ";

/// An ONNX model as its file describes it, without its weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OnnxModel {
    /// The program that wrote it, such as `pytorch`, with its version.
    pub producer: String,
    /// Operator sets: domain (empty for ONNX's own) and version.
    pub operator_sets: Vec<(String, i64)>,
    /// `metadata_props`, in the file's order.
    pub metadata: Vec<(String, String)>,
    /// Inputs, those with a default value (weights of older exporters) left out.
    pub inputs: Vec<OnnxValue>,
    /// Outputs.
    pub outputs: Vec<OnnxValue>,
    /// Nodes of the main graph, in the order in which they are computed.
    pub nodes: Vec<OnnxNode>,
    /// Weights: name and shape.
    pub weights: Vec<(String, Vec<i64>)>,
    /// Nodes that OpenVINO computes otherwise than ONNX defines them, a sentence each; those of
    /// inner graphs too.
    pub miscomputed: Vec<String>,
    /// Names of the files that hold weights, relative to the model's folder.
    external: BTreeSet<String>,
}

/// An input or output of an ONNX model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OnnxValue {
    /// Its name.
    pub name: String,
    /// Element type by ONNX's number: 1 f32, 2 u8, 3 i8, 7 i64, 9 bool, 10 f16, 11 f64.
    pub element: i32,
    /// Its shape; `None` for an axis without a fixed size.
    pub shape: Vec<Dimension>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OnnxNode {
    /// Its name, often empty.
    pub name: String,
    /// Its operation, such as `Gemm`, `Softmax`, `NonMaxSuppression`.
    pub kind: String,
    /// Domain of the operation; empty for ONNX's own.
    pub domain: String,
    /// Names of the tensors that it takes.
    pub inputs: Vec<String>,
    /// Names of the tensors that it gives.
    pub outputs: Vec<String>,
    /// Attributes that are whole numbers (one or a list), by name.
    pub integers: Vec<(String, Vec<i64>)>,
}

impl OnnxModel {
    /// Reads a model from the bytes of its file; `path` is used in messages.
    ///
    /// # Errors
    ///
    /// [`EngineError::Model`] when the bytes are not those of an ONNX model.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, EngineError> {
        let model = wire::Model::decode(bytes)
            .map_err(|error| wrong(path, format!("is no complete ONNX file: {error}")))?;
        let miscomputed = miscomputed::find(&model);
        let Some(graph) = model.graph.filter(|_| model.ir_version > 0) else {
            return Err(wrong(path, "is no ONNX file: it has no graph"));
        };
        let mut external = BTreeSet::new();
        collect_external(&graph, &mut external);
        let weights: Vec<(String, Vec<i64>)> = graph
            .initializer
            .into_iter()
            .map(|tensor| (tensor.name, tensor.dims))
            .collect();
        let is_weight = |name: &str| weights.iter().any(|(weight, _)| weight == name);
        let inputs = graph
            .input
            .into_iter()
            .filter(|value| !is_weight(&value.name));
        Ok(Self {
            producer: format!("{} {}", model.producer_name, model.producer_version)
                .trim()
                .to_owned(),
            operator_sets: model
                .opset_import
                .into_iter()
                .map(|set| (set.domain, set.version))
                .collect(),
            metadata: model
                .metadata_props
                .into_iter()
                .map(|entry| (entry.key, entry.value))
                .collect(),
            inputs: inputs.map(value).collect(),
            outputs: graph.output.into_iter().map(value).collect(),
            nodes: graph.node.into_iter().map(node).collect(),
            weights,
            miscomputed,
            external,
        })
    }

    /// `metadata_props` as facts; keys that begin with `model_info` are those of an IR.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let fact = |(key, value): &(String, String)| {
            let (place, key) = match key.strip_prefix(MODEL_INFO) {
                Some(own) => (Place::ModelInfo, own),
                None => (Place::Metadata, key.as_str()),
            };
            Fact {
                place,
                key: key.to_owned(),
                value: value.clone(),
            }
        };
        self.metadata.iter().map(fact).collect()
    }

    /// The files that hold weights; one outside of the model's folder is refused.
    pub(super) fn external_files(&self, path: &Path) -> Result<Vec<PathBuf>, EngineError> {
        let file = |name: &String| {
            let inside =
                |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
            if name.is_empty() || !Path::new(name).components().all(inside) {
                let reason = format!("says that weights lie in `{name}`, outside of its folder");
                return Err(wrong(path, reason));
            }
            Ok(path.with_file_name(name))
        };
        self.external.iter().map(file).collect()
    }
}

/// Gathers the names of the files with weights, those of inner graphs too.
fn collect_external(graph: &wire::Graph, names: &mut BTreeSet<String>) {
    let sparse = graph.sparse_initializer.iter();
    let sparse = sparse.flat_map(|tensor| tensor.values.iter().chain(&tensor.indices));
    let attributes = || graph.node.iter().flat_map(|node| &node.attribute);
    let constants = attributes().flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
    for tensor in graph.initializer.iter().chain(sparse).chain(constants) {
        let entries = tensor.external_data.iter();
        let location = entries.filter(|entry| tensor.data_location == 1 && entry.key == "location");
        names.extend(location.map(|entry| entry.value.clone()));
    }
    for inner in attributes().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs)) {
        collect_external(inner, names);
    }
}

fn value(value: wire::Value) -> OnnxValue {
    let tensor = value.r#type.and_then(|kind| kind.tensor_type);
    let tensor = tensor.unwrap_or_default();
    let axes = tensor.shape.unwrap_or_default().dim;
    OnnxValue {
        name: value.name,
        element: tensor.elem_type,
        shape: axes
            .into_iter()
            .map(|axis| usize::try_from(axis.dim_value?).ok())
            .collect(),
    }
}

fn node(node: wire::Node) -> OnnxNode {
    /// Numbers of the attribute types INT and INTS.
    const INTEGERS: [i32; 2] = [2, 7];
    let integers = node.attribute.into_iter();
    let integers = integers.filter(|attribute| INTEGERS.contains(&attribute.r#type));
    let integers = integers.map(|attribute| {
        let one = (attribute.r#type == INTEGERS[0]).then_some(attribute.i);
        (
            attribute.name,
            one.into_iter().chain(attribute.ints).collect(),
        )
    });
    OnnxNode {
        name: node.name,
        kind: node.op_type,
        domain: node.domain,
        inputs: node.input,
        outputs: node.output,
        integers: integers.collect(),
    }
}

#[cfg(test)]
mod tests;
