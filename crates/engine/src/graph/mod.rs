//! Reading model files without OpenVINO: what they say about themselves and of their graphs.
//!
//! OpenVINO's C API gives neither the metadata of a model nor its layers, and drops how TFLite
//! tensors are quantised. [`ModelFacts`] reads all of that, of every format and in safe code. An
//! IR is an XML file of layers and edges with a binary file of weights beside it; ONNX is
//! protobuf, TFLite a flatbuffer. Nothing here executes a graph.

mod facts;
mod head;
mod info;
mod ir;
mod onnx;
mod outputs;
mod tflite;

pub use facts::{Fact, ModelDetail, ModelFacts, ModelFormat, Place};
pub use head::HeadWeights;
pub use info::ModelInfo;
pub use ir::{IrModel, Layer};
pub use onnx::{OnnxModel, OnnxNode, OnnxValue};
pub use tflite::{Quantisation, TfliteModel, TfliteOperator, TfliteTensor, TfliteType};
