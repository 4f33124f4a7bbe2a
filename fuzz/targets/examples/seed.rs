//! Writes the inputs that a fuzzer begins with into folders below `fuzz/corpus`, one a target.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for target in straylight_fuzz_targets::TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder).unwrap();
        for (number, (_, input)) in target.inputs().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), input).unwrap();
        }
    }
}
