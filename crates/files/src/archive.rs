//! Zip files of strangers.
//!
//! An archive is an attack until shown otherwise. Refused as a whole, before anything is inflated:
//! a path that is absolute, climbs with `..`, has a drive or a backslash, or is not UTF-8; a
//! symbolic link or any other special file; two entries of one name (also where case does not
//! count); encryption; more than [`ArchiveLimits`] allows by what the archive says of itself. What
//! it says is not believed: `zip` ends an entry that grows beyond its size while it grows.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;

use crate::{FileError, create_folder, sync_folder};

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
pub(crate) const FREE: u64 = 64 * 1024 * 1024;

/// The longest path of an entry in bytes.
const LONGEST_PATH: usize = 1024;

/// An archive was not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It is no zip file, or not a whole one.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// It holds what no archive should, or too much.
    #[error("the archive is refused: {0}")]
    Refused(String),
    /// The disk did not take what was in it.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ArchiveError {
    /// Names the archive within another one that is meant.
    pub(crate) fn within(self, name: &str) -> Self {
        match self {
            Self::Damaged(reason) => Self::Damaged(format!("`{name}` in it: {reason}")),
            Self::Refused(reason) => Self::Refused(format!("`{name}` in it: {reason}")),
            file => file,
        }
    }
}

/// An archive whose entries are harmless by name and size.
pub struct Archive<R> {
    zip: ZipArchive<R>,
    entries: Vec<Entry>,
}

/// What is known of one entry before it is read.
struct Entry {
    path: PathBuf,
    size: u64,
    is_folder: bool,
}

impl<R: Read + Seek> Archive<R> {
    /// Looks through the archive's list of entries; inflates nothing.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] and [`ArchiveError::Refused`].
    pub fn open(mut reader: R, limits: &ArchiveLimits) -> Result<Self, ArchiveError> {
        let length = reader.seek(io::SeekFrom::End(0)).map_err(damaged)?;
        let allowed = length.saturating_mul(limits.ratio).saturating_add(FREE);
        let allowed = allowed.min(limits.bytes);
        let mut zip = ZipArchive::new(reader).map_err(damaged)?;
        if zip.len() > limits.entries {
            return Err(refused(format!("it has {} entries", zip.len())));
        }
        let entries = checked_entries(&mut zip)?;
        let archive = Self { zip, entries };
        if archive.bytes() > allowed {
            return Err(refused(format!("it unpacks to more than {allowed} bytes")));
        }
        Ok(archive)
    }

    /// How many entries it has.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes its files have, unpacked.
    pub(crate) fn bytes(&self) -> u64 {
        let sizes = self.entries.iter().map(|entry| entry.size);
        sizes.fold(0, u64::saturating_add)
    }

    /// The content of the entry of this name; reading fails where it grows beyond its size.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] if there is no such entry, and [`ArchiveError::Refused`] if it is
    /// larger than `limit` bytes.
    pub fn entry(&mut self, name: &str, limit: u64) -> Result<impl Read + '_, ArchiveError> {
        let index = self.zip.index_for_name(name);
        let found = index.and_then(|index| Some((index, self.entries.get(index)?.size)));
        let missing = || damaged(format!("`{}` is not in it", shown(name)));
        let (index, size) = found.ok_or_else(missing)?;
        if size > limit {
            let message = format!("`{}` is larger than {limit} bytes", shown(name));
            return Err(refused(message));
        }
        self.zip.by_index(index).map_err(damaged)
    }

    /// Writes the entries below `subtree` into a folder that does not exist yet.
    pub(crate) fn write(
        &mut self,
        subtree: &str,
        root: &Path,
        durable: bool,
    ) -> Result<(), ArchiveError> {
        for index in 0..self.entries.len() {
            let Some(entry) = self.entries.get(index) else {
                break;
            };
            let Ok(inner) = entry.path.strip_prefix(subtree) else {
                continue;
            };
            let path = root.join(inner);
            if entry.is_folder {
                create_folder(&path)?;
                continue;
            }
            write_file(self.zip.by_index(index).map_err(damaged)?, &path, durable)?;
        }
        if root.is_dir() {
            return Ok(());
        }
        Err(refused(format!("it has no folder `{subtree}`")))
    }
}

/// Unpacks the entries below `subtree` (empty: all) of a zip file to `target`, which must not
/// exist.
///
/// The folder is made beside its place and renamed: after a failure nothing is left. Entries
/// outside the subtree are checked as well, but not written. With `durable` everything is on the
/// disk on return.
///
/// # Errors
/// If the archive is damaged or refused, or has nothing below `subtree`, or the disk refuses.
pub fn unpack(
    archive: impl Read + Seek,
    subtree: &str,
    target: &Path,
    limits: &ArchiveLimits,
    durable: bool,
) -> Result<(), ArchiveError> {
    let parent = crate::folder_of(target);
    create_folder(parent)?;
    let mut archive = Archive::open(archive, limits)?;
    let failed = |source| FileError::new("create a folder in", parent, source);
    let workshop = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(parent)
        .map_err(failed)?;
    let root = workshop.path().join("tree");
    archive.write(subtree, &root, durable)?;
    publish(&root, target)
}

/// Gives the complete folder its name; a folder that is there already is never touched.
pub(crate) fn publish(root: &Path, target: &Path) -> Result<(), ArchiveError> {
    if target.symlink_metadata().is_ok() {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "it exists");
        return Err(FileError::new("create the folder", target, source).into());
    }
    fs::rename(root, target).map_err(|e| FileError::new("create the folder", target, e))?;
    Ok(sync_folder(crate::folder_of(target))?)
}

fn write_file(content: impl Read, path: &Path, durable: bool) -> Result<(), ArchiveError> {
    create_folder(crate::folder_of(path))?;
    let failed = |source| FileError::new("write", path, source);
    let mut file = File::create_new(path).map_err(failed)?;
    let mut content = BufReader::with_capacity(64 * 1024, content);
    loop {
        let part = content.fill_buf().map_err(damaged)?;
        if part.is_empty() {
            break;
        }
        file.write_all(part).map_err(failed)?;
        let length = part.len();
        content.consume(length);
    }
    if durable {
        file.sync_all().map_err(failed)?;
    }
    Ok(())
}

/// All entries in their order; every one is harmless and there once.
fn checked_entries<R: Read + Seek>(zip: &mut ZipArchive<R>) -> Result<Vec<Entry>, ArchiveError> {
    let mut seen = HashSet::new();
    let mut entries = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(damaged)?;
        let name = std::str::from_utf8(entry.name_raw()).unwrap_or_default();
        if entry.encrypted() {
            return Err(refused("it is encrypted"));
        }
        if !is_plain(entry.unix_mode()) {
            let message = format!("`{}` is a link or a special file", shown(name));
            return Err(refused(message));
        }
        let outside = || refused(format!("`{}` is no path inside it", shown(name)));
        let path = harmless(name).ok_or_else(outside)?;
        if !seen.insert(path.to_string_lossy().to_lowercase()) {
            return Err(refused(format!("`{}` is there twice", shown(name))));
        }
        entries.push(Entry {
            path,
            size: entry.size(),
            is_folder: entry.is_dir(),
        });
    }
    Ok(entries)
}

/// Whether the Unix mode of an entry, if it has one, is that of a file or a folder.
fn is_plain(mode: Option<u32>) -> bool {
    matches!(mode.unwrap_or(0) & 0o170_000, 0 | 0o100_000 | 0o040_000)
}

/// The path of an entry, if it stays inside the archive on every system.
fn harmless(name: &str) -> Option<PathBuf> {
    let bad = |c: char| c == '\\' || c.is_control() || (cfg!(windows) && c == ':');
    if name.is_empty() || name.len() > LONGEST_PATH || name.contains(bad) {
        return None;
    }
    let has_drive =
        |part: &str| matches!(part.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if name.starts_with('/') || name.split('/').any(has_drive) {
        return None;
    }
    let path = PathBuf::from(name);
    let ordinary = path.components().all(|c| matches!(c, Component::Normal(_)));
    ordinary.then_some(path)
}

fn shown(name: &str) -> String {
    name.chars()
        .take(100)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn damaged(reason: impl ToString) -> ArchiveError {
    ArchiveError::Damaged(reason.to_string())
}

pub(crate) fn refused(reason: impl Into<String>) -> ArchiveError {
    ArchiveError::Refused(reason.into())
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

    fn unpacked(
        bytes: &[u8],
        limits: ArchiveLimits,
    ) -> (Result<(), ArchiveError>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("root").join("deployment");
        (
            unpack(Cursor::new(bytes), "deployment", &target, &limits, true),
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
            true,
        );
        assert!(matches!(result, Err(ArchiveError::File(_))), "{result:?}");
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
            assert!(matches!(error, ArchiveError::Refused(_)), "{name}: {error}");
            assert!(error.to_string().contains(needle), "{name}: {error}");
            let left = fs::read_dir(folder.path().join("root")).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{name}");
        }
    }

    #[test]
    fn the_ratio_counts_for_large_archives() {
        let zeros = vec![0; 80 * 1024 * 1024];
        let bytes = archive(&[("deployment/a", &zeros)]);
        let (result, _folder) = unpacked(&bytes, ArchiveLimits::default());
        assert!(result.unwrap_err().to_string().contains("unpacks to more"));
    }

    /// The same archive with another uncompressed size of its only entry in the list of entries.
    fn claiming(bytes: &[u8], size: u32) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let list = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
        bytes[list + 24..list + 28].copy_from_slice(&size.to_le_bytes());
        bytes
    }

    #[test]
    fn what_an_archive_claims_is_neither_inflated_nor_believed() {
        let honest = archive(&[("deployment/a", &vec![0; 100_000])]);
        let (result, _) = unpacked(&claiming(&honest, 1 << 30), ArchiveLimits::default());
        assert!(result.unwrap_err().to_string().contains("unpacks to more"));
        let (result, folder) = unpacked(&claiming(&honest, 1000), ArchiveLimits::default());
        let error = result.unwrap_err().to_string();
        assert!(error.contains("larger than its declared"), "{error}");
        let left = fs::read_dir(folder.path().join("root")).map_or(0, Iterator::count);
        assert_eq!(left, 0);
    }

    #[test]
    fn one_entry_is_read_by_name_within_a_limit() {
        let bytes = archive(&[("a", b"some text"), ("b", &[0; 2000])]);
        let mut archive = Archive::open(Cursor::new(bytes), &ArchiveLimits::default()).unwrap();
        let mut text = String::new();
        archive
            .entry("a", 9)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "some text");
        for (name, limit, expected) in [("b", 1999, "larger than 1999"), ("c", 9, "not in it")] {
            let error = archive.entry(name, limit).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn ordinary_names_are_taken() {
        for name in [
            "2024-01-01T10:00:00.jpg",
            "Küste/a b.png",
            "..a/b..",
            "a/b/",
        ] {
            assert!(harmless(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_cut_archive_is_damaged_wherever_it_is_cut() {
        let bytes = archive(&[
            ("deployment/a", b"some text"),
            ("deployment/b", b"more text"),
        ]);
        for length in 0..bytes.len() {
            let (result, folder) = unpacked(&bytes[..length], ArchiveLimits::default());
            assert!(
                matches!(result, Err(ArchiveError::Damaged(_))),
                "{length}: {result:?}"
            );
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
