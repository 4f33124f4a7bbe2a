//! COCO: JSON files of `images`, `categories` and `annotations`, anywhere beside their images.
//!
//! Read: instances, key points, stuff and panoptic files; several files may tell about the same
//! images, and an annotation that two files share is one object. Captions are passed over. Images
//! without objects are images of nothing, unless the file has no `annotations` or is called
//! `image_info_`, or no image of the set has any. Boxes
//! are `[x, y, width, height]` from the upper left corner; a `segmentation` is a list of rings
//! that are parts of one object, or a run-length mask. Marks and other facts stand in the
//! `attributes` of CVAT and Datumaro. Written: `annotations/instances_SUBSET.json`, masks with
//! plain counts, which all readers know; key points once more in `person_keypoints_SUBSET.json`.

mod annotation;
mod panoptic;
mod read;
mod tree;
mod write;

use std::path::Path;

pub(crate) use read::read;
pub(crate) use write::write;

use crate::folder;

/// Single key points are written as those of one category of this name.
const KEYPOINT_CATEGORY: &str = "keypoints";

pub(crate) const WANTED: &str = "a JSON file with `images`, `annotations` and `categories`";

/// What the names of COCO's files begin with.
const PREFIXES: [&str; 8] = [
    "instances_",
    "person_keypoints_",
    "keypoints_",
    "labels_",
    "stuff_",
    "panoptic_",
    "image_info_",
    "captions_",
];

/// `instances_train2017` is about the subset `train2017`, `train/_annotations.coco` about `train`.
///
/// `alone` says that there is no other file, so that its name need not tell them apart.
fn subset(path: &Path, root: &Path, alone: bool) -> Option<String> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let prefixed = PREFIXES.iter().find_map(|prefix| stem.strip_prefix(prefix));
    if let Some(rest) = prefixed {
        return folder::subset_named(rest).map(str::to_owned);
    }
    if folder::is_split(&stem) {
        return Some(stem.into_owned());
    }
    let parent = path.parent().filter(|parent| *parent != root);
    let parent = parent
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy();
    if folder::is_split(&parent) {
        return Some(parent.into_owned());
    }
    let general = [
        "annotations",
        "_annotations.coco",
        "coco",
        "result",
        "labels",
        "instances",
    ];
    if alone || general.contains(&&*stem) {
        return None;
    }
    folder::subset_named(&stem).map(str::to_owned)
}
