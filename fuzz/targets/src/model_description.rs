//! Any text is read as the description of a model or refused with an error that names the
//! file; what was read is written, and read again as the same.

use std::path::Path;

use straylight_deploy::custom::ModelDescription;

pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for file in ["straylight.json", "straylight.yaml"] {
        match ModelDescription::parse(text, Path::new(file)) {
            Ok(description) => {
                let again =
                    ModelDescription::parse(&description.to_json(), Path::new("straylight.json"));
                assert_eq!(again.ok(), Some(description));
            }
            Err(error) => assert!(error.to_string().contains(file)),
        }
    }
}
