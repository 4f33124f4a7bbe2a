//! What a JSON file is, from its keys.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::{json, text};

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

/// So much of a large file says what it is, as a rule.
const BEGINNING: u64 = 4 << 20;

/// What a JSON file is, if that is COCO and its beginning says so.
pub(crate) fn coco_file(path: &Path) -> Option<Json> {
    let text = text::beginning(path, BEGINNING)?;
    let seen = coco_seen(&text);
    seen.annotation
        .filter(|_| seen.images)
        .map(|first| coco_kind(&first))
}

fn coco_seen(text: &str) -> CocoSeen<'_> {
    let mut seen = CocoSeen::default();
    // It ends early, which is an error to the parser.
    let _ = (&mut Deserializer::from_str(text)).deserialize_map(&mut seen);
    seen
}

/// What the text of a JSON file is; the error has line and column.
///
/// Of COCO, whose files may be large, only the beginning is looked at.
pub(crate) fn json_kind(text: &str) -> Result<Json, serde_json::Error> {
    let seen = coco_seen(text);
    match seen.annotation {
        Some(annotation) if seen.images => Ok(coco_kind(&annotation)),
        _ => whole_kind(&json::without_nan(text).0),
    }
}

fn whole_kind(text: &str) -> Result<Json, serde_json::Error> {
    if text.trim_start().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(text)?;
        return Ok(list
            .first()
            .map_or(Json::Other, |first| entry_kind(&keys(first))));
    }
    if !text.trim_start().starts_with('{') {
        serde_json::from_str::<IgnoredAny>(text)?;
        return Ok(Json::Other);
    }
    Ok(object_kind(&serde_json::from_str(text)?))
}

/// What tells that a file is COCO: a list of images, and the first annotation.
#[derive(Default)]
struct CocoSeen<'a> {
    images: bool,
    annotation: Option<Keys<'a>>,
}

impl<'de> Visitor<'de> for &mut CocoSeen<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if &*key == "images" {
                self.images = map.next_value::<&RawValue>()?.get().starts_with('[');
            } else if &*key == "annotations" {
                let mut first = None;
                let ended = map.next_value_seed(First {
                    found: &mut first,
                    is_enough: self.images,
                });
                self.annotation = first.map(keys);
                ended?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if self.images && self.annotation.is_some() {
                break;
            }
        }
        Ok(())
    }
}

/// Finds the first entry of a list; reads the rest only if something behind it is wanted.
struct First<'s, 'de> {
    found: &'s mut Option<&'de RawValue>,
    is_enough: bool,
}

impl<'de> DeserializeSeed<'de> for First<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for First<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self.found = list.next_element()?;
        while !self.is_enough && list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

fn keys(raw: &RawValue) -> Keys<'_> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// The keys of the first entry of a list.
fn first<'a>(keys: &Keys<'a>, name: &str) -> Keys<'a> {
    let mut found = None;
    let seed = First {
        found: &mut found,
        is_enough: true,
    };
    if let Some(raw) = keys.get(name) {
        // It ends early, which is an error to the parser.
        let _ = seed.deserialize(&mut Deserializer::from_str(raw.get()));
    }
    found.map(self::keys).unwrap_or_default()
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
    } else if is_caption(annotation) {
        Json::CocoCaptions
    } else {
        Json::Coco
    }
}

/// Whether an annotation has a text and says nothing about what is where.
fn is_caption(annotation: &Keys<'_>) -> bool {
    let mut places = ["bbox", "segmentation", "keypoints"].into_iter();
    annotation.contains_key("caption") && !places.any(|key| annotation.contains_key(key))
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
