//! Any text is read as an IR or refused with an error that names the file; what was read can
//! be walked for its head without a panic, however its edges run.

use std::path::Path;

use straylight_engine::graph::{IrModel, ModelInfo};
use straylight_tasks::TaskConfig;

pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match IrModel::parse(Path::new("model.xml"), text) {
        Ok(model) => {
            for layer in model.layers() {
                for name in layer.outputs.iter().flat_map(|port| &port.names) {
                    let _ = model.head_weights(name);
                }
            }
            let entries = model.info().into_iter().flat_map(ModelInfo::iter);
            let entries = entries
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let _ = TaskConfig::from_model_info(&entries);
        }
        Err(error) => assert!(error.to_string().contains("model.xml")),
    }
}
