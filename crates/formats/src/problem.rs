use std::fmt;
use std::path::PathBuf;

use straylight_files::{ArchiveError, FileError};

use crate::Format;

/// Something that was left out or passed over, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file and the place in it: `annotations/train.json: annotations[12].bbox`.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            place: place.into(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn writable() -> String {
    Format::writable()
        .map(Format::name)
        .collect::<Vec<_>>()
        .join(", ")
}

impl FormatError {
    /// A file that cannot be written as JSON.
    pub(crate) fn json(file: &std::path::Path, error: &serde_json::Error) -> Self {
        Self::Unreadable {
            file: file.to_owned(),
            message: error.to_string(),
        }
    }
}

/// A set of annotations could not be read or written at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A folder or file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// An archive cannot be unpacked.
    #[error("{}: {source}", file.display())]
    Archive {
        /// The archive.
        file: PathBuf,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// Nothing of the format is in the folder.
    #[error("{} holds no {format} annotations: {wanted} was looked for", folder.display())]
    NothingFound {
        /// The format that was asked for.
        format: Format,
        /// The folder.
        folder: PathBuf,
        /// What makes a folder one of this format.
        wanted: &'static str,
    },
    /// The folder looks like none of the known formats.
    #[error("{} looks like none of the formats {}; name the format to use", folder.display(), Format::names())]
    UnknownFormat {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has folders of images, and files that say more about them.
    #[error(
        "{} has folders of images, and `{file}`, which no directory tree has: give the format \
         (`--format tree` if the folders are labels all the same)", folder.display()
    )]
    NoTree {
        /// The folder.
        folder: PathBuf,
        /// A file that is no part of a tree, below the folder.
        file: String,
    },
    /// A file cannot be read as what it is taken for.
    #[error("{}: {message}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong, with line and column where they are known.
        message: String,
    },
    /// The set is in a known format that is not read.
    #[error("{} is {found}, which is not read: {way_out}", path.display())]
    Unsupported {
        /// The file or folder.
        path: PathBuf,
        /// The format that was recognised.
        found: &'static str,
        /// What to do.
        way_out: &'static str,
    },
    /// The format is read and not written.
    #[error("{format} is read, not written; choose one of {}", writable())]
    ReadOnly {
        /// The format that was asked for.
        format: Format,
    },
    /// Nothing can be added to a dataset of this format.
    #[error(
        "nothing can be added to a dataset of the format {format}, only to one of yolo; choose a new folder"
    )]
    NoMerge {
        /// The format.
        format: Format,
    },
    /// The output folder has something in it already.
    #[error("{} is not empty; choose a new folder", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// An image's name or subset would lead out of the output folder.
    #[error("`{name}` in subset `{subset}` does not stay in its folder; rename it")]
    BadName {
        /// The image's name.
        name: String,
        /// Its subset.
        subset: String,
    },
    /// Two images would be written to the same place.
    #[error("two images are called `{name}` in subset `{subset}`; rename one of them")]
    SameName {
        /// The name of both.
        name: String,
        /// The subset of both.
        subset: String,
    },
}
