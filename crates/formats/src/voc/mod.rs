//! Pascal VOC: `Annotations/*.xml`, `JPEGImages/`, `ImageSets/Main/SUBSET.txt`, `labelmap.txt`.
//!
//! Edges are taken and written as they stand, counted from 0, as `labelImg` and CVAT do; the
//! original challenge counted pixels from 1. Decimal edges are read and written.

mod read;
mod write;

use std::path::{Path, PathBuf};

pub(crate) use read::read;
pub(crate) use write::write;

use crate::{FormatError, folder};

pub(crate) const WANTED: &str = "Annotations/*.xml";

/// Whether there are annotation files in XML.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    Ok(!xml_files(root)?.is_empty())
}

/// The files of `Annotations/` or `annotations/`, or of the folder itself without either.
fn xml_files(root: &Path) -> Result<Vec<PathBuf>, FormatError> {
    let folders = ["Annotations", "annotations"].map(|name| root.join(name));
    let folder = folders.iter().find(|folder| folder.is_dir());
    Ok(folder::with_extension(
        folder.map_or(root, PathBuf::as_path),
        "xml",
    )?)
}
