use serde::Deserialize;
use serde_json::Value;
use straylight_core::{Point, Shape};

use super::read::Categories;
use crate::json::{Id, lenient};
use crate::mask::Rle;
use crate::{Attributes, Geometry, Keypoint, Object, Visibility, geometry};

#[derive(Deserialize)]
pub(super) struct Annotation {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "lenient")]
    id: Option<Id>,
    #[serde(default)]
    label_id: Option<usize>,
    #[serde(default)]
    bbox: Vec<f64>,
    #[serde(default)]
    points: Vec<f64>,
    #[serde(default)]
    visibility: Vec<u8>,
    #[serde(default, deserialize_with = "lenient")]
    attributes: Attributes,
    rle: Option<Rle>,
    /// Entries of one group, unless it is 0, belong to one object.
    #[serde(default, deserialize_with = "lenient")]
    group: i64,
    #[serde(default, deserialize_with = "lenient")]
    z_order: i64,
}

/// The object of an entry; none for a caption.
pub(super) fn object(
    annotation: &Annotation,
    categories: &Categories,
    size: (u32, u32),
) -> Result<Option<Object>, String> {
    if annotation.kind == "caption" {
        return Ok(None);
    }
    let mut keypoints = Vec::new();
    let geometry = match annotation.kind.as_str() {
        "label" => Geometry::Image,
        "bbox" => bbox(annotation)?,
        "rotated_bbox" => rotated_bbox(annotation)?,
        "polygon" => geometry::polygon(&annotation.points)?.into(),
        "polyline" => polyline(&annotation.points)?,
        "ellipse" => ellipse(&annotation.points)?,
        "mask" => mask(annotation, size)?,
        "points" => {
            keypoints = points(annotation)?;
            single_point(&mut keypoints, annotation, categories)
        }
        other => return Err(format!("annotations of type `{other}` are not supported")),
    };
    let id = annotation.label_id.ok_or("it has no label")?;
    let label = categories.label.labels.get(id);
    let label = label.ok_or_else(|| format!("there is no label of id {id}"))?;
    let mut object = Object::new(geometry, label.name.as_str());
    object.keypoints = keypoints;
    object.id = annotation.id.as_ref().map(|id| id.0.clone());
    object.group = Some(annotation.group).filter(|group| *group != 0);
    object.z_order = annotation.z_order;
    object.attributes.clone_from(&annotation.attributes);
    object.attributes.remove("rotation");
    object.take_flags();
    Ok(Some(object))
}

fn bbox(annotation: &Annotation) -> Result<Geometry, String> {
    let upright = geometry::rectangle(&annotation.bbox)?;
    let rotation = annotation
        .attributes
        .get("rotation")
        .and_then(Value::as_f64);
    match (upright, rotation) {
        (
            Shape::Rectangle {
                x,
                y,
                width,
                height,
            },
            Some(angle),
        ) if angle != 0.0 => {
            let (x, y) = (x + width / 2.0, y + height / 2.0);
            Ok(Shape::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            }
            .into())
        }
        (upright, _) => Ok(upright.into()),
    }
}

/// Centre, width, height and degrees clockwise.
fn rotated_bbox(annotation: &Annotation) -> Result<Geometry, String> {
    let numbers = if annotation.bbox.is_empty() {
        &annotation.points
    } else {
        &annotation.bbox
    };
    let &[x, y, width, height, angle] = numbers.as_slice() else {
        return Err(format!(
            "a turned box needs 5 numbers, here are {}",
            numbers.len()
        ));
    };
    geometry::finite(&[angle])?;
    geometry::rectangle(&[x, y, width, height])?;
    Ok(Shape::RotatedRectangle {
        x,
        y,
        width,
        height,
        angle,
    }
    .into())
}

/// Left, top, right and lower edge.
fn ellipse(points: &[f64]) -> Result<Geometry, String> {
    let &[left, top, right, bottom] = points else {
        return Err(format!(
            "an ellipse needs 4 numbers, here are {}",
            points.len()
        ));
    };
    geometry::rectangle(&[left, top, right - left, bottom - top])?;
    let (width, height) = (right - left, bottom - top);
    Ok(Shape::Ellipse {
        x: left,
        y: top,
        width,
        height,
    }
    .into())
}

fn polyline(points: &[f64]) -> Result<Geometry, String> {
    geometry::finite(points)?;
    if points.len() < 4 || !points.len().is_multiple_of(2) {
        return Err(format!(
            "a line needs at least 2 pairs of numbers, here are {}",
            points.len()
        ));
    }
    let point = |pair: &[f64]| Point {
        x: pair[0],
        y: pair[1],
    };
    Ok(Geometry::Polyline(
        points.chunks_exact(2).map(point).collect(),
    ))
}

fn mask(annotation: &Annotation, size: (u32, u32)) -> Result<Geometry, String> {
    let rle = annotation.rle.as_ref().ok_or("the mask has no `rle`")?;
    rle.mask(size).map(Geometry::Mask)
}

/// One point of a label without a skeleton is a shape of its own.
fn single_point(
    points: &mut Vec<Keypoint>,
    annotation: &Annotation,
    categories: &Categories,
) -> Geometry {
    let &[Keypoint { x, y, visibility }] = points.as_slice() else {
        return Geometry::Keypoints;
    };
    if annotation
        .label_id
        .is_some_and(|id| categories.has_skeleton(id))
    {
        return Geometry::Keypoints;
    }
    points.clear();
    let is_visible = visibility != Visibility::Hidden;
    Shape::Keypoint { x, y, is_visible }.into()
}

fn points(annotation: &Annotation) -> Result<Vec<Keypoint>, String> {
    geometry::finite(&annotation.points)?;
    if !annotation.points.len().is_multiple_of(2) {
        return Err("points need pairs of numbers".to_owned());
    }
    let point = |(index, pair): (usize, &[f64])| {
        let visibility = annotation.visibility.get(index).copied().unwrap_or(2);
        Keypoint {
            x: pair[0],
            y: pair[1],
            visibility: Visibility::from_number(visibility.into()),
        }
    };
    Ok(annotation
        .points
        .chunks_exact(2)
        .enumerate()
        .map(point)
        .collect())
}
