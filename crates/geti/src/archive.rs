//! Unpacking of zip files that come over the network.
//!
//! An archive is an attack until shown otherwise. Refused as a whole: a path that is absolute,
//! climbs with `..`, has a drive or a backslash, or is not UTF-8; a symbolic link or any other
//! special file; two entries of one name (also where case does not count); encryption; more than
//! [`ArchiveLimits`] allows, counted in bytes that really came out, whatever the headers say.
//! The folder appears under its name only when everything is in it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};

use straylight_files::FileError;
use zip::ZipArchive;
use zip::read::ZipFile;

use crate::error::{ErrorKind, GetiError};

/// How much an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// The most entries.
    pub entries: usize,
    /// The most bytes over all unpacked files.
    pub bytes: u64,
    /// How many bytes one packed byte may become, over the whole archive.
    pub ratio: u64,
}

impl Default for ArchiveLimits {
    /// 20,000 entries, 16 GiB, 200 to 1 (with 64 MiB free).
    fn default() -> Self {
        Self {
            entries: 20_000,
            bytes: 16 * 1024 * 1024 * 1024,
            ratio: 200,
        }
    }
}

/// Bytes that may come out whatever the ratio: small files of zeros are harmless.
const FREE: u64 = 64 * 1024 * 1024;

/// The longest path of an entry in bytes.
const LONGEST_PATH: usize = 1024;

/// Unpacks the entries below `subtree` of a zip file to `target`, which must not exist.
///
/// The folder is made beside its place and renamed: after a failure nothing is left.
/// Entries outside the subtree are checked as well, but not written.
///
/// # Errors
/// [`ErrorKind::Archive`] if the archive is damaged or refused, or has nothing below `subtree`;
/// [`ErrorKind::File`] if the disk refuses.
pub fn unpack(
    archive: impl Read + Seek,
    subtree: &str,
    target: &Path,
    limits: &ArchiveLimits,
) -> Result<(), GetiError> {
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    straylight_files::create_folder(parent)?;
    let failed = |source| FileError::new("create a folder in", parent, source);
    let workshop = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(parent)
        .map_err(failed)?;
    let root = workshop.path().join("tree");
    Unpacker {
        limits,
        written: 0,
        allowed: 0,
    }
    .run(archive, subtree, &root)?;
    publish(&root, target)
}

/// Gives the complete folder its name; a folder that is there already is never touched.
fn publish(root: &Path, target: &Path) -> Result<(), GetiError> {
    if target.symlink_metadata().is_ok() {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "it exists");
        return Err(FileError::new("create the folder", target, source).into());
    }
    fs::rename(root, target).map_err(|e| FileError::new("create the folder", target, e))?;
    if let Some(parent) = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        straylight_files::sync_folder(parent)?;
    }
    Ok(())
}

struct Unpacker<'a> {
    limits: &'a ArchiveLimits,
    written: u64,
    allowed: u64,
}

impl Unpacker<'_> {
    fn run(
        &mut self,
        mut reader: impl Read + Seek,
        subtree: &str,
        root: &Path,
    ) -> Result<(), GetiError> {
        let length = reader
            .seek(io::SeekFrom::End(0))
            .map_err(|e| damaged(&e.to_string()))?;
        self.allowed = length
            .saturating_mul(self.limits.ratio)
            .saturating_add(FREE);
        self.allowed = self.allowed.min(self.limits.bytes);
        let mut zip = ZipArchive::new(reader).map_err(|error| damaged(&error.to_string()))?;
        if zip.len() > self.limits.entries {
            return Err(refused(&format!("it has {} entries", zip.len())));
        }
        let paths = checked_paths(&mut zip)?;
        for (index, path) in paths.iter().enumerate() {
            let Ok(inner) = path.strip_prefix(subtree) else {
                continue;
            };
            let mut entry = zip
                .by_index(index)
                .map_err(|error| damaged(&error.to_string()))?;
            self.write(&mut entry, &root.join(inner))?;
        }
        if root.is_dir() {
            return Ok(());
        }
        Err(refused(&format!("it has no folder `{subtree}`")))
    }

    fn write<R: Read>(&mut self, entry: &mut ZipFile<'_, R>, path: &Path) -> Result<(), GetiError> {
        if entry.is_dir() {
            return Ok(straylight_files::create_folder(path)?);
        }
        if let Some(folder) = path.parent() {
            straylight_files::create_folder(folder)?;
        }
        let failed = |source| GetiError::from(FileError::new("write", path, source));
        let mut file = File::create_new(path).map_err(failed)?;
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let read = entry
                .read(&mut buffer)
                .map_err(|error| damaged(&error.to_string()))?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
                break;
            };
            self.written += read as u64;
            if self.written > self.allowed {
                return Err(refused(&format!(
                    "it unpacks to more than {} bytes",
                    self.allowed
                )));
            }
            file.write_all(part).map_err(failed)?;
        }
        file.sync_all().map_err(failed)
    }
}

/// The paths of all entries in their order; every one is harmless and there once.
fn checked_paths<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Vec<PathBuf>, GetiError> {
    let mut seen = HashSet::new();
    let mut paths = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let entry = zip
            .by_index_raw(index)
            .map_err(|error| damaged(&error.to_string()))?;
        let name = std::str::from_utf8(entry.name_raw()).unwrap_or_default();
        if entry.encrypted() {
            return Err(refused("it is encrypted"));
        }
        if !is_plain(entry.unix_mode()) {
            return Err(refused(&format!(
                "`{}` is a link or a special file",
                shown(name)
            )));
        }
        let outside = || refused(&format!("`{}` is no path inside it", shown(name)));
        let path = harmless(name).ok_or_else(outside)?;
        if !seen.insert(path.to_string_lossy().to_lowercase()) {
            return Err(refused(&format!("`{}` is there twice", shown(name))));
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Whether the Unix mode of an entry, if it has one, is that of a file or a folder.
fn is_plain(mode: Option<u32>) -> bool {
    matches!(mode.unwrap_or(0) & 0o170_000, 0 | 0o100_000 | 0o040_000)
}

/// The path of an entry, if it stays inside the archive on every system.
fn harmless(name: &str) -> Option<PathBuf> {
    let bad = |c: char| c == '\\' || c == ':' || c.is_control();
    if name.is_empty() || name.len() > LONGEST_PATH || name.contains(bad) {
        return None;
    }
    let path = PathBuf::from(name);
    let ordinary = path.components().all(|c| matches!(c, Component::Normal(_)));
    (ordinary && !name.starts_with('/')).then_some(path)
}

fn shown(name: &str) -> String {
    name.chars()
        .take(100)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

fn damaged(reason: &str) -> GetiError {
    GetiError::new(
        ErrorKind::Archive,
        format!("the archive is damaged: {reason}"),
    )
    .with_hint("download it again")
}

fn refused(reason: &str) -> GetiError {
    GetiError::new(
        ErrorKind::Archive,
        format!("the archive is refused: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in entries {
            if let Some(target) = name.strip_suffix(" -> link") {
                zip.add_symlink(target, String::from_utf8_lossy(bytes), options)
                    .unwrap();
            } else {
                zip.start_file(*name, options).unwrap();
                zip.write_all(bytes).unwrap();
            }
        }
        zip.finish().unwrap().into_inner()
    }

    fn unpacked(bytes: &[u8], limits: ArchiveLimits) -> (Result<(), GetiError>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("root").join("deployment");
        (
            unpack(Cursor::new(bytes), "deployment", &target, &limits),
            folder,
        )
    }

    #[test]
    fn only_the_subtree_is_written() {
        let bytes = archive(&[
            ("README.md", b"x"),
            ("deployment/project.json", b"{}"),
            ("deployment/Task 1/model/model.xml", b"<x/>"),
        ]);
        let (result, folder) = unpacked(&bytes, ArchiveLimits::default());
        result.unwrap();
        let root = folder.path().join("root");
        assert_eq!(
            fs::read(root.join("deployment/Task 1/model/model.xml")).unwrap(),
            b"<x/>"
        );
        assert_eq!(fs::read_dir(root).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_exists_is_not_touched() {
        let bytes = archive(&[("deployment/a", b"new")]);
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("deployment");
        fs::create_dir(&target).unwrap();
        let result = unpack(
            Cursor::new(bytes),
            "deployment",
            &target,
            &ArchiveLimits::default(),
        );
        assert_eq!(result.unwrap_err().kind(), ErrorKind::File);
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn dangerous_archives_are_refused_and_leave_nothing() {
        struct Case<'a>(&'a str, &'a [(&'a str, &'a [u8])], &'a str);
        let small = ArchiveLimits {
            entries: 3,
            bytes: 1000,
            ratio: 200,
        };
        let zeros = vec![0; 2000];
        for Case(name, entries, needle) in [
            Case(
                "climbing",
                &[("deployment/../../x", b"x")],
                "no path inside",
            ),
            Case(
                "climbing outside the subtree",
                &[("../x", b"x")],
                "no path inside",
            ),
            Case("absolute", &[("/etc/x", b"x")], "no path inside"),
            Case("drive", &[("C:/x", b"x")], "no path inside"),
            Case(
                "backslash",
                &[("deployment\\..\\x", b"x")],
                "no path inside",
            ),
            Case("link", &[("deployment/x -> link", b"/etc/passwd")], "link"),
            Case(
                "twice",
                &[("deployment/a", b"x"), ("deployment/A", b"y")],
                "twice",
            ),
            Case(
                "too many",
                &[("a", b""), ("b", b""), ("c", b""), ("d", b"")],
                "4 entries",
            ),
            Case("bomb", &[("deployment/a", &zeros)], "more than 1000 bytes"),
            Case("other folder", &[("other/a", b"x")], "no folder"),
        ] {
            let (result, folder) = unpacked(&archive(entries), small);
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Archive, "{name}");
            assert!(error.message().contains(needle), "{name}: {error}");
            let left = fs::read_dir(folder.path().join("root")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{name}");
        }
    }

    #[test]
    fn the_ratio_counts_for_large_archives() {
        let zeros = vec![0; 80 * 1024 * 1024];
        let bytes = archive(&[("deployment/a", &zeros)]);
        let (result, _folder) = unpacked(&bytes, ArchiveLimits::default());
        assert!(result.unwrap_err().message().contains("unpacks to more"));
    }

    #[test]
    fn a_cut_archive_is_damaged_wherever_it_is_cut() {
        let bytes = archive(&[
            ("deployment/a", b"some text"),
            ("deployment/b", b"more text"),
        ]);
        for length in 0..bytes.len() {
            let (result, folder) = unpacked(&bytes[..length], ArchiveLimits::default());
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Archive, "{length}");
            assert!(!folder.path().join("root/deployment").exists());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_bytes_never_panic(at in 0_usize..400, value: u8) {
            let mut bytes = archive(&[("deployment/a", b"some text"), ("deployment/b/c", b"x")]);
            let length = bytes.len();
            bytes[at % length] = value;
            drop(unpacked(&bytes, ArchiveLimits::default()));
        }
    }
}
