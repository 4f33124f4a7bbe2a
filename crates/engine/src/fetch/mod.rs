//! Fetching the pinned OpenVINO wheel with the user's own pip.
//!
//! One wheel a platform is pinned by version, file name and SHA-256; pip downloads it (it
//! honours the user's proxy, index and certificate settings) and must deliver exactly that
//! file. Of the wheel only the libraries that Straylight needs are unpacked, each checked
//! against the wheel's `RECORD`. All of this happens in a temporary folder of the cache that is
//! renamed when it is complete, under a file lock: a second process waits and then finds the
//! runtime in place, and an interrupted download leaves nothing that looks like one.

mod pip;
mod unpack;
mod wheel;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use straylight_core::Progress;

pub use pip::Pip;
pub use wheel::{VERSION, Wheel};

use crate::EngineError;

/// The folder of the fetched runtime in Straylight's cache.
pub fn folder(cache: &Path) -> PathBuf {
    cache.join(format!("openvino-{VERSION}"))
}

/// Makes sure that the wheel's libraries lie in the cache; gives the path of `openvino_c`.
///
/// # Errors
///
/// [`EngineError::Fetch`] when pip fails or delivers another file, [`EngineError::Io`] when
/// the cache cannot be written. The cache then holds what it held before.
pub fn fetch(
    wheel: &Wheel,
    pip: &Pip,
    cache: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, EngineError> {
    fs::create_dir_all(cache).map_err(EngineError::io("create", cache))?;
    let _lock = lock(&cache.join(format!("openvino-{VERSION}.lock")))?;
    let folder = folder(cache);
    if let Some(library) = wheel.library_in(&folder) {
        return Ok(library);
    }
    tracing::info!(version = VERSION, into = %folder.display(), "fetching OpenVINO, once");
    let work = tempfile::Builder::new()
        .prefix(".openvino-")
        .tempdir_in(cache);
    let work = work.map_err(EngineError::io("create a folder in", cache))?;
    let file = download(wheel, pip, work.path(), progress)?;
    let unpacked = work.path().join("unpacked");
    unpack::libraries(&file, &unpacked)?;
    replace(&unpacked, &folder)?;
    let missing = || EngineError::Fetch {
        reason: format!("{} holds no OpenVINO C library", wheel.file),
    };
    wheel.library_in(&folder).ok_or_else(missing)
}

/// Holds the lock until the file is closed.
fn lock(path: &Path) -> Result<File, EngineError> {
    let file = File::create(path).map_err(EngineError::io("create", path))?;
    file.lock().map_err(EngineError::io("lock", path))?;
    Ok(file)
}

fn download(
    wheel: &Wheel,
    pip: &Pip,
    work: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, EngineError> {
    progress.begin(
        &format!("Fetching OpenVINO {VERSION} with pip"),
        wheel.bytes,
    );
    let outcome = pip.download(wheel, work, progress);
    progress.finish();
    let file = outcome?;
    unpack::check_sha256(&file, wheel.sha256)?;
    Ok(file)
}

/// Moves a complete folder into place, over an incomplete one if there is any.
fn replace(from: &Path, to: &Path) -> Result<(), EngineError> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(EngineError::io("remove the damaged", to))?;
    }
    fs::rename(from, to).map_err(EngineError::io("create", to))
}

#[cfg(test)]
mod tests;
