//! Any bytes are read as an ONNX model or refused with an error that names the file.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use straylight_engine::graph::OnnxModel;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = OnnxModel::parse(Path::new("model.onnx"), bytes) {
        assert!(error.to_string().contains("model.onnx"));
    }
});
