use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use straylight_engine::graph::{ModelDetail, ModelFacts, Place, TfliteModel};
use straylight_engine::{Dimension, ElementType, ModelSource, Runtime, TensorInfo};

use super::probe::Probe;
use super::ultralytics::listed;
use super::{beside, tflite};
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
        if let Some(reason) = tflite::refusal(&facts) {
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

    /// The only output whose name is this word, or else ends with it after a separator.
    pub(super) fn ending(&self, word: &str) -> Option<&TensorInfo> {
        let fits = |name: &str| {
            let name = name.split(':').next().unwrap_or(name);
            name.strip_suffix(word)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '.', '_']))
        };
        // TensorFlow Object Detection has `raw_detection_boxes` beside `detection_boxes`.
        let found = |output: &&TensorInfo| fits(&output.name) && !output.name.contains("raw_");
        let mut found = self.outputs.iter().filter(found);
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

    /// Names of the classes that the metadata say under one of the usual keys.
    pub(super) fn named_classes(&self) -> Option<(&'static str, Vec<String>)> {
        let keys = [
            "names",
            "labels",
            "classes",
            "class_names",
            "class_labels",
            "id2label",
        ];
        keys.into_iter().find_map(|key| {
            let text = self.metadata(key)?;
            let words = || {
                let words = text.split([',', '\n']).map(str::trim);
                let words: Vec<String> = words.map(str::to_owned).collect();
                let plain = !text.contains(['[', '{', '"']) && words.len() > 1;
                (plain && words.iter().all(|word| !word.is_empty())).then_some(words)
            };
            Some((key, listed(text).or_else(words)?))
        })
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
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    let names =
        numbered(&lines).unwrap_or_else(|| lines.iter().map(|&line| line.to_owned()).collect());
    Ok((!names.is_empty()).then_some(names))
}

/// The names of lines that all begin with their number, `0 person` or `1: car`; numbers count up
/// from 0 or 1. Numbers that a list from 0 leaves out are classes without a name.
fn numbered(lines: &[&str]) -> Option<Vec<String>> {
    let entries: Vec<(usize, &str)> = lines
        .iter()
        .map(|line| number_and_name(line))
        .collect::<Option<_>>()?;
    let &(first, _) = entries.first()?;
    let (last, _) = *entries.last()?;
    let rising = entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let dense = last + 1 - first.min(last) == entries.len();
    // A gap is a class that no longer exists, as in the 90 numbers of COCO's 80 classes.
    if !rising || first > 1 || (first == 1 && !dense) || last > 4 * entries.len() {
        return None;
    }
    let name = |number: usize| {
        let found = entries.iter().find(|(other, _)| *other == number);
        found.map_or_else(|| format!("class {number}"), |(_, name)| (*name).to_owned())
    };
    Some((first..=last).map(name).collect())
}

/// A number, something between, and a name.
fn number_and_name(line: &str) -> Option<(usize, &str)> {
    let end = line.find(|one: char| !one.is_ascii_digit())?;
    let (number, rest) = line.split_at_checked(end)?;
    let name = rest.trim_start_matches([':', ',', ';', '.', '\t', ' ']);
    let is_apart = name.len() < rest.len() && !name.is_empty();
    Some((number.parse().ok().filter(|_| is_apart)?, name))
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

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn numbers_before_names_are_no_part_of_them() {
        struct Case(&'static [&'static str], Option<&'static str>);
        let names = |lines: &[&str]| numbered(lines).map(|names| names.join("|"));
        for Case(lines, expected) in [
            Case(&["0 red", "1 dark green"], Some("red|dark green")),
            Case(&["0: red", "1: green"], Some("red|green")),
            Case(&["1,red", "2,green"], Some("red|green")),
            Case(
                &["0  person", "1  bicycle", "3  car"],
                Some("person|bicycle|class 2|car"),
            ),
            // Names that are numbers, or begin with one.
            Case(&["0", "1"], None),
            Case(&["3d printer", "4x4"], None),
            Case(&["1 euro", "2 euro", "5 euro"], None),
            Case(&["10 euro", "20 euro"], None),
            Case(&["1 b", "0 a"], None),
            Case(&["0 a", "b"], None),
        ] {
            assert_eq!(names(lines).as_deref(), expected, "{lines:?}");
        }
    }
}
