use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use straylight_core::{Point, Shape};

use crate::json::{self, Id, Number, RawList, lenient};
use crate::mask::Rle;
use crate::{Attributes, Geometry, Keypoint, Object, Visibility, geometry};

/// One entry of `annotations`.
#[derive(Deserialize)]
pub(super) struct Annotation<'a> {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<Id>,
    pub(super) image_id: Id,
    #[serde(default)]
    pub(super) category_id: Option<Id>,
    #[serde(default)]
    bbox: Option<Vec<Number>>,
    #[serde(borrow, default)]
    segmentation: Option<&'a RawValue>,
    #[serde(default)]
    keypoints: Option<Vec<Number>>,
    #[serde(default, deserialize_with = "lenient")]
    iscrowd: Option<Number>,
    #[serde(default, deserialize_with = "lenient")]
    score: Option<Number>,
    /// Detectron2's kind of box: 1 is that of COCO.
    #[serde(default, deserialize_with = "lenient")]
    bbox_mode: Option<Number>,
    /// Too hard to be counted in an evaluation.
    #[serde(default, deserialize_with = "lenient")]
    ignore: Option<Number>,
    #[serde(default, deserialize_with = "lenient")]
    attributes: Attributes,
    /// Of a panoptic file: the picture of numbers.
    #[serde(default)]
    pub(super) file_name: Option<String>,
    #[serde(borrow, default)]
    pub(super) segments_info: Option<RawList<'a>>,
}

/// The object of an annotation, and what was left out of it.
pub(super) fn objects(
    annotation: &Annotation<'_>,
    label: &str,
    size: (u32, u32),
) -> Result<(Object, Vec<String>), String> {
    let mut complaints = Vec::new();
    if let Some(Number(mode)) = annotation.bbox_mode.filter(|mode| mode.0 as i64 != 1) {
        return Err(format!(
            "its `bbox_mode` is {mode}, and COCO's boxes are of mode 1"
        ));
    }
    let bounds = match &annotation.bbox {
        Some(numbers) if !numbers.is_empty() => Some(bounds(numbers)?),
        _ => None,
    };
    let segmentation = match annotation.segmentation {
        Some(raw) => segmentation(raw, size, &mut complaints),
        None => None,
    };
    let keypoints = keypoints(annotation.keypoints.as_deref().unwrap_or_default())?;
    let geometry = match (segmentation, bounds) {
        (Some(geometry), _) => geometry,
        (None, Some([x, y, width, height])) => Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
        .into(),
        (None, None) if !keypoints.is_empty() => Geometry::Keypoints,
        (None, None) => match complaints.pop() {
            Some(complaint) => return Err(complaint),
            None => Geometry::Image,
        },
    };
    let mut object = Object::new(geometry, label);
    if only_around_points(&object, &keypoints) {
        object.geometry = Geometry::Keypoints;
    }
    object.bounds = bounds.filter(|bounds| geometry::differs(*bounds, &object.geometry));
    object.keypoints = keypoints;
    object.id = annotation.id.as_ref().map(|id| id.0.clone());
    object.flags.crowd = annotation.iscrowd.is_some_and(|crowd| crowd.0 != 0.0);
    object.attributes.clone_from(&annotation.attributes);
    if let Some(score) = annotation.score {
        object.attributes.insert("score".to_owned(), score.0.into());
    }
    if annotation.ignore.is_some_and(|ignore| ignore.0 != 0.0) {
        object.attributes.insert("ignore".to_owned(), true.into());
    }
    object.take_flags();
    turn_box(&mut object);
    Ok((object, complaints))
}

/// Whether a box says no more than where the key points are.
fn only_around_points(object: &Object, keypoints: &[Keypoint]) -> bool {
    let is_box = matches!(object.geometry, Geometry::Shape(Shape::Rectangle { .. }));
    let known = keypoints
        .iter()
        .filter(|point| point.visibility != Visibility::Absent);
    let points: Vec<Point> = known
        .map(|point| Point {
            x: point.x,
            y: point.y,
        })
        .collect();
    let around = geometry::around(&points);
    is_box && around.is_some_and(|around| !geometry::differs(around, &object.geometry))
}

/// CVAT writes a turned box as the box before the turn with the attribute `rotation`.
fn turn_box(object: &mut Object) {
    let Geometry::Shape(Shape::Rectangle {
        x,
        y,
        width,
        height,
    }) = object.geometry
    else {
        return;
    };
    let rotation = object.attributes.get("rotation").and_then(Value::as_f64);
    let Some(angle) = rotation.filter(|angle| angle.is_finite()) else {
        return;
    };
    object.attributes.remove("rotation");
    if angle != 0.0 {
        let (x, y) = (x + width / 2.0, y + height / 2.0);
        object.geometry = Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        }
        .into();
    }
}

fn bounds(numbers: &[Number]) -> Result<[f64; 4], String> {
    let numbers: Vec<f64> = numbers.iter().map(|number| number.0).collect();
    let shape = geometry::rectangle(&numbers)?;
    Ok(geometry::bounding_box(&shape))
}

fn segmentation(
    raw: &RawValue,
    size: (u32, u32),
    complaints: &mut Vec<String>,
) -> Option<Geometry> {
    let text = raw.get();
    let read = match text.as_bytes().first() {
        Some(b'{') => json::entry::<Rle>(raw)
            .and_then(|rle| rle.mask(size))
            .map(|mask| Some(Geometry::Mask(mask))),
        Some(b'[') => list(raw, size, complaints),
        Some(b'"') => Err("it is a text, not a list of rings or a mask".to_owned()),
        _ => Ok(None),
    };
    read.unwrap_or_else(|error| {
        complaints.push(format!("segmentation: {error}"));
        None
    })
}

/// One mask in a list, or rings, which some tools write as pairs of numbers.
fn list(
    raw: &RawValue,
    size: (u32, u32),
    complaints: &mut Vec<String>,
) -> Result<Option<Geometry>, String> {
    if let Ok(rings) = serde_json::from_str::<Vec<Vec<f64>>>(raw.get()) {
        let are_points = rings.len() > 2 && rings.iter().all(|ring| ring.len() == 2);
        let rings = if are_points {
            vec![rings.concat()]
        } else {
            rings
        };
        return Ok(rings_of(&rings, complaints));
    }
    let entries: Vec<Value> = json::entry(raw)?;
    if let [mask] = entries.as_slice()
        && mask.get("counts").is_some()
    {
        let rle = Rle::deserialize(mask).map_err(|error| error.to_string())?;
        return rle.mask(size).map(|mask| Some(Geometry::Mask(mask)));
    }
    let is_ring = entries
        .iter()
        .all(|entry| point(entry).is_some() || number(entry).is_some());
    let rings = if is_ring {
        vec![Value::Array(entries)]
    } else {
        entries
    };
    let rings: Option<Vec<Vec<f64>>> = rings.iter().map(ring).collect();
    let rings = rings.ok_or("it is no list of rings of numbers")?;
    Ok(rings_of(&rings, complaints))
}

/// A ring of numbers, of pairs of numbers, or of `x` and `y`.
fn ring(value: &Value) -> Option<Vec<f64>> {
    let entries = value.as_array()?;
    let numbers: Option<Vec<f64>> = entries.iter().map(number).collect();
    numbers.or_else(|| {
        let points: Option<Vec<[f64; 2]>> = entries.iter().map(point).collect();
        points.map(|points| points.concat())
    })
}

fn point(value: &Value) -> Option<[f64; 2]> {
    match value {
        Value::Array(pair) => match pair.as_slice() {
            [x, y] => Some([number(x)?, number(y)?]),
            _ => None,
        },
        Value::Object(map) => Some([number(map.get("x")?)?, number(map.get("y")?)?]),
        _ => None,
    }
}

/// A number, also one in quotes.
fn number(value: &Value) -> Option<f64> {
    let text = || value.as_str()?.trim().parse().ok();
    value.as_f64().or_else(text)
}

/// Rings are parts of one object; bad ones are left out.
fn rings_of(rings: &[Vec<f64>], complaints: &mut Vec<String>) -> Option<Geometry> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for ring in rings.iter().filter(|ring| !ring.is_empty()) {
        match geometry::polygon(ring) {
            Ok(Shape::Polygon { points }) => parts.push(points),
            Ok(_) => {}
            Err(error) => complaints.push(format!("segmentation: {error}")),
        }
    }
    (!parts.is_empty()).then(|| Geometry::of_parts(parts))
}

/// Numbers in threes: x, y and visibility.
fn keypoints(numbers: &[Number]) -> Result<Vec<Keypoint>, String> {
    if !numbers.len().is_multiple_of(3) {
        return Err(format!(
            "keypoints has {} numbers, not three for each",
            numbers.len()
        ));
    }
    let numbers: Vec<f64> = numbers.iter().map(|number| number.0).collect();
    geometry::finite(&numbers)?;
    let point = |point: &[f64]| Keypoint {
        x: point[0],
        y: point[1],
        visibility: Visibility::from_number(point[2]),
    };
    Ok(numbers.chunks_exact(3).map(point).collect())
}
