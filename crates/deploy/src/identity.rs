//! What a deployment computes, as a hash: an OOD model belongs to exactly one.
//!
//! The hash covers the graph, all weights (external ones too), the configuration in the model
//! file and beside it, and the description of a model that is not Geti's. Names for people
//! (of the project, of the description) are not in it.

use std::path::PathBuf;

use straylight_files::{FileError, content_hash};

/// What is hashed before all else, so that no hash of another version is ever the same.
const VERSION: &str = "straylight deployment 2";

/// The hash of what all models of a deployment compute, 64 hexadecimal digits.
///
/// `described` is what a description says, without its names for people.
pub(crate) fn of(files: &[PathBuf], described: Option<&str>) -> Result<String, FileError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(VERSION.as_bytes());
    for path in files {
        // The name tells a graph from its weights and from its configuration.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        hasher.update(blake3::hash(name.as_bytes()).as_bytes());
        hasher.update(content_hash(path)?.as_bytes());
    }
    if let Some(text) = described {
        hasher.update(blake3::hash(text.as_bytes()).as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash that versions before this one remembered: graph and weights beside it only.
pub(crate) fn older(files: &[PathBuf]) -> Result<String, FileError> {
    let mut hasher = blake3::Hasher::new();
    for path in files {
        hasher.update(content_hash(path)?.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_description_and_names_count() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a.xml", "a.bin"].map(|name| folder.path().join(name));
        std::fs::write(&a, b"same").unwrap();
        std::fs::write(&b, b"same").unwrap();
        let all = [
            of(&[a.clone(), b.clone()], None).unwrap(),
            of(&[b.clone(), a.clone()], None).unwrap(),
            of(std::slice::from_ref(&a), None).unwrap(),
            of(std::slice::from_ref(&a), Some("mean 1")).unwrap(),
            of(std::slice::from_ref(&a), Some("mean 2")).unwrap(),
            older(&[a, b]).unwrap(),
        ];
        for (place, hash) in all.iter().enumerate() {
            assert!(!all[..place].contains(hash), "{place}");
        }
    }
}
