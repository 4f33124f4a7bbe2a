use serde::Deserialize;
use serde_json::{Map, Value};
use straylight_core::{Point, Shape};

use super::tree::Tree;
use crate::json::{Id, Number, RawList, lenient};
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
    #[serde(default)]
    segmentation: Tree,
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
    let segmentation = segmentation(&annotation.segmentation, size, &mut complaints);
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

fn segmentation(tree: &Tree, size: (u32, u32), complaints: &mut Vec<String>) -> Option<Geometry> {
    let read = match tree {
        Tree::Map(map) => mask(map, size).map(Some),
        Tree::Ring(ring) => Ok(rings_of(std::slice::from_ref(ring), complaints)),
        Tree::List(list) => of_list(list, size, complaints),
        Tree::Text(_) => Err("it is a text, not a list of rings or a mask".to_owned()),
        Tree::Number(_) | Tree::Nothing => Ok(None),
    };
    read.unwrap_or_else(|error| {
        complaints.push(format!("segmentation: {error}"));
        None
    })
}

fn mask(map: &Map<String, Value>, size: (u32, u32)) -> Result<Geometry, String> {
    let rle = Rle::deserialize(map).map_err(|error| error.to_string())?;
    rle.mask(size).map(Geometry::Mask)
}

/// One mask in a list, or rings, which some tools write as pairs of numbers.
fn of_list(
    list: &[Tree],
    size: (u32, u32),
    complaints: &mut Vec<String>,
) -> Result<Option<Geometry>, String> {
    if let [Tree::Map(map)] = list
        && map.contains_key("counts")
    {
        return mask(map, size).map(Some);
    }
    let are_pairs = list.len() > 2 && list.iter().all(|entry| entry.point().is_some());
    let has_loose = list.iter().any(|entry| entry.number().is_some());
    if are_pairs || has_loose {
        let ring = ring(list).ok_or(NO_RINGS)?;
        return Ok(rings_of(&[ring], complaints));
    }
    let rings: Option<Vec<Vec<f64>>> = list.iter().map(Tree::ring).collect();
    Ok(rings_of(&rings.ok_or(NO_RINGS)?, complaints))
}

const NO_RINGS: &str = "it is no list of rings of numbers";

/// A ring of numbers, of pairs of numbers, or of `x` and `y`.
pub(super) fn ring(list: &[Tree]) -> Option<Vec<f64>> {
    let numbers: Option<Vec<f64>> = list.iter().map(Tree::number).collect();
    numbers.or_else(|| {
        let points: Option<Vec<[f64; 2]>> = list.iter().map(Tree::point).collect();
        points.map(|points| points.concat())
    })
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
