//! What the integration tests share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use straylight_core::{Frame, RgbImage, Timestamp};
use straylight_deploy::{Deployment, LoadOptions, ModelCache};

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

/// The folder with small deployments and the Python SDK's predictions for them.
pub fn cases() -> PathBuf {
    root().join("fixtures/deployments")
}

/// A small deployment with what the Python SDK predicts.
pub fn case(name: &str) -> Value {
    json(&cases().join(format!("{name}.json")))
}

/// Loads a small deployment; its files live as long as the folder.
pub fn load_case(case: &Value) -> (tempfile::TempDir, Deployment) {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in case["files"].as_object().unwrap() {
        let path = root.path().join("deployment").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = content.as_str().unwrap();
        let is_text = !name.ends_with("bin");
        let bytes = if is_text {
            text.into()
        } else {
            STANDARD.decode(text).unwrap()
        };
        std::fs::write(path, bytes).unwrap();
    }
    let options = LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    };
    let deployment = Deployment::from_folder(root.path(), &options).unwrap();
    (root, deployment)
}

/// The picture of a case.
pub fn picture_of(case: &Value) -> Frame {
    let side = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
    picture(side("width"), side("height"), 0, "picture")
}

/// The picture whose pixels follow the generator's formula, all channels `shift` brighter.
pub fn picture(width: u32, height: u32, shift: u32, name: &str) -> Frame {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let levels = pixels.flat_map(|(x, y)| [7 * x + 3 * y, 2 * x + 11 * y, x * y + 5 * x]);
    let data = levels.map(|level| (level + shift) as u8).collect();
    Frame::new(
        RgbImage::new(width, height, data).unwrap(),
        name,
        Timestamp::UNIX_EPOCH,
    )
}
