use roxmltree::Node;
use serde_json::Value;
use straylight_core::{Point, Shape};

use crate::xml::{child, children, number, text};
use crate::{Geometry, Object, geometry};

/// The object of an element, and how many part boxes were passed over.
pub(super) fn read(node: Node<'_, '_>) -> Result<(Object, usize), String> {
    let name = text(node, "name").ok_or("it has no `name`")?;
    let bounds = match child(node, "bndbox") {
        Some(bounds) => Some(edges(bounds)?),
        None => None,
    };
    let mut object = Object::new(geometry(node, bounds)?, name);
    object.bounds = bounds.filter(|bounds| geometry::differs(*bounds, &object.geometry));
    let is_set =
        |name: &str| text(node, name).is_some_and(|text| matches!(text, "1" | "true" | "True"));
    object.flags.difficult = is_set("difficult");
    object.flags.truncated = is_set("truncated");
    object.flags.occluded = is_set("occluded");
    if let Some(pose) = text(node, "pose").filter(|pose| *pose != "Unspecified") {
        object.attributes.insert("pose".to_owned(), pose.into());
    }
    attributes(node, &mut object);
    object.take_flags();
    turn_box(&mut object);
    Ok((object, children(node, "part").count()))
}

fn edges(bounds: Node<'_, '_>) -> Result<[f64; 4], String> {
    let [left, top] = [number(bounds, "xmin")?, number(bounds, "ymin")?];
    let [right, bottom] = [number(bounds, "xmax")?, number(bounds, "ymax")?];
    let shape = geometry::rectangle(&[left, top, right - left, bottom - top])?;
    Ok(geometry::bounding_box(&shape))
}

fn geometry(node: Node<'_, '_>, bounds: Option<[f64; 4]>) -> Result<Geometry, String> {
    if let Some(turned) = child(node, "robndbox") {
        let [x, y] = [number(turned, "cx")?, number(turned, "cy")?];
        let [width, height] = [number(turned, "w")?, number(turned, "h")?];
        geometry::rectangle(&[x, y, width, height])?;
        let angle = number(turned, "angle")?.to_degrees();
        return Ok(Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        }
        .into());
    }
    let polygons: Result<Vec<_>, String> = children(node, "polygon").map(polygon).collect();
    match (polygons?, bounds) {
        (parts, _) if !parts.is_empty() => Ok(Geometry::of_parts(parts)),
        (_, Some([x, y, width, height])) => Ok(Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
        .into()),
        _ => Err("it has no `bndbox`".to_owned()),
    }
}

/// `x1`, `y1`, `x2`, ... of Roboflow.
fn polygon(node: Node<'_, '_>) -> Result<Vec<Point>, String> {
    let mut numbers = Vec::new();
    for index in 1.. {
        let (x, y) = (format!("x{index}"), format!("y{index}"));
        if child(node, &x).is_none() {
            break;
        }
        numbers.extend([number(node, &x)?, number(node, &y)?]);
    }
    match geometry::polygon(&numbers)? {
        Shape::Polygon { points } => Ok(points),
        _ => Err("it is no polygon".to_owned()),
    }
}

/// Attributes of CVAT and Datumaro.
fn attributes(node: Node<'_, '_>, object: &mut Object) {
    let Some(list) = child(node, "attributes") else {
        return;
    };
    for attribute in children(list, "attribute") {
        if let Some(name) = text(attribute, "name") {
            let value = text(attribute, "value").unwrap_or_default();
            object.attributes.insert(name.to_owned(), value.into());
        }
    }
}

fn turn_box(object: &mut Object) {
    let rotation = object.attributes.get("rotation").and_then(Value::as_str);
    let angle = rotation
        .and_then(|text| text.parse().ok())
        .filter(|angle: &f64| angle.is_finite());
    let (
        Some(angle),
        Geometry::Shape(Shape::Rectangle {
            x,
            y,
            width,
            height,
        }),
    ) = (angle, &object.geometry)
    else {
        return;
    };
    if angle != 0.0 {
        let (x, y) = (x + width / 2.0, y + height / 2.0);
        let (width, height) = (*width, *height);
        object.geometry = Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        }
        .into();
    }
    object.attributes.remove("rotation");
}
