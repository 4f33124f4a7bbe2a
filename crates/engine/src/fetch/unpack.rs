use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::digest::Output;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::EngineError;

/// Libraries that Straylight needs, by the start of their names: core, C API, CPU, AUTO and
/// HETERO devices, readers of IR, ONNX and `TFLite`, and the thread pool.
const NEEDED: [&str; 10] = [
    "openvino.",
    "openvino_c.",
    "openvino_intel_cpu_plugin.",
    "openvino_arm_cpu_plugin.",
    "openvino_auto",
    "openvino_hetero_plugin.",
    "openvino_ir_frontend.",
    "openvino_onnx_frontend.",
    "openvino_tensorflow_lite_frontend.",
    "tbb",
];

/// The library of another project with which the thread pool looks at the machine.
const COMPANION: &str = "libhwloc";

/// Files for linking at build time.
const FOR_BUILDING: [&str; 2] = [".lib", ".pc"];

/// Unpacks the needed libraries of a wheel into `folder/libs`, each checked against `RECORD`.
pub(super) fn libraries(wheel: &Path, folder: &Path) -> Result<(), EngineError> {
    let file = File::open(wheel).map_err(EngineError::io("read", wheel))?;
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(wheel, &error))?;
    let libs = folder.join("libs");
    fs::create_dir_all(&libs).map_err(EngineError::io("create", &libs))?;
    let names = archive
        .file_names()
        .filter_map(Result::ok)
        .map(Cow::into_owned);
    let names: Vec<String> = names.collect();
    let record = read_record(wheel, &mut archive, &names)?;
    for name in &names {
        let library = name
            .strip_prefix("openvino/libs/")
            .filter(|library| is_needed(library));
        if let Some(library) = library {
            unpack(wheel, &mut archive, name, &libs.join(library), &record)?;
        }
    }
    Ok(())
}

fn is_needed(file: &str) -> bool {
    let stem = file.strip_prefix("lib").unwrap_or(file);
    let wanted = file.starts_with(COMPANION) || NEEDED.iter().any(|start| stem.starts_with(start));
    wanted && !file.contains(['/', '\\']) && !FOR_BUILDING.iter().any(|end| file.ends_with(end))
}

type Archive = ZipArchive<BufReader<File>>;

/// The SHA-256 of each file of the wheel, from its `RECORD`: `path,sha256=<base64>,size`.
fn read_record(
    wheel: &Path,
    archive: &mut Archive,
    names: &[String],
) -> Result<HashMap<String, String>, EngineError> {
    let name = names
        .iter()
        .find(|name| name.ends_with(".dist-info/RECORD"));
    let name = name.ok_or_else(|| damaged(wheel, &"it has no RECORD"))?;
    let mut text = String::new();
    let mut entry = archive
        .by_name(name)
        .map_err(|error| damaged(wheel, &error))?;
    entry
        .read_to_string(&mut text)
        .map_err(|error| damaged(wheel, &error))?;
    let entries = text.lines().filter_map(|line| {
        let (rest, _size) = line.rsplit_once(',')?;
        let (path, hash) = rest.rsplit_once(',')?;
        Some((path.to_owned(), hash.strip_prefix("sha256=")?.to_owned()))
    });
    Ok(entries.collect())
}

fn unpack(
    wheel: &Path,
    archive: &mut Archive,
    name: &str,
    to: &Path,
    record: &HashMap<String, String>,
) -> Result<(), EngineError> {
    let mut entry = archive
        .by_name(name)
        .map_err(|error| damaged(wheel, &error))?;
    let mut out = File::create(to).map_err(EngineError::io("create", to))?;
    let hash = copy_hashed(&mut entry, &mut out).map_err(EngineError::io("write", to))?;
    out.sync_all().map_err(EngineError::io("write", to))?;
    if record.get(name).map(String::as_str) != Some(&URL_SAFE_NO_PAD.encode(hash)) {
        return Err(damaged(
            wheel,
            &format!("{name} is not what its RECORD says"),
        ));
    }
    Ok(())
}

fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<Output<Sha256>> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
            return Ok(hasher.finalize());
        };
        hasher.update(chunk);
        to.write_all(chunk)?;
    }
}

/// Refuses a file whose SHA-256 is not the pinned one, written in hexadecimal.
pub(super) fn check_sha256(file: &Path, pinned: &str) -> Result<(), EngineError> {
    let mut source = File::open(file).map_err(EngineError::io("read", file))?;
    let hash =
        copy_hashed(&mut source, &mut std::io::sink()).map_err(EngineError::io("read", file))?;
    let found = hexadecimal(&hash);
    if found == pinned {
        return Ok(());
    }
    let reason = format!(
        "{} has SHA-256 {found}, not the pinned {pinned}",
        file.display()
    );
    Err(EngineError::Fetch { reason })
}

/// Lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn damaged(wheel: &Path, reason: &dyn std::fmt::Display) -> EngineError {
    EngineError::Fetch {
        reason: format!("{} is damaged: {reason}", wheel.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_needed;

    #[test]
    fn only_what_is_needed_is_unpacked() {
        for name in [
            "libopenvino.so.2641",
            "libopenvino_c.so.2641",
            "libtbb.so.12",
            "openvino.dll",
            "libhwloc.so.15",
        ] {
            assert!(is_needed(name), "{name}");
        }
        for name in [
            "libopenvino_intel_gpu_plugin.so",
            "cache.json",
            "../libopenvino.so.2641",
            "libopenvino_paddle_frontend.so.2641",
            "tbb.pc",
            "openvino.lib",
        ] {
            assert!(!is_needed(name), "{name}");
        }
    }
}
