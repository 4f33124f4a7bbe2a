//! YOLO: `labels/SUBSET/*.txt` beside `images/SUBSET/`, names in `data.yaml`.
//!
//! A line is a class number and either a box (centre, width and height) or the corners of a
//! polygon, all as parts of the image's width and height. Names are read from any YAML file of
//! the folder with `names` (a list, or a map from numbers), or from `obj.names`, `classes.txt`
//! or `labels.txt` with one name a line.

mod names;
mod read;
mod write;

use std::path::Path;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::FormatError;

pub(crate) const WANTED: &str = "a YAML file with `names`, obj.names or classes.txt";

/// Whether a file of names is there.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    Ok(names::find(root)?.is_some())
}
