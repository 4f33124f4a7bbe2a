//! Sets as lines of text, to be compared at a glance.

use straylight_core::Shape;
use straylight_formats::{Geometry, Object, ReadReport};

fn numbers(numbers: &[f64]) -> String {
    let rounded = numbers
        .iter()
        .map(|n| ((n * 100.0).round() / 100.0).to_string());
    rounded.collect::<Vec<_>>().join(",")
}

fn place(object: &Object) -> String {
    let bounds = object
        .bounding_box()
        .map(|bounds| numbers(&bounds))
        .unwrap_or_default();
    match &object.geometry {
        Geometry::Image => "image".to_owned(),
        Geometry::Shape(Shape::Rectangle { .. }) => format!("box {bounds}"),
        Geometry::Shape(Shape::Polygon { points }) => {
            format!("polygon of {} in {bounds}", points.len())
        }
        Geometry::Shape(Shape::RotatedRectangle { angle, .. }) => {
            format!("turned by {angle:.0} in {bounds}")
        }
        Geometry::Shape(Shape::Ellipse { .. }) => format!("ellipse {bounds}"),
        Geometry::Shape(Shape::Keypoint { x, y, .. }) => format!("point {}", numbers(&[*x, *y])),
        Geometry::Polygons(parts) => format!("{} polygons in {bounds}", parts.len()),
        Geometry::Mask(mask) => format!("mask of {} in {bounds}", mask.area()),
        Geometry::Polyline(points) => format!("line of {} in {bounds}", points.len()),
        Geometry::Keypoints => "points".to_owned(),
        other => format!("{other:?}"),
    }
}

fn described(object: &Object) -> String {
    let mut parts = vec![object.labels.join("+"), place(object)];
    for point in &object.keypoints {
        let (x, y, seen) = (point.x, point.y, point.visibility.number());
        parts.push(format!("({},{seen})", numbers(&[x, y])));
    }
    let flags = object.flags;
    for (is_set, name) in [
        (flags.crowd, "crowd"),
        (flags.difficult, "difficult"),
        (flags.truncated, "truncated"),
        (flags.occluded, "occluded"),
    ] {
        if is_set {
            parts.push(name.to_owned());
        }
    }
    parts.join(" ")
}

/// A line an image: its subset and name, its size, its objects; `?` if nobody annotated it.
pub(crate) fn lines(report: &ReadReport) -> Vec<String> {
    let line = |image: &straylight_formats::AnnotatedImage| {
        let subset = image
            .subset
            .as_ref()
            .map(|subset| format!("{subset}/"))
            .unwrap_or_default();
        let objects: Vec<String> = image.objects.iter().map(described).collect();
        let none = if image.unannotated { "?" } else { "" };
        format!(
            "{subset}{} {}x{}: {}{none}",
            image.name,
            image.width,
            image.height,
            objects.join("; ")
        )
    };
    report.set.images.iter().map(line).collect()
}
