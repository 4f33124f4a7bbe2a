//! Datumaro's own format: `annotations/SUBSET.json` and `images/SUBSET/`.
//!
//! A turned box is a `bbox` of the box before the turn with the attribute `rotation` in degrees
//! clockwise, as CVAT writes it. A key point is a `points` annotation of one point; several
//! points at once are read with the names in `categories.points`. Colours are those of
//! `categories.mask.colormap`.

mod read;
mod write;

use std::path::Path;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::{FormatError, folder};

pub(crate) const WANTED: &str = "annotations/*.json with `items` and `categories`";

/// Whether some JSON file of `annotations/` has Datumaro's two keys.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    for file in folder::with_extension(&root.join("annotations"), "json")? {
        let text = straylight_files::read_to_string(&file);
        if text.is_ok_and(|text| serde_json::from_str::<read::File<'_>>(&text).is_ok()) {
            return Ok(true);
        }
    }
    Ok(false)
}
