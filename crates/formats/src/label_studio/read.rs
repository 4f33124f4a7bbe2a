use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::WANTED;
use super::region::{Region, labels, object};
use crate::gather::{Gather, nothing};
use crate::json::{self, Id, RawList, lenient};
use crate::{Format, FormatError, sniff};

#[derive(Deserialize)]
struct Task<'a> {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<Id>,
    #[serde(default)]
    data: Map<String, Value>,
    #[serde(borrow, default)]
    annotations: Option<Vec<Annotation<'a>>>,
    /// Their name in old versions.
    #[serde(borrow, default)]
    completions: Option<Vec<Annotation<'a>>>,
}

#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(borrow, default)]
    result: RawList<'a>,
    #[serde(default, deserialize_with = "lenient")]
    was_cancelled: bool,
    #[serde(default, deserialize_with = "lenient")]
    skipped: bool,
    #[serde(default, deserialize_with = "lenient")]
    created_at: String,
    #[serde(default, deserialize_with = "lenient")]
    updated_at: String,
}

impl Annotation<'_> {
    /// When it was changed last.
    fn time(&self) -> &str {
        if self.updated_at.is_empty() {
            &self.created_at
        } else {
            &self.updated_at
        }
    }
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let mut found = false;
    let files = gather.with_extension("json")?;
    for path in gather.chosen(files) {
        let Some(text) = gather.text(&path) else {
            continue;
        };
        let place = gather.place(&path);
        match sniff::json_kind(&text) {
            Ok(sniff::Json::LabelStudio) => {
                found = true;
                tasks(gather, &path, &text, &place);
            }
            Ok(_) => {}
            Err(error) => gather.problem(place, error),
        }
    }
    if found {
        Ok(())
    } else {
        Err(nothing(gather, Format::LabelStudio, WANTED))
    }
}

fn tasks(gather: &mut Gather<'_>, path: &Path, text: &str, place: &str) {
    let tasks: RawList<'_> = match serde_json::from_str(text) {
        Ok(tasks) => tasks,
        // A local store of Label Studio keeps one task a file.
        Err(_) => match serde_json::from_str::<&RawValue>(text) {
            Ok(task) => vec![task],
            Err(error) => return gather.problem(place, error),
        },
    };
    for (number, raw) in tasks.iter().enumerate() {
        let place = format!("{place}: [{number}]");
        let read = json::entry::<Task<'_>>(raw).and_then(|task| {
            if task.data.is_empty() {
                short(gather, path, raw, &place)
            } else {
                full(gather, path, &task, &place)
            }
        });
        if let Err(error) = read {
            gather.problem(place, error);
        }
    }
}

fn full(gather: &mut Gather<'_>, path: &Path, task: &Task<'_>, place: &str) -> Result<(), String> {
    let annotations = task.annotations.as_ref().or(task.completions.as_ref());
    let annotations = annotations.map(Vec::as_slice).unwrap_or_default();
    let kept = annotations
        .iter()
        .filter(|annotation| !annotation.was_cancelled && !annotation.skipped);
    let kept: Vec<&Annotation<'_>> = kept.collect();
    let latest = kept.iter().max_by_key(|annotation| annotation.time());
    if kept.len() > 1 {
        gather.note(
            place,
            format!("of {} annotations the latest counts", kept.len()),
        );
    }
    let (mut regions, mut bad) = (Vec::new(), Vec::new());
    for (number, raw) in latest
        .iter()
        .flat_map(|annotation| &annotation.result)
        .enumerate()
    {
        match json::entry::<Region>(raw) {
            Ok(region) => regions.push(region),
            Err(error) => bad.push((format!("{place}.result[{number}]"), error)),
        }
    }
    let Some(index) = image(gather, path, &task.data, &regions, place)? else {
        return Ok(());
    };
    for (place, error) in bad {
        gather.lost(index, place, error);
    }
    gather.set.images[index].id = task.id.as_ref().map(|id| id.0.clone());
    gather.set.images[index].unannotated = latest.is_none();
    add(gather, index, &regions, place);
    Ok(())
}

/// JSON-MIN: the values of all regions under the names of their tags.
fn short(gather: &mut Gather<'_>, path: &Path, raw: &RawValue, place: &str) -> Result<(), String> {
    let entry: Map<String, Value> = json::entry(raw)?;
    let mut regions = Vec::new();
    for value in entry
        .values()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_object)
    {
        let number = |key: &str| value.get(key).and_then(Value::as_f64);
        regions.push(Region {
            id: None,
            kind: String::new(),
            original_width: number("original_width"),
            original_height: number("original_height"),
            image_rotation: None,
            value: value.clone(),
        });
    }
    let Some(index) = image(gather, path, &entry, &regions, place)? else {
        return Ok(());
    };
    if let Some(Value::String(choice)) = entry.get("choice") {
        gather.set.add_label(choice);
        gather.set.images[index].add_image_label(choice);
    }
    add(gather, index, &regions, place);
    Ok(())
}

/// The image of a task: the first value that is a path of one.
fn image(
    gather: &mut Gather<'_>,
    path: &Path,
    data: &Map<String, Value>,
    regions: &[Region],
    place: &str,
) -> Result<Option<usize>, String> {
    let texts = || data.values().filter_map(Value::as_str);
    let is_image = |text: &&str| {
        crate::find::has_image_name(Path::new(text.split(['?', '#']).next().unwrap_or(text)))
            || text.contains("?d=")
    };
    let known = ["image", "img", "ocr"]
        .iter()
        .find_map(|key| data.get(*key)?.as_str());
    let address = known
        .or_else(|| texts().find(is_image))
        .ok_or("its `data` names no image")?;
    let name = file_name(address);
    let near = path.parent().unwrap_or(gather.root).to_owned();
    let failed = |error: straylight_files::FileError| error.to_string();
    let mut found = gather.look_for(&name, None, &near).map_err(failed)?;
    // Uploaded files got eight digits and a hyphen in front of their names.
    if let (Err(_), Some((digits, plain))) = (
        &found,
        name.rsplit('/')
            .next()
            .and_then(|last| last.split_once('-')),
    ) && digits.len() == 8
    {
        found = gather.look_for(plain, None, &near).map_err(failed)?;
    }
    let (file, name) = found?;
    let size = regions
        .iter()
        .find_map(|region| region.original_width.zip(region.original_height));
    let size = size.map(|(width, height)| (width as u32, height as u32));
    Ok(gather.image(&file, &name, None, size, place))
}

/// The path in an address, without `%20` and the like.
fn file_name(address: &str) -> String {
    let path = address.split_once("?d=").map_or_else(
        || address.split('?').next().unwrap_or(address),
        |(_, path)| path,
    );
    let path = path.split_once("://").map_or(path, |(_, path)| path);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (b'%', Some(code)) = (first, code) {
            bytes.push(code);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn add(gather: &mut Gather<'_>, index: usize, regions: &[Region], place: &str) {
    // A shape and its labels may be two regions of one identifier.
    let mut by_id: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for region in regions {
        if let Some(id) = &region.id {
            let known = by_id.entry(id).or_default();
            known.extend(
                labels(&region.value)
                    .into_iter()
                    .filter(|label| !known.contains(label))
                    .collect::<Vec<_>>(),
            );
        }
    }
    let size = (
        gather.set.images[index].width,
        gather.set.images[index].height,
    );
    for (number, region) in regions.iter().enumerate() {
        if let Some(choices) = region.value.get("choices").and_then(Value::as_array) {
            for choice in choices.iter().filter_map(Value::as_str) {
                gather.set.add_label(choice);
                gather.set.images[index].add_image_label(choice);
            }
            continue;
        }
        let own = labels(&region.value);
        let is_shape = ["x", "points", "rle"]
            .iter()
            .any(|key| region.value.contains_key(*key));
        // Labels of a shape that stands on its own, and other answers about it.
        let repeats = !own.is_empty()
            && regions.iter().any(|other| {
                other.id == region.id
                    && other.id.is_some()
                    && labels(&other.value).is_empty()
                    && is_plain(&other.kind)
            });
        if !is_shape || repeats || is_answer(&region.kind) {
            continue;
        }
        let shared = region.id.as_deref().and_then(|id| by_id.get(id)).cloned();
        let names = if own.is_empty() {
            shared.unwrap_or_default()
        } else {
            own
        };
        match object(region, names, size) {
            Ok(object) => {
                object
                    .labels
                    .iter()
                    .for_each(|label| gather.set.add_label(label));
                gather.set.images[index].objects.push(object);
            }
            Err(error) => gather.lost(index, format!("{place}.result[{number}]"), error),
        }
    }
}

/// Shapes whose labels stand in a region of their own.
fn is_plain(kind: &str) -> bool {
    ["rectangle", "polygon", "ellipse", "keypoint", "brush"].contains(&kind)
}

fn is_answer(kind: &str) -> bool {
    ["textarea", "number", "rating", "relation", "taxonomy"].contains(&kind)
}
