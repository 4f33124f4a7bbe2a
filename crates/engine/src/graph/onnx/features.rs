use std::path::Path;

use prost::Message;

use super::{OnnxModel, wire};
use crate::EngineError;

/// Nodes that hand on a vector of scores, as far as its features are concerned.
const TRANSPARENT: [&str; 10] = [
    "Softmax",
    "LogSoftmax",
    "Sigmoid",
    "Identity",
    "Cast",
    "Reshape",
    "Squeeze",
    "Flatten",
    "Add",
    "Mul",
];
/// Linear layers.
const LINEAR: [&str; 2] = ["Gemm", "MatMul"];
/// Nodes whose results are feature maps.
const MAPS: [&str; 8] = [
    "Relu",
    "LeakyRelu",
    "Clip",
    "HardSwish",
    "Mul",
    "Add",
    "Conv",
    "Gelu",
];

impl OnnxModel {
    /// The tensor that goes into the last linear layer behind the output `scores`; the feature maps
    /// behind a mean over all places, if the scores are made of them.
    pub fn penultimate(&self, scores: &str) -> Option<&str> {
        let mut name = scores;
        // Heads are a handful of nodes; the bound keeps a damaged, circular file from looping.
        for _ in 0..24 {
            let node = self
                .nodes
                .iter()
                .find(|node| node.outputs.iter().any(|output| output == name))?;
            let data = || node.inputs.iter().find(|input| !self.is_weight(input));
            match node.kind.as_str() {
                kind if LINEAR.contains(&kind) => return data().map(String::as_str),
                // A linear layer may be a convolution behind or before the mean over all places.
                "Conv" => return data().map(String::as_str),
                "GlobalAveragePool" | "ReduceMean" | "AveragePool" => name = data()?,
                kind if TRANSPARENT.contains(&kind) => name = data()?,
                _ => return None,
            }
        }
        None
    }

    /// The tensors that may be feature maps, in the order in which they are computed.
    pub fn maps(&self) -> impl Iterator<Item = &str> {
        let kinds = |kind: &str| MAPS.contains(&kind);
        let nodes = self.nodes.iter().filter(move |node| kinds(&node.kind));
        nodes.filter_map(|node| node.outputs.first().map(String::as_str))
    }

    fn is_weight(&self, name: &str) -> bool {
        let constant = |node: &super::OnnxNode| {
            node.kind == "Constant" && node.outputs.iter().any(|output| output == name)
        };
        self.weights.iter().any(|(weight, _)| weight == name)
            || self.nodes.iter().any(constant)
            || self.nodes.iter().any(|node| {
                matches!(
                    node.kind.as_str(),
                    "Transpose" | "DequantizeLinear" | "Cast" | "Identity"
                ) && node.outputs.iter().any(|output| output == name)
                    && node
                        .inputs
                        .first()
                        .is_some_and(|input| self.weights.iter().any(|(weight, _)| weight == input))
            })
    }

    /// The bytes of a model file with further outputs: each a tensor of the graph and its new name.
    ///
    /// A protobuf message may be continued: what is appended is merged into the graph, so that no
    /// byte of the file changes.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the file cannot be read.
    pub fn with_outputs(
        &self,
        path: &Path,
        outputs: &[(&str, &str)],
    ) -> Result<Vec<u8>, EngineError> {
        let mut bytes = std::fs::read(path).map_err(EngineError::io("read", path))?;
        let node = |&(tensor, name): &(&str, &str)| wire::Node {
            input: vec![tensor.to_owned()],
            output: vec![name.to_owned()],
            name: format!("{name}/output"),
            op_type: "Identity".to_owned(),
            ..Default::default()
        };
        let half = self.outputs.iter().all(|output| output.element == 10);
        let output = |&(_, name): &(&str, &str)| wire::Value {
            name: name.to_owned(),
            r#type: Some(wire::Type {
                tensor_type: Some(wire::TensorType {
                    elem_type: if half { 10 } else { 1 },
                    shape: None,
                }),
            }),
        };
        let addition = wire::Addition {
            graph: Some(wire::GraphAddition {
                node: outputs.iter().map(node).collect(),
                output: outputs.iter().map(output).collect(),
            }),
        };
        bytes.extend(addition.encode_to_vec());
        Ok(bytes)
    }
}
