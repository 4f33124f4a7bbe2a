//! Any bytes are read as a deployment's `project.json` or refused; what was read is written,
//! and read again as the same.

use straylight_core::Project;

pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(project) = serde_json::from_slice::<Project>(bytes) {
        let text = serde_json::to_string(&project).expect("plain data");
        assert_eq!(serde_json::from_str::<Project>(&text).ok(), Some(project));
    }
}
