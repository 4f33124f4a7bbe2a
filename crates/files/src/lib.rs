//! Reading and atomic writing of files, with errors that name the file and the way out.
//!
//! A file is written beside its place, synced to the disk, and renamed: whoever looks sees the
//! old content or the new, never a half. The folder is synced as well, so that a name that was
//! reported as written is still there after a power cut.
//!
//! What the functions with `private` in their names write can be read by its owner alone, on
//! systems that know owners (0600, folders 0700).

mod archive;
mod hash;
mod nested;

pub use hash::content_hash;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use archive::{Archive, ArchiveError, ArchiveLimits, unpack};
pub use nested::unpack_nested;

/// A file or folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}{}", path.display(), hint(source))]
pub struct FileError {
    /// What was tried ("read", "write", "create the folder").
    pub action: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl FileError {
    /// Names what was tried on which path beside the operating system's own words.
    pub fn new(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self {
            action,
            path: path.into(),
            source,
        }
    }

    /// What kind of failure the operating system saw.
    pub fn kind(&self) -> ErrorKind {
        self.source.kind()
    }
}

/// The way out, where the operating system's words do not say it.
fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            " (free some space there or choose another folder)"
        }
        ErrorKind::PermissionDenied => " (check who owns it and its permissions)",
        ErrorKind::ReadOnlyFilesystem => " (choose a folder that can be written)",
        ErrorKind::NotFound => " (check the path)",
        _ => "",
    }
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::new("read", path, source))
}

/// Reads a whole text file in UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|source| FileError::new("read", path, source))
}

/// Makes a folder and those above it; one that exists is left as it is.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(|source| FileError::new("create the folder", path, source))
}

/// Writes a file as a whole or not at all; its folder is created if it is missing.
///
/// On return the bytes and the name are on the disk. A file that was there before is replaced.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    create_folder(folder)?;
    let failed = |source| FileError::new("write", path, source);
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    keep(file, path)
}

/// As [`write_atomically`], but a power cut right after it may take the file away.
///
/// For thousands of files that can be written again: syncing each takes most of the time.
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = folder_of(path);
    create_folder(folder)?;
    let failed = |source| FileError::new("write", path, source);
    let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    allow_reading(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// As [`write_atomically`], for what only its owner may read; `temporary` is a folder of the same
/// disk in which the file grows, the file's own if `None`.
pub fn write_private(path: &Path, bytes: &[u8], temporary: Option<&Path>) -> Result<(), FileError> {
    let folder = folder_of(path);
    create_private_folder(folder)?;
    let failed = |source| FileError::new("write", path, source);
    // Temporary files are born readable by their owner alone.
    let mut file = NamedTempFile::new_in(temporary.unwrap_or(folder)).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    publish(file, path)
}

/// Makes a folder and those above it that only their owner may use; one that exists is left as
/// it is.
pub fn create_private_folder(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let failed = |source| FileError::new("create the folder", path, source);
    builder.create(path).map_err(failed)
}

/// How a file is opened that its owner alone may read, if it is made by that.
pub fn private_file() -> fs::OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// As [`write_atomically`], for content that should not be in memory as a whole: `write` writes
/// the file whose path it gets and says what it shall be called in the folder.
///
/// When `write` fails, nothing is left. Gives the path of the written file.
pub fn write_named<E: From<FileError>>(
    folder: &Path,
    write: impl FnOnce(&Path) -> Result<String, E>,
) -> Result<PathBuf, E> {
    create_folder(folder)?;
    let failed = |source| FileError::new("write", folder, source);
    let file = NamedTempFile::new_in(folder).map_err(failed)?;
    let path = folder.join(write(file.path())?);
    keep(file, &path)?;
    Ok(path)
}

/// Syncs a written file and gives it its name.
fn keep(file: NamedTempFile, path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::new("write", path, source);
    allow_reading(file.as_file()).map_err(failed)?;
    publish(file, path)
}

/// As [`keep`], for a file that stays as private as it was made.
fn publish(file: NamedTempFile, path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::new("write", path, source);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(folder_of(path))
}

/// Makes the names in a folder survive a power cut; the empty path is the current folder.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let failed = |source| FileError::new("sync the folder", folder, source);
    if cfg!(windows) {
        // Windows offers no handle on a folder that could be synced.
        return Ok(());
    }
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Temporary files are born readable by their owner alone; what replaces a file should not be.
#[cfg(unix)]
fn allow_reading(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_reading(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn private_files_and_folders_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c.txt");
        write_private(&path, b"x", Some(folder.path())).unwrap();
        private_file()
            .write(true)
            .create(true)
            .open(path.with_file_name("d"))
            .unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&path), mode(&path.with_file_name("d"))),
            (0o600, 0o600)
        );
        assert_eq!(mode(&folder.path().join("a")), 0o700);
        assert_eq!(mode(&folder.path().join("a/b")), 0o700);
        let shared = folder.path().join("shared");
        write_atomically(&shared, b"x").unwrap();
        assert_eq!(mode(&shared), 0o644);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        let error = write_atomically(&path, b"x").unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_current_one() {
        let folder = Path::new("restored").parent().unwrap();
        sync_folder(folder).unwrap();
        assert!(sync_folder(Path::new("no such folder")).is_err());
    }

    #[test]
    fn errors_name_the_file_and_the_way_out() {
        let error = read(Path::new("/no/such/file")).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot read /no/such/file: "),
            "{error}"
        );
        assert!(error.to_string().ends_with("(check the path)"), "{error}");
    }

    #[test]
    fn a_named_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &Path| -> Result<String, FileError> {
            fs::write(path, "numbers").map_err(|source| FileError::new("write", path, source))?;
            Ok("arrays".to_owned())
        };
        let path = write_named(folder.path(), write).unwrap();
        assert_eq!(
            (path.clone(), read(&path).unwrap()),
            (folder.path().join("arrays"), b"numbers".to_vec())
        );
        let failed = write_named(folder.path(), |path| -> Result<String, FileError> {
            fs::write(path, "half").unwrap();
            Err(FileError::new("write", path, ErrorKind::StorageFull.into()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
