//! Reading OpenVINO IR files without OpenVINO.
//!
//! OpenVINO's C API gives neither the `rt_info` of a model nor its layers. An IR is an XML
//! file of layers and edges with a binary file of weights beside it; this module reads both in
//! safe code. It never executes a graph.

mod head;
mod info;
mod ir;
mod outputs;

pub use head::HeadWeights;
pub use info::ModelInfo;
pub use ir::{IrModel, Layer};
