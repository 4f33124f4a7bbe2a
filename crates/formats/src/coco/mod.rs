//! COCO: `annotations/*.json` with images, categories and annotations.
//!
//! Layouts read: `annotations/instances_SUBSET.json` with `images/SUBSET/`, `SUBSET/` or
//! `images/`, and any JSON files beside their images. Written: the first. Boxes are
//! `[x, y, width, height]` from the upper left corner. A polygon is a `segmentation` of one
//! ring; an object of several rings is read as several polygons; run-length masks are read as
//! the outlines of their parts. Key points are those of `categories[].keypoints`: visibility 2 is
//! seen, 1 inferred, 0 absent.

mod read;
mod write;

use std::path::Path;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::{FormatError, folder};

/// Key points are written as those of one category of this name.
const KEYPOINT_CATEGORY: &str = "keypoints";

pub(crate) const WANTED: &str = "a JSON file with `images`, `annotations` and `categories`";

/// Whether some JSON file has the two lists that only COCO has.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    for file in json_files(root)? {
        let text = straylight_files::read_to_string(&file);
        if text.is_ok_and(|text| serde_json::from_str::<read::File<'_>>(&text).is_ok()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The JSON files of `annotations/`, or of the folder itself if there is no such folder.
fn json_files(root: &Path) -> Result<Vec<std::path::PathBuf>, FormatError> {
    let inner = root.join("annotations");
    let folder = if inner.is_dir() {
        inner
    } else {
        root.to_owned()
    };
    Ok(folder::with_extension(&folder, "json")?)
}

/// `instances_train2017` and `person_keypoints_val` are about subsets `train2017` and `val`.
fn subset(stem: &str) -> Option<&str> {
    let named = ["instances_", "person_keypoints_", "keypoints_", "labels_"];
    let found = named.iter().find_map(|prefix| stem.strip_prefix(prefix));
    let whole = [
        "instances",
        "annotations",
        "_annotations.coco",
        "coco",
        "result",
        "labels",
    ];
    let rest = found.unwrap_or(if whole.contains(&stem) { "" } else { stem });
    folder::subset_named(rest)
}
