//! Any bytes are read as an ONNX model or refused with an error that names the file.

use std::path::Path;

use straylight_engine::graph::OnnxModel;

pub(crate) fn fuzz(bytes: &[u8]) {
    if let Err(error) = OnnxModel::parse(Path::new("model.onnx"), bytes) {
        assert!(error.to_string().contains("model.onnx"));
    }
}
