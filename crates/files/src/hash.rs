//! Hashes of files, each version of a file read once.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::FileError;

/// A file's version: a file that was written anew differs in one of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Stamp {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    /// Device, number, and time of the last change of the entry, where the system has them.
    entry: (u64, u64, i64, i64),
}

impl Stamp {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            entry: entry(metadata),
        }
    }

    /// Whether the file was written so recently that a further change could have the same times.
    fn is_fresh(&self) -> bool {
        const GRAIN: Duration = Duration::from_secs(3);
        let age = self
            .modified
            .map(|time| SystemTime::now().duration_since(time));
        age.and_then(Result::ok).is_none_or(|age| age < GRAIN)
    }
}

#[cfg(unix)]
fn entry(metadata: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (
        metadata.dev(),
        metadata.ino(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    )
}

#[cfg(not(unix))]
fn entry(_: &Metadata) -> (u64, u64, i64, i64) {
    (0, 0, 0, 0)
}

/// The hashes that this process knows.
static KNOWN: LazyLock<Mutex<HashMap<Stamp, blake3::Hash>>> = LazyLock::new(Mutex::default);

/// The BLAKE3 hash of a file's content, read piece by piece.
///
/// A process reads each version of a file once: size, times and number of the file tell versions
/// apart, but for files that were written a moment ago, which are read again.
pub fn content_hash(path: &Path) -> Result<blake3::Hash, FileError> {
    let failed = |error| FileError::new("read", path, error);
    let mut file = File::open(path).map_err(failed)?;
    let stamp = Stamp::of(path, &file.metadata().map_err(failed)?);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(hash) = known().get(&stamp) {
        return Ok(*hash);
    }
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut file, &mut hasher).map_err(failed)?;
    let hash = hasher.finalize();
    if !stamp.is_fresh() {
        known().insert(stamp, hash);
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_is_hashed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["one", "two", "one"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(content_hash(&path).unwrap(), blake3::hash(text.as_bytes()));
        }
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(old).unwrap();
        for _ in 0..2 {
            assert_eq!(content_hash(&path).unwrap(), blake3::hash(b"one"));
        }
        // The same size and the same time of writing: the entry itself tells.
        std::fs::rename(&path, folder.path().join("b")).unwrap();
        std::fs::write(&path, "two").unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(old).unwrap();
        assert_eq!(content_hash(&path).unwrap(), blake3::hash(b"two"));
    }
}
