//! What the integration tests share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use straylight_deploy::{Deployment, LoadOptions};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The demo's deployment, loaded once a process.
pub fn demo() -> &'static Deployment {
    static DEMO: OnceLock<Deployment> = OnceLock::new();
    DEMO.get_or_init(|| Deployment::from_folder(demo_folder(), &LoadOptions::default()).unwrap())
}

/// The folder of the demo's deployment.
pub fn demo_folder() -> PathBuf {
    root().join("assets/demo/deployment")
}

/// A JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The values of a NumPy file of little-endian f32.
pub fn npy_f32(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(
        String::from_utf8_lossy(&bytes[10..header]).contains("<f4"),
        "{}",
        path.display()
    );
    bytes[header..]
        .chunks_exact(4)
        .map(|raw| f32::from_le_bytes(raw.try_into().unwrap()))
        .collect()
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
