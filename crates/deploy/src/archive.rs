//! Deployments in zip files, as Geti servers give them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use straylight_files::{self as files, FileError};
use tempfile::TempDir;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::DeployError;

/// The most files of a deployment, and the most bytes of all of them together.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 8 << 30;
/// How zip files begin.
const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// Whether a path is a zip file, told by its first bytes.
pub(crate) fn is_zip(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    path.is_file() && read.is_ok() && start == *MAGIC
}

/// Unpacks a zip file into a folder that is removed when it is dropped; `None` for other paths.
pub(crate) fn unpack(path: &Path) -> Result<Option<TempDir>, DeployError> {
    if !is_zip(path) {
        return Ok(None);
    }
    let wrong = |reason: String| DeployError::Zip {
        path: path.to_owned(),
        reason,
    };
    let damaged = |error: ZipError| wrong(format!("cannot be unpacked: {error}"));
    let file = File::open(path).map_err(|error| FileError::new("read", path, error))?;
    let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(damaged)?;
    if archive.len() > MOST_FILES {
        return Err(wrong(format!("holds more than {MOST_FILES} files")));
    }
    let folder = tempfile::Builder::new().prefix("straylight-").tempdir();
    let folder = folder
        .map_err(|error| FileError::new("create a folder in", std::env::temp_dir(), error))?;
    let mut left = MOST_BYTES;
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).map_err(damaged)?;
        let Some(name) = entry.enclosed_name() else {
            return Err(wrong("holds a file whose name leads out of it".to_owned()));
        };
        if !entry.is_file() {
            continue;
        }
        let target = folder.path().join(&name);
        if let Some(parent) = target.parent() {
            files::create_folder(parent)?;
        }
        let failed = |error| FileError::new("write", &target, error);
        let mut written = File::create(&target).map_err(failed)?;
        let limited = &mut entry.by_ref().take(left.saturating_add(1));
        let copied = io::copy(limited, &mut written)
            .map_err(|error| wrong(format!("{} cannot be unpacked: {error}", name.display())))?;
        left = left
            .checked_sub(copied)
            .ok_or_else(|| wrong(format!("holds more than {} GiB", MOST_BYTES >> 30)))?;
    }
    Ok(Some(folder))
}
