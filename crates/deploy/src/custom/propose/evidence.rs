use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use straylight_engine::graph::{ModelDetail, ModelFacts, Place, TfliteModel};
use straylight_engine::{Dimension, ElementType, ModelSource, Runtime, TensorInfo};

use super::beside;
use super::probe::Probe;
use crate::DeployError;

/// File beside a model with one label a line.
const LABELS: &str = "labels.txt";
/// Nodes that hand on their input, as far as the kind of a result is concerned.
const TRANSPARENT: [&str; 9] = [
    "Identity",
    "Cast",
    "Convert",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Flatten",
    "Result",
];

/// What can be known of a model before it is described.
pub(super) struct Evidence<'a> {
    pub(super) model: PathBuf,
    pub(super) facts: ModelFacts,
    /// The image.
    pub(super) input: TensorInfo,
    /// Further inputs.
    pub(super) further: Vec<TensorInfo>,
    pub(super) outputs: Vec<TensorInfo>,
    /// The lines of `labels.txt`, if it is there.
    pub(super) labels: Option<Vec<String>>,
    /// What `metadata.yaml` beside the model says, if it is there.
    beside: BTreeMap<String, String>,
    runtime: &'a Runtime,
    probe: OnceCell<Option<Probe>>,
}

/// The kind of the operation that makes an output of a TFLite model, in ONNX's words; those that
/// only hand on (dequantise, cast, reshape, squeeze, quantise) are passed over.
fn last_operator<'a>(tflite: &'a TfliteModel, output: &'a str) -> Option<&'static str> {
    const HAND_ON: [i32; 5] = [6, 22, 43, 53, 114];
    let mut name = output;
    for _ in 0..16 {
        let mut operators = tflite.operators.iter();
        let made = operators.find(|one| one.outputs.iter().any(|tensor| tensor.name == name))?;
        match made.code {
            14 => return Some("Sigmoid"),
            25 => return Some("Softmax"),
            50 => return Some("LogSoftmax"),
            code if HAND_ON.contains(&code) => name = &made.inputs.first()?.as_ref()?.name,
            _ => return Some("another operation"),
        }
    }
    None
}

impl<'a> Evidence<'a> {
    /// Reads a model and what lies beside it.
    pub(super) fn of(model: &Path, runtime: &'a Runtime) -> Result<Self, DeployError> {
        let facts = ModelFacts::read(model)?;
        facts.check_weights()?;
        if let Some(reason) = facts.miscomputed() {
            return Err(bare(model, reason));
        }
        let read = runtime.read(&ModelSource::file(model))?;
        let mut inputs = read.inputs().to_vec();
        if inputs.is_empty() {
            return Err(bare(model, "it has no input".to_owned()));
        }
        let input = inputs.remove(0);
        let mut outputs = read.outputs().to_vec();
        if let ModelDetail::Onnx(onnx) = &facts.detail
            && onnx.outputs.len() == outputs.len()
        {
            // OpenVINO may name an output after any tensor that equals it.
            for (output, own) in outputs.iter_mut().zip(&onnx.outputs) {
                output.name.clone_from(&own.name);
                // The file may say sizes that OpenVINO cannot infer.
                if own.shape.len() == output.shape.len() {
                    for (side, stated) in output.shape.iter_mut().zip(&own.shape) {
                        *side = side.or(*stated);
                    }
                }
            }
        }
        Ok(Self {
            model: model.to_owned(),
            labels: read_labels(model)?,
            beside: beside::read(model)?,
            facts,
            input,
            further: inputs,
            outputs,
            runtime,
            probe: OnceCell::new(),
        })
    }

    /// The runtime that read the model.
    pub(super) fn runtime(&self) -> &'a Runtime {
        self.runtime
    }

    /// The numbers that the graph gives for a few images; `None` when it cannot be run on them.
    pub(super) fn probe(&self) -> Option<&Probe> {
        self.probe
            .get_or_init(|| Probe::run(&self.model, self.runtime, self))
            .as_ref()
    }

    /// The output of this name.
    pub(super) fn output(&self, name: &str) -> Option<&TensorInfo> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// The only output whose name is this word, or ends with it after a separator.
    pub(super) fn ending(&self, word: &str) -> Option<&TensorInfo> {
        let fits = |name: &str| {
            let name = name.split(':').next().unwrap_or(name);
            name.strip_suffix(word)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '.', '_']))
        };
        let mut found = self.outputs.iter().filter(|output| fits(&output.name));
        found.next().filter(|_| found.next().is_none())
    }

    /// An entry of the model's metadata.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        let rt_info = format!("framework/{key}");
        self.facts
            .get(Place::Metadata, key)
            .or_else(|| self.facts.get(Place::RtInfo, &rt_info))
            .or_else(|| self.facts.get(Place::RtInfo, key))
            .or_else(|| self.beside.get(key).map(String::as_str))
            .or_else(|| self.facts.get(Place::ModelInfo, key))
    }

    /// Kinds of nodes and how many there are; empty for formats without names.
    pub(super) fn kinds(&self) -> BTreeMap<&str, usize> {
        let mut kinds = BTreeMap::new();
        let mut count = |kind| *kinds.entry(kind).or_default() += 1;
        match &self.facts.detail {
            ModelDetail::Onnx(onnx) => onnx.nodes.iter().for_each(|node| count(node.kind.as_str())),
            ModelDetail::Ir(ir) => ir
                .layers()
                .iter()
                .for_each(|layer| count(layer.kind.as_str())),
            ModelDetail::Tflite(_) => {}
        }
        kinds
    }

    /// How many nodes have weights: convolutions and linear layers.
    pub(super) fn linear_layers(&self) -> usize {
        let kinds = self.kinds();
        let words = ["Conv", "Gemm", "MatMul", "FullyConnected"];
        let named = kinds
            .iter()
            .filter(|(kind, _)| words.iter().any(|word| kind.contains(word)));
        let named: usize = named.map(|(_, count)| count).sum();
        let ModelDetail::Tflite(tflite) = &self.facts.detail else {
            return named;
        };
        // CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, BATCH_MATMUL.
        let linear = |code: i32| [3, 4, 9, 126].contains(&code);
        tflite
            .operators
            .iter()
            .filter(|one| linear(one.code))
            .count()
    }

    /// The kind of the node that makes an output; nodes that only hand on are passed over.
    pub(super) fn last_node(&self, output: &str) -> Option<&str> {
        let onnx = match &self.facts.detail {
            ModelDetail::Onnx(onnx) => onnx,
            ModelDetail::Tflite(tflite) => return last_operator(tflite, output),
            ModelDetail::Ir(_) => return None,
        };
        let mut name = output;
        for _ in 0..16 {
            let makes = |node: &&straylight_engine::graph::OnnxNode| {
                node.outputs.iter().any(|output| output == name)
            };
            let node = onnx.nodes.iter().find(makes)?;
            if !TRANSPARENT.contains(&node.kind.as_str()) {
                return Some(&node.kind);
            }
            name = node.inputs.first()?;
        }
        None
    }

    /// Whether an output's integers stand for real numbers, as the file says.
    pub(super) fn is_quantised(&self, name: &str) -> bool {
        let ModelDetail::Tflite(tflite) = &self.facts.detail else {
            return false;
        };
        let mut outputs = tflite.outputs.iter();
        outputs.any(|output| output.name == name && output.quantisation.is_some())
    }

    /// All outputs with their shapes.
    pub(super) fn listed(&self) -> String {
        let one = |output: &TensorInfo| format!("`{}` {}", output.name, output.shape_text());
        self.outputs.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Refuses the model.
    pub(super) fn refused(&self, reason: String) -> DeployError {
        bare(&self.model, reason)
    }

    /// Refuses the model until a key is said; `lines` are values for it, each with its meaning.
    pub(super) fn undecided(
        &self,
        key: &str,
        reason: impl Into<String>,
        lines: &[(&str, &str)],
    ) -> DeployError {
        let model = self.model.display();
        let line = |(option, about): &(&str, &str)| {
            format!("  straylight deployment init {model} {option}\n      {about}")
        };
        DeployError::Undecided {
            path: self.model.clone(),
            key: key.to_owned(),
            reason: reason.into(),
            lines: lines.iter().map(line).collect::<Vec<_>>().join("\n"),
        }
    }
}

fn bare(model: &Path, reason: String) -> DeployError {
    DeployError::BareModel {
        path: model.to_owned(),
        reason,
    }
}

fn read_labels(model: &Path) -> Result<Option<Vec<String>>, DeployError> {
    let path = model.with_file_name(LABELS);
    if !path.exists() {
        return Ok(None);
    }
    let text = straylight_files::read_to_string(&path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<String> = lines.map(str::to_owned).collect();
    Ok((!names.is_empty()).then_some(names))
}

/// Whether a tensor holds whole numbers.
pub(super) fn is_integer(tensor: &TensorInfo) -> bool {
    // OpenVINO's numbers of i8, i16, u16, u32 and u64.
    matches!(
        tensor.element,
        ElementType::I32 | ElementType::I64 | ElementType::U8
    )
}

/// A shape without its leading axes of 1 or of an open size, down to `rank` axes.
pub(super) fn core(shape: &[Dimension], rank: usize) -> &[Dimension] {
    let mut shape = shape;
    while let [None | Some(1), rest @ ..] = shape {
        if rest.len() < rank {
            break;
        }
        shape = rest;
    }
    shape
}
