//! `labels.json` of detections or classifications.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use straylight_core::Shape;

use crate::gather::Gather;
use crate::json;
use crate::{Attributes, Object, geometry};

#[derive(Deserialize)]
struct File<'a> {
    #[serde(default)]
    classes: Option<Vec<String>>,
    #[serde(borrow)]
    labels: BTreeMap<String, Option<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Detection {
    label: Value,
    bounding_box: Vec<f64>,
    #[serde(default)]
    attributes: Option<Attributes>,
}

pub(super) fn read(
    gather: &mut Gather<'_>,
    path: &Path,
    text: &str,
    place: &str,
) -> Result<(), String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let classes = file.classes.unwrap_or_default();
    for name in &classes {
        gather.set.add_label(name);
    }
    let near = path.parent().unwrap_or(gather.root).to_owned();
    for (name, raw) in &file.labels {
        let place = format!("{place}: labels.{name}");
        let Some((file, name)) = gather.find_image(name, None, &near, &place) else {
            continue;
        };
        let Some(index) = gather.image(&file, &name, None, None, &place) else {
            continue;
        };
        match raw {
            Some(raw) if raw.get().starts_with('[') => {
                detections(gather, index, raw, &classes, &place);
            }
            Some(raw) => classification(gather, index, raw, &classes, &place),
            None => gather.set.images[index].unannotated = true,
        }
    }
    Ok(())
}

/// A label by its number in the list of classes, or by its name.
fn label(value: &Value, classes: &[String]) -> Result<String, String> {
    let value = value.get("label").unwrap_or(value);
    match value {
        Value::String(name) => Ok(name.clone()),
        Value::Number(number) => {
            let index = number
                .as_u64()
                .and_then(|index| classes.get(index as usize));
            index
                .cloned()
                .ok_or_else(|| format!("there is no class of number {number}"))
        }
        other => Err(format!("`{other}` is no label")),
    }
}

fn classification(
    gather: &mut Gather<'_>,
    index: usize,
    raw: &RawValue,
    classes: &[String],
    place: &str,
) {
    match json::entry::<Value>(raw).and_then(|value| label(&value, classes)) {
        Ok(name) => {
            gather.set.add_label(&name);
            gather.set.images[index].add_image_label(&name);
        }
        Err(error) => gather.lost(index, place, error),
    }
}

fn detections(
    gather: &mut Gather<'_>,
    index: usize,
    raw: &RawValue,
    classes: &[String],
    place: &str,
) {
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    let size = (
        gather.set.images[index].width,
        gather.set.images[index].height,
    );
    for (number, raw) in list.into_iter().enumerate() {
        let object = json::entry::<Value>(raw).and_then(|value| {
            if value.get("bounding_box").is_none() {
                return label(&value, classes).map(Err);
            }
            let detection: Detection =
                serde_json::from_value(value).map_err(|error| error.to_string())?;
            let name = label(&detection.label, classes)?;
            let mut object = Object::new(rectangle(&detection.bounding_box, size)?, name);
            object.attributes = detection.attributes.unwrap_or_default();
            object.take_flags();
            Ok(Ok(object))
        });
        match object {
            Ok(Ok(object)) => {
                gather.set.add_label(&object.labels[0]);
                gather.set.images[index].objects.push(object);
            }
            Ok(Err(name)) => {
                gather.set.add_label(&name);
                gather.set.images[index].add_image_label(&name);
            }
            Err(error) => gather.lost(index, format!("{place}[{number}]"), error),
        }
    }
}

/// Left, top, width and height as parts of the image's sides.
pub(super) fn rectangle(numbers: &[f64], (width, height): (u32, u32)) -> Result<Shape, String> {
    let &[x, y, w, h] = numbers else {
        return Err(format!("a box needs 4 numbers, here are {}", numbers.len()));
    };
    let (width, height) = (f64::from(width), f64::from(height));
    let cleaned = |pixels: f64| (pixels * 1e6).round() / 1e6;
    geometry::rectangle(&[x * width, y * height, w * width, h * height].map(cleaned))
}
