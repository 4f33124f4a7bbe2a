use std::path::{Path, PathBuf};

use super::{IrModel, ModelInfo, OnnxModel, TfliteModel};
use crate::EngineError;

/// The largest model file that is read as a whole; protobuf and flatbuffers end at 2 GiB.
const LARGEST: u64 = 2 << 30;

/// The format of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFormat {
    /// OpenVINO IR: an XML file with a binary file of weights.
    Ir,
    /// ONNX.
    Onnx,
    /// TensorFlow Lite.
    Tflite,
}

impl ModelFormat {
    /// The format that the file's name says; `None` for any other name.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "xml" => Some(Self::Ir),
            "onnx" => Some(Self::Onnx),
            "tflite" => Some(Self::Tflite),
            _ => None,
        }
    }
}

/// Where in a model file a fact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// IR: `rt_info/model_info/<key>`; ONNX: `metadata_props` with the key `model_info <key>`.
    ModelInfo,
    /// IR: another entry of `rt_info`; the key is its path, such as `framework/names`.
    RtInfo,
    /// ONNX: another entry of `metadata_props`.
    Metadata,
    /// TFLite: the flatbuffer `TFLITE_METADATA`; keys are paths such as `input/0/mean`.
    TfliteMetadata,
    /// TFLite: a file that is packed into the model; the key is its name, the value its text.
    PackedFile,
}

impl Place {
    /// The place as messages name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelInfo => "model_info",
            Self::RtInfo => "rt_info",
            Self::Metadata => "metadata_props",
            Self::TfliteMetadata => "TFLITE_METADATA",
            Self::PackedFile => "a packed file",
        }
    }
}

/// One thing that a model file says about itself, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Where it stands.
    pub place: Place,
    /// Its key, without the `model_info` before it.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// What a model file says beside its graph, and which files belong to it.
///
/// Keys and values are kept as they are written; whoever uses a key interprets it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    /// The model file.
    pub path: PathBuf,
    /// Its format.
    pub format: ModelFormat,
    /// All that it says, in the file's order.
    pub facts: Vec<Fact>,
    /// The files that hold its weights beside the model file itself: an IR's `.bin`, ONNX's
    /// external data. They may be missing.
    pub weights: Vec<PathBuf>,
    /// What only this format has.
    pub detail: ModelDetail,
}

/// What a model file of each format tells of its graph.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelDetail {
    /// An IR's layers and edges.
    Ir(IrModel),
    /// An ONNX model's nodes, inputs, outputs and operator sets.
    Onnx(OnnxModel),
    /// A TFLite model's operators, and tensors with their quantisation.
    Tflite(TfliteModel),
}

impl ModelFacts {
    /// Reads what a model file says.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the file cannot be read, [`EngineError::Model`] when it is of no
    /// known format or damaged.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let Some(format) = ModelFormat::of(path) else {
            let reason = "its name does not end in .xml (OpenVINO IR), .onnx or .tflite; a SavedModel \
                          becomes an IR by OpenVINO's `ovc FOLDER --output_model NAME`, a model of \
                          PyTorch, Keras or Paddle is exported as ONNX";
            return Err(wrong(path, reason));
        };
        let (facts, weights, detail) = match format {
            ModelFormat::Ir => {
                let ir = IrModel::read(path)?;
                let weights = vec![path.with_extension("bin")];
                (ir.facts().to_vec(), weights, ModelDetail::Ir(ir))
            }
            ModelFormat::Onnx => {
                let onnx = OnnxModel::parse(path, &read(path)?)?;
                let weights = onnx.external_files(path)?;
                (onnx.facts(), weights, ModelDetail::Onnx(onnx))
            }
            ModelFormat::Tflite => {
                let tflite = TfliteModel::parse(path, &read(path)?)?;
                (
                    tflite.facts.clone(),
                    Vec::new(),
                    ModelDetail::Tflite(tflite),
                )
            }
        };
        Ok(Self {
            path: path.to_owned(),
            format,
            facts,
            weights,
            detail,
        })
    }

    /// The value of a key at a place.
    pub fn get(&self, place: Place, key: &str) -> Option<&str> {
        let fact = self
            .facts
            .iter()
            .find(|fact| fact.place == place && fact.key == key);
        fact.map(|fact| fact.value.as_str())
    }

    /// The entries of `model_info`; `None` when the file has none.
    pub fn model_info(&self) -> Option<ModelInfo> {
        ModelInfo::of(&self.facts)
    }

    /// The model file and the files that hold its weights.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.path.clone()];
        files.extend(self.weights.iter().cloned());
        files
    }

    /// Checks that the files with the weights are there.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] that names the first file which cannot be read.
    pub fn check_weights(&self) -> Result<(), EngineError> {
        for file in &self.weights {
            std::fs::File::open(file).map_err(EngineError::io("read the weights", file))?;
        }
        Ok(())
    }

    /// What OpenVINO computes otherwise than the format defines it, without a word, as far as is
    /// known: the nodes and the way out; `None` when all is well.
    pub fn miscomputed(&self) -> Option<String> {
        match &self.detail {
            ModelDetail::Onnx(onnx) if !onnx.miscomputed.is_empty() => Some(format!(
                "OpenVINO would compute it wrongly without a word: {}",
                onnx.miscomputed.join("; ")
            )),
            _ => None,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EngineError> {
    let meta = std::fs::metadata(path).map_err(EngineError::io("read", path))?;
    if meta.len() > LARGEST {
        return Err(wrong(path, "is larger than 2 GiB, the limit of its format"));
    }
    std::fs::read(path).map_err(EngineError::io("read", path))
}

pub(super) fn wrong(path: &Path, reason: impl Into<String>) -> EngineError {
    EngineError::Model {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
