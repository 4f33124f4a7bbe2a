//! labelme: a JSON file for each image, beside it.
//!
//! Shapes of one label and `group_id` are parts of one object, as labelme's own converters take
//! them. Flags of the image that are set are its labels; `labels.txt` gives the order. Images
//! without a JSON file are not annotated.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use straylight_core::{Point, Shape};

use crate::folder::has_extension;
use crate::gather::{Gather, nothing};
use crate::json::{self, RawList, lenient};
use crate::{
    Attributes, Format, FormatError, Geometry, Keypoint, Mask, Object, Visibility, geometry, sniff,
};

const WANTED: &str = "JSON files with `shapes` and `imagePath`";

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    shapes: RawList<'a>,
    #[serde(rename = "imagePath", default, deserialize_with = "lenient")]
    image: String,
    #[serde(rename = "imageData", borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(rename = "imageWidth", default, deserialize_with = "lenient")]
    width: Option<u32>,
    #[serde(rename = "imageHeight", default, deserialize_with = "lenient")]
    height: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    flags: Attributes,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "lenient")]
    label: String,
    points: Vec<[f64; 2]>,
    #[serde(default, deserialize_with = "lenient")]
    shape_type: String,
    #[serde(default, deserialize_with = "lenient")]
    group_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    description: String,
    #[serde(default, deserialize_with = "lenient")]
    flags: Attributes,
    #[serde(default, deserialize_with = "lenient")]
    mask: Option<String>,
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    label_order(gather);
    let mut found = false;
    let files = gather.with_extension("json")?;
    for path in gather.chosen(files) {
        let Some(text) = gather.text(&path) else {
            continue;
        };
        let (text, _) = json::without_nan(&text);
        let place = gather.place(&path);
        match sniff::json_kind(&text) {
            Ok(sniff::Json::Labelme) => {
                found = true;
                if let Err(error) = read_file(gather, &path, &text, &place) {
                    gather.problem(place, error);
                }
            }
            Ok(_) => {}
            Err(error) => gather.problem(place, error),
        }
    }
    if !found {
        return Err(nothing(gather, Format::Labelme, WANTED));
    }
    if gather.only.is_none() {
        gather.add_unannotated()?;
    }
    Ok(())
}

/// `labels.txt` has a name a line; the first may stand for everything else.
fn label_order(gather: &mut Gather<'_>) {
    let path = gather.root.join("labels.txt");
    if !path.is_file() {
        return;
    }
    let Some(text) = gather.text(&path) else {
        return;
    };
    let names = text.lines().map(str::trim);
    names
        .filter(|name| !name.is_empty() && !name.starts_with("__"))
        .for_each(|name| gather.set.add_label(name));
}

fn read_file(gather: &mut Gather<'_>, path: &Path, text: &str, place: &str) -> Result<(), String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let near = path.parent().unwrap_or(gather.root).to_owned();
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let is_itself = has_extension(Path::new(&file.image), "json");
    let name = if file.image.trim().is_empty() || is_itself {
        stem
    } else {
        file.image.clone()
    };
    let found = gather
        .look_for(&name, None, &near)
        .map_err(|error| error.to_string())?;
    let (image, name) = match found {
        Ok(found) => found,
        Err(error) if file.data.is_some_and(|data| data.get() != "null") => {
            return Err(format!(
                "{error}; it is within the JSON file: write it out with labelme_export_json"
            ));
        }
        Err(error) => return Err(error),
    };
    let subset = subset(gather.root, &image);
    let name = subset
        .as_deref()
        .and_then(|subset| name.strip_prefix(&format!("{subset}/")))
        .unwrap_or(&name)
        .to_owned();
    let size = file.width.zip(file.height);
    let Some(index) = gather.image(&image, &name, subset.as_deref(), size, place) else {
        return Ok(());
    };
    for (flag, value) in &file.flags {
        if *value == serde_json::Value::Bool(true) {
            gather.set.add_label(flag);
            gather.set.images[index].add_image_label(flag);
        }
    }
    let size = (
        gather.set.images[index].width,
        gather.set.images[index].height,
    );
    for (number, raw) in file.shapes.iter().enumerate() {
        let object = json::entry::<Entry>(raw).and_then(|entry| object(&entry, size));
        match object {
            Ok(object) => {
                gather.set.add_label(&object.labels[0]);
                put(&mut gather.set.images[index].objects, object);
            }
            Err(error) => gather.lost(index, format!("{place}: shapes[{number}]"), error),
        }
    }
    Ok(())
}

/// A folder such as `train` above the image.
fn subset(root: &Path, image: &Path) -> Option<String> {
    let below = image.strip_prefix(root).ok()?;
    let folders: Vec<String> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    folders
        .iter()
        .take(folders.len().saturating_sub(1))
        .find(|name| crate::folder::is_split(name))
        .cloned()
}

/// Polygons of one label and group are parts of one object.
fn put(objects: &mut Vec<Object>, object: Object) {
    let is_polygon = |object: &Object| {
        matches!(
            object.geometry,
            Geometry::Polygons(_) | Geometry::Shape(Shape::Polygon { .. })
        )
    };
    let same = |known: &&mut Object| {
        known.group.is_some()
            && known.group == object.group
            && known.labels == object.labels
            && is_polygon(known)
    };
    match objects.iter_mut().find(same) {
        Some(known) if is_polygon(&object) => {
            let mut parts = known.geometry.outlines();
            parts.extend(object.geometry.outlines());
            known.geometry = Geometry::of_parts(parts);
        }
        _ => objects.push(object),
    }
}

fn object(entry: &Entry, size: (u32, u32)) -> Result<Object, String> {
    if entry.label.trim().is_empty() {
        return Err("it has no label".to_owned());
    }
    let mut object = Object::new(geometry(entry, size)?, entry.label.as_str());
    if entry.shape_type == "points" {
        let seen = |[x, y]: &[f64; 2]| Keypoint {
            x: *x,
            y: *y,
            visibility: Visibility::Visible,
        };
        object.keypoints = entry.points.iter().map(seen).collect();
    }
    object.group = entry.group_id;
    object.attributes.clone_from(&entry.flags);
    object.take_flags();
    if !entry.description.is_empty() {
        object
            .attributes
            .insert("description".to_owned(), entry.description.as_str().into());
    }
    Ok(object)
}

fn geometry(entry: &Entry, size: (u32, u32)) -> Result<Geometry, String> {
    let flat: Vec<f64> = entry.points.iter().flatten().copied().collect();
    geometry::finite(&flat)?;
    let points: Vec<Point> = entry
        .points
        .iter()
        .map(|[x, y]| Point { x: *x, y: *y })
        .collect();
    let kind = if entry.shape_type.is_empty() {
        "polygon"
    } else {
        &entry.shape_type
    };
    match (kind, &points[..]) {
        ("rectangle", [a, b]) => Ok(between(*a, *b).into()),
        ("oriented_rectangle" | "rotation", corners) => match geometry::turned_box(corners) {
            Some(shape) => Ok(shape.into()),
            None => geometry::polygon(&flat).map(Into::into),
        },
        ("rectangle" | "polygon", _) => geometry::polygon(&flat).map(Into::into),
        ("circle", [centre, edge]) => {
            let radius = (edge.x - centre.x).hypot(edge.y - centre.y);
            let (x, y) = (centre.x - radius, centre.y - radius);
            Ok(Shape::Ellipse {
                x,
                y,
                width: 2.0 * radius,
                height: 2.0 * radius,
            }
            .into())
        }
        ("point", [point]) => Ok(Shape::Keypoint {
            x: point.x,
            y: point.y,
            is_visible: true,
        }
        .into()),
        ("points", [_, ..]) => Ok(Geometry::Keypoints),
        ("line" | "linestrip" | "lines", [_, _, ..]) => Ok(Geometry::Polyline(points)),
        ("mask", [a, ..]) => mask(entry, *a, size),
        ("circle" | "point" | "line" | "linestrip" | "mask", points) => {
            Err(format!("a {kind} cannot have {} points", points.len()))
        }
        _ => Err(format!("shapes of type `{kind}` are not supported")),
    }
}

fn between(a: Point, b: Point) -> Shape {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Shape::Rectangle {
        x,
        y,
        width: (a.x - b.x).abs(),
        height: (a.y - b.y).abs(),
    }
}

/// A PNG file in base64, whose upper left corner is the first point.
fn mask(entry: &Entry, corner: Point, (width, height): (u32, u32)) -> Result<Geometry, String> {
    let text = entry.mask.as_deref().ok_or("it has no `mask`")?;
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD
        .decode(text)
        .map_err(|error| format!("mask: {error}"))?;
    let (pixels, _) = straylight_image::decode(&bytes).map_err(|error| format!("mask: {error}"))?;
    // labelme takes the whole part of a place.
    let (left, top) = (corner.x as i64, corner.y as i64);
    let (w, h) = (i64::from(pixels.width()), i64::from(pixels.height()));
    let inside = |x: u32, y: u32| {
        let (x, y) = (i64::from(x) - left, i64::from(y) - top);
        let within = (0..w).contains(&x) && (0..h).contains(&y);
        within && pixels.data()[((y * w + x) * 3) as usize] > 0
    };
    let mask = Mask::from_pixels(width, height, inside);
    if mask.area() == 0 {
        return Err("the mask has no pixels within the image".to_owned());
    }
    Ok(mask.into())
}
