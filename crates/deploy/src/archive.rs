//! Deployments in zip files, as Geti servers give them.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use straylight_files::{self as files, ArchiveError, ArchiveLimits, FileError};
use tempfile::TempDir;

use crate::DeployError;

/// How much a deployment may hold.
const LIMITS: ArchiveLimits = ArchiveLimits {
    entries: 10_000,
    bytes: 8 << 30,
    // Weights are random numbers; nothing in a deployment packs better than text.
    ratio: 200,
};

/// How zip files begin.
const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// Whether a path is a zip file, told by its first bytes.
pub(crate) fn is_zip(path: &Path) -> bool {
    let mut start = [0; 4];
    // Asked first: opening a named pipe would wait for its writer.
    path.is_file()
        && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && start == *MAGIC
}

/// Unpacks a zip file; `None` for other paths.
///
/// Gives the folder with the files, and its parent, which is removed when it is dropped.
pub(crate) fn unpack(path: &Path) -> Result<Option<(TempDir, PathBuf)>, DeployError> {
    if !is_zip(path) {
        return Ok(None);
    }
    let file = File::open(path).map_err(|error| FileError::new("read", path, error))?;
    let parent = tempfile::Builder::new().prefix("straylight-").tempdir();
    let parent = parent
        .map_err(|error| FileError::new("create a folder in", std::env::temp_dir(), error))?;
    let folder = parent.path().join("unpacked");
    match files::unpack(BufReader::new(file), "", &folder, &LIMITS, false) {
        Ok(()) => Ok(Some((parent, folder))),
        Err(ArchiveError::File(error)) => Err(error.into()),
        Err(error) => Err(DeployError::Zip {
            path: path.to_owned(),
            reason: format!("cannot be unpacked: {error}"),
        }),
    }
}
