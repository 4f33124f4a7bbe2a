//! What a JSON file is, from its keys.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::folder;
use straylight_files::FileError;

/// What a JSON file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Json {
    Coco,
    CocoCaptions,
    CocoPanoptic,
    CocoResults,
    Datumaro,
    GetiScene,
    Labelme,
    LabelStudio,
    FiftyOne,
    FiftyOneDataset,
    Via,
    Vott,
    CreateMl,
    Cityscapes,
    Supervisely,
    Scalabel,
    CvatBackup,
    /// Something else.
    Other,
}

type Keys<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// All JSON files below a folder, in the order of their paths.
pub(crate) fn json_files(root: &Path) -> Result<Vec<PathBuf>, FileError> {
    folder::with_extension(root, "json")
}

/// What the text of a JSON file is; the error has line and column.
pub(crate) fn json_kind(text: &str) -> Result<Json, serde_json::Error> {
    if text.trim_start().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(text)?;
        return Ok(list
            .first()
            .map_or(Json::Other, |first| entry_kind(&keys(first))));
    }
    if !text.trim_start().starts_with('{') {
        serde_json::from_str::<serde::de::IgnoredAny>(text)?;
        return Ok(Json::Other);
    }
    Ok(object_kind(&serde_json::from_str(text)?))
}

fn keys(raw: &RawValue) -> Keys<'_> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// The keys of the first entry of a list.
fn first<'a>(keys: &Keys<'a>, name: &str) -> Keys<'a> {
    let list = keys
        .get(name)
        .and_then(|raw| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok());
    list.and_then(|list| list.first().copied().map(self::keys))
        .unwrap_or_default()
}

fn is_list(keys: &Keys<'_>, name: &str) -> bool {
    keys.get(name).is_some_and(|raw| raw.get().starts_with('['))
}

fn is_map(keys: &Keys<'_>, name: &str) -> bool {
    keys.get(name).is_some_and(|raw| raw.get().starts_with('{'))
}

fn object_kind(keys: &Keys<'_>) -> Json {
    let has = |name: &str| keys.contains_key(name);
    if is_list(keys, "images") && (is_list(keys, "annotations") || is_list(keys, "categories")) {
        return coco_kind(&first(keys, "annotations"));
    }
    if is_list(keys, "items") && has("categories") {
        return Json::Datumaro;
    }
    if is_list(keys, "shapes") && (has("imagePath") || has("imageHeight") || has("imageData")) {
        return Json::Labelme;
    }
    if has("imgHeight") && is_list(keys, "objects") {
        return Json::Cityscapes;
    }
    if is_list(keys, "samples")
        && (has("name") || has("info") || first(keys, "samples").contains_key("filepath"))
    {
        return Json::FiftyOneDataset;
    }
    if is_map(keys, "labels") && has("classes") {
        return Json::FiftyOne;
    }
    if (has("assets") && has("tags")) || (has("asset") && has("regions")) {
        return Json::Vott;
    }
    if has("_via_img_metadata") || keys.values().next().is_some_and(|raw| is_via_image(raw)) {
        return Json::Via;
    }
    if is_list(keys, "objects") && first(keys, "objects").contains_key("classTitle") {
        return Json::Supervisely;
    }
    let entry = first(keys, "annotations");
    let is_scene = (entry.contains_key("shape") && entry.contains_key("labels")) || has("kind");
    if is_list(keys, "annotations") && (is_scene || keys.len() == 1) {
        return Json::GetiScene;
    }
    entry_kind(keys)
}

fn is_via_image(raw: &RawValue) -> bool {
    let keys = keys(raw);
    keys.contains_key("filename") && keys.contains_key("regions")
}

fn coco_kind(annotation: &Keys<'_>) -> Json {
    if annotation.contains_key("segments_info") {
        Json::CocoPanoptic
    } else if annotation.contains_key("caption") && !annotation.contains_key("category_id") {
        Json::CocoCaptions
    } else {
        Json::Coco
    }
}

/// The kind of a list by its first entry, or of a file that holds one entry.
fn entry_kind(keys: &Keys<'_>) -> Json {
    let has = |name: &str| keys.contains_key(name);
    let is_task = is_map(keys, "data")
        && ["annotations", "completions", "predictions"]
            .into_iter()
            .any(has);
    let result = [
        "rectanglelabels",
        "polygonlabels",
        "brushlabels",
        "ellipselabels",
        "keypointlabels",
    ];
    let is_min = ["annotation_id", "annotator", "lead_time"]
        .into_iter()
        .any(has)
        || ["label", "bbox", "polygon"].into_iter().any(|key| {
            let entry = first(keys, key);
            result.into_iter().any(|key| entry.contains_key(key))
        });
    if is_task || is_min {
        return Json::LabelStudio;
    }
    if has("image")
        && is_list(keys, "annotations")
        && first(keys, "annotations").contains_key("coordinates")
    {
        return Json::CreateMl;
    }
    if is_list(keys, "shapes") && is_list(keys, "tracks") && has("tags") {
        return Json::CvatBackup;
    }
    if has("image_id") && (has("score") || has("category_id")) {
        return Json::CocoResults;
    }
    if has("name") && is_list(keys, "labels") && first(keys, "labels").contains_key("category") {
        return Json::Scalabel;
    }
    Json::Other
}
