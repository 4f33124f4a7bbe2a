//! A whole dataset: `samples.json` beside `metadata.json` and `data/`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use straylight_core::Point;

use super::labels::rectangle;
use super::mask;
use crate::gather::Gather;
use crate::{Geometry, Keypoint, Object, Visibility, geometry};

#[derive(Deserialize)]
struct File {
    samples: Vec<Map<String, Value>>,
}

pub(super) fn read(
    gather: &mut Gather<'_>,
    path: &Path,
    text: &str,
    place: &str,
) -> Result<(), String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let field = field(gather, &file, place)?;
    let near = path.parent().unwrap_or(gather.root).to_owned();
    for (number, sample) in file.samples.iter().enumerate() {
        let place = format!("{place}: samples[{number}]");
        let Some(name) = sample.get("filepath").and_then(Value::as_str) else {
            gather.problem(place, "it has no `filepath`");
            continue;
        };
        let tags = sample
            .get("tags")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let subset = tags
            .iter()
            .filter_map(Value::as_str)
            .find(|tag| crate::folder::is_split(tag));
        let Some((file, name)) = gather.find_image(name, subset, &near, &place) else {
            continue;
        };
        let Some(index) = gather.image(&file, &name, subset, None, &place) else {
            continue;
        };
        match field
            .as_deref()
            .and_then(|field| sample.get(field))
            .filter(|value| !value.is_null())
        {
            Some(value) => add(gather, (index, &near), value, &place),
            None => gather.set.images[index].unannotated = true,
        }
    }
    Ok(())
}

/// The field of labels: `ground_truth`, or the only one.
fn field(gather: &mut Gather<'_>, file: &File, place: &str) -> Result<Option<String>, String> {
    let mut fields: Vec<&String> = Vec::new();
    for (name, value) in file.samples.iter().flatten() {
        if value
            .get("_cls")
            .is_some_and(|class| class != "ImageMetadata")
            && !fields.contains(&name)
        {
            fields.push(name);
        }
    }
    let chosen = fields.iter().find(|name| **name == "ground_truth");
    match (chosen, &fields[..]) {
        (_, []) => Ok(None),
        (Some(chosen), _) | (None, [chosen]) => {
            for other in fields.iter().filter(|name| name != &chosen) {
                gather.note(place, format!("the field `{other}` is passed over"));
            }
            Ok(Some((*chosen).clone()))
        }
        _ => {
            let names: Vec<&str> = fields.iter().map(|name| name.as_str()).collect();
            Err(format!(
                "it has several fields of labels ({}); export one of them",
                names.join(", ")
            ))
        }
    }
}

fn add(gather: &mut Gather<'_>, (index, near): (usize, &Path), value: &Value, place: &str) {
    let class = value
        .get("_cls")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let list = ["detections", "classifications", "polylines", "keypoints"];
    match list.iter().find_map(|key| value.get(*key)?.as_array()) {
        Some(values) => {
            for (number, value) in values.iter().enumerate() {
                one(
                    gather,
                    (index, near),
                    value,
                    class.trim_end_matches('s'),
                    &format!("{place}[{number}]"),
                );
            }
        }
        None => one(gather, (index, near), value, class, place),
    }
}

fn one(
    gather: &mut Gather<'_>,
    (index, near): (usize, &Path),
    value: &Value,
    class: &str,
    place: &str,
) {
    let size = (
        gather.set.images[index].width,
        gather.set.images[index].height,
    );
    if class == "Segmentation" {
        let text = "pictures of classes (Segmentation) are not read; export their polygons or \
                    detections (`to_polylines`, `to_detections`)";
        return gather.lost(index, place, text);
    }
    let Some(label) = value.get("label").and_then(Value::as_str) else {
        return gather.lost(index, place, "it has no label");
    };
    gather.set.add_label(label);
    let mut keypoints = Vec::new();
    let geometry = match class {
        "Classification" => return gather.set.images[index].add_image_label(label),
        "Detection" => detection(gather, value, near, size, place),
        "Polyline" => polyline(value, size),
        "Keypoint" => skeleton(value, size).map(|points| {
            keypoints = points;
            Geometry::Keypoints
        }),
        other => Err(format!("labels of type `{other}` are not supported")),
    };
    match geometry {
        Ok(geometry) => {
            let mut object = Object::new(geometry, label);
            object.keypoints = keypoints;
            gather.set.images[index].objects.push(object);
        }
        Err(error) => gather.lost(index, place, error),
    }
}

/// The mask of a detection, or its box if it has none.
fn detection(
    gather: &mut Gather<'_>,
    value: &Value,
    near: &Path,
    size: (u32, u32),
    place: &str,
) -> Result<Geometry, String> {
    let shape = rectangle(&numbers(value.get("bounding_box")), size)?;
    match mask::read(gather, value, near, geometry::bounding_box(&shape), size) {
        Ok(Some(mask)) => Ok(mask.into()),
        Ok(None) => Ok(shape.into()),
        Err(error) => {
            gather.problem(place, format!("{error}; its box is read"));
            Ok(shape.into())
        }
    }
}

/// Points that are not there have no numbers.
fn skeleton(value: &Value, (width, height): (u32, u32)) -> Result<Vec<Keypoint>, String> {
    let list = value.get("points").and_then(Value::as_array);
    let list = list.ok_or("it has no `points`")?;
    let point = |pair: &Value| match numbers(Some(pair))[..] {
        [x, y] => Keypoint {
            x: x * f64::from(width),
            y: y * f64::from(height),
            visibility: Visibility::Visible,
        },
        _ => Keypoint {
            x: 0.0,
            y: 0.0,
            visibility: Visibility::Absent,
        },
    };
    Ok(list.iter().map(point).collect())
}

fn numbers(value: Option<&Value>) -> Vec<f64> {
    let list = value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    list.iter().filter_map(Value::as_f64).collect()
}

/// Pairs as parts of the image's sides.
fn points(value: Option<&Value>, (width, height): (u32, u32)) -> Result<Vec<Point>, String> {
    let list = value
        .and_then(Value::as_array)
        .ok_or("it has no `points`")?;
    let point = |pair: &Value| match numbers(Some(pair))[..] {
        [x, y] => Ok(Point {
            x: x * f64::from(width),
            y: y * f64::from(height),
        }),
        _ => Err("a point of it is no pair of numbers".to_owned()),
    };
    list.iter().map(point).collect()
}

fn polyline(value: &Value, size: (u32, u32)) -> Result<Geometry, String> {
    let is_set = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let parts = value
        .get("points")
        .and_then(Value::as_array)
        .ok_or("it has no `points`")?;
    let parts: Result<Vec<Vec<Point>>, String> =
        parts.iter().map(|part| points(Some(part), size)).collect();
    let mut parts = parts?;
    if is_set("closed") || is_set("filled") {
        for part in &parts {
            geometry::polygon(&geometry::flat(part))?;
        }
        return Ok(Geometry::of_parts(parts));
    }
    match (parts.pop(), parts.is_empty()) {
        (Some(line), true) if line.len() >= 2 => Ok(Geometry::Polyline(line)),
        _ => Err("an open line of several parts is not supported".to_owned()),
    }
}
