//! Real files of the repository.

use std::path::{Path, PathBuf};

/// Larger files teach a fuzzer little and slow it down.
const LARGEST: u64 = 32 << 10;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn nothing(_: &Path) -> Vec<u8> {
    Vec::new()
}

/// The files that a seed names: `FOLDER` or `FOLDER/*ENDING`.
pub(crate) fn named(seed: &str) -> Vec<PathBuf> {
    let (folder, ending) = seed.split_once("/*").unwrap_or((seed, ""));
    let files = below(&root().join(folder), ending);
    assert!(!files.is_empty(), "{seed} has no files");
    files
}

/// The small files below a folder, in order.
pub(crate) fn below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending)
            && path.metadata().is_ok_and(|file| file.len() <= LARGEST)
        {
            files.push(path);
        }
    }
    files.sort();
    files
}
