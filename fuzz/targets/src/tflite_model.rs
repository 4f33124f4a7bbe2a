//! Any bytes are read as a TFLite model or refused with an error that names the file; no file
//! stands for more text than a few times its size, but for what is packed into it.

use std::path::Path;

use straylight_engine::graph::{Place, TfliteModel};

pub(crate) fn fuzz(bytes: &[u8]) {
    match TfliteModel::parse(Path::new("model.tflite"), bytes) {
        Ok(model) => {
            let facts = model.facts.iter();
            let own = facts.filter(|fact| fact.place == Place::TfliteMetadata);
            let text: usize = own.map(|fact| fact.value.len()).sum();
            assert!(text <= bytes.len() * 16 + (1 << 20));
            for output in 0..model.outputs.len().min(4) {
                let _ = model.labels(output);
            }
        }
        Err(error) => assert!(error.to_string().contains("model.tflite")),
    }
}
