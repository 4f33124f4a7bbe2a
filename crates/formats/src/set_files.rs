//! Where the files of a set lie: in a folder, within a folder around it, or in a zip file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use straylight_files::{ArchiveLimits, FileError, unpack_nested};
use tempfile::TempDir;

use crate::find::has_image_name;
use crate::{Format, FormatError, ReadOptions, ReadReport, folder};

/// What an archive may hold over all levels: beyond 64 MiB at most 200 times its own size.
pub const ARCHIVE_LIMITS: ArchiveLimits = ArchiveLimits {
    entries: 1_000_000,
    bytes: u64::MAX,
    ratio: 200,
};

/// A folder around a set may lie in another one, and that in a third.
const MOST_AROUND: usize = 3;

/// Folders that are parts of a layout, not folders around one.
const PARTS: [&str; 12] = [
    "images",
    "labels",
    "label",
    "masks",
    "annotations",
    "jpegimages",
    "imagesets",
    "data",
    "img",
    "image_2",
    "label_2",
    "default",
];

/// The files of a set on the disk.
///
/// A zip file is unpacked, with the zip files in it, into a temporary folder that is there as long
/// as this is.
#[derive(Debug)]
pub struct SetFiles {
    path: PathBuf,
    format: Format,
    unpacked: Option<TempDir>,
}

impl SetFiles {
    /// Finds the files of a folder, one annotation file, or a zip file, and their format.
    ///
    /// # Errors
    /// When no format fits, or the archive is damaged, refused, or larger than the disk.
    pub fn find(path: &Path, format: Option<Format>) -> Result<Self, FormatError> {
        let unpacked = if is_zip(path) {
            Some(unpack(path)?)
        } else {
            None
        };
        let root = unpacked.as_ref().map(|folder| folder.path().join("set"));
        let path = within(root.unwrap_or_else(|| path.to_owned()))?;
        let format = format.map_or_else(|| Format::detect(&path), Ok)?;
        Ok(Self {
            path,
            format,
            unpacked,
        })
    }

    /// The folder of the set, or the one annotation file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The format that was given or found.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the files come from an archive and are gone with this.
    pub fn is_unpacked(&self) -> bool {
        self.unpacked.is_some()
    }

    /// Reads the set.
    ///
    /// # Errors
    /// As [`crate::read`].
    pub fn read(&self, options: &ReadOptions) -> Result<ReadReport, FormatError> {
        crate::read(&self.path, self.format, options)
    }
}

fn is_zip(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("zip") && path.is_file()
}

fn unpack(path: &Path) -> Result<TempDir, FormatError> {
    let temporary = std::env::temp_dir();
    let folder = tempfile::Builder::new()
        .prefix("straylight-set-")
        .tempdir()
        .map_err(|source| FileError::new("create a folder in", temporary, source))?;
    let file = File::open(path).map_err(|source| FileError::new("read", path, source))?;
    let unpacked = unpack_nested(
        BufReader::new(file),
        &folder.path().join("set"),
        &ARCHIVE_LIMITS,
    );
    unpacked.map_err(|source| FormatError::Archive {
        file: path.to_owned(),
        source,
    })?;
    Ok(folder)
}

/// The folder of a set within folders that hold nothing else.
fn within(mut path: PathBuf) -> Result<PathBuf, FileError> {
    for _ in 0..MOST_AROUND {
        match only_folder(&path)? {
            Some(inner) => path = inner,
            None => break,
        }
    }
    Ok(path)
}

/// The one folder of a folder without files, unless its name or its images say what is in it.
fn only_folder(path: &Path) -> Result<Option<PathBuf>, FileError> {
    if !path.is_dir() {
        return Ok(None);
    }
    let folders = folder::folders_in(path)?;
    let [only] = folders.as_slice() else {
        return Ok(None);
    };
    let says_something = PARTS.contains(&&*only.to_lowercase()) || folder::is_split(only);
    let inner = path.join(only);
    let holds_only_images = folder::folders_in(&inner)?.is_empty()
        && folder::files_in(&inner)?
            .iter()
            .all(|file| has_image_name(file));
    let alone = folder::files_in(path)?.is_empty();
    Ok((alone && !says_something && !holds_only_images).then_some(inner))
}
