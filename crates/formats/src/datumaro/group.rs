//! Entries of one group become one object where they are parts of one.

use crate::{Geometry, Object};

/// Joins entries of one group: labels of one shape, parts of one polygon, and key points with
/// the shape that they belong to. What is of another kind keeps its group.
pub(super) fn merged(entries: Vec<Object>) -> Vec<Object> {
    let mut objects: Vec<Object> = Vec::with_capacity(entries.len());
    for mut entry in entries {
        if entry.geometry == Geometry::Image {
            entry.group = None;
        }
        let known = objects.iter_mut().find(|known| belongs(known, &entry));
        match known {
            Some(known) => join(known, entry),
            None => objects.push(entry),
        }
    }
    forget_single_groups(&mut objects);
    objects
}

fn is_polygon(object: &Object) -> bool {
    match &object.geometry {
        Geometry::Polygons(_) => true,
        Geometry::Shape(shape) => matches!(shape, straylight_core::Shape::Polygon { .. }),
        _ => false,
    }
}

fn is_area(object: &Object) -> bool {
    !matches!(
        object.geometry,
        Geometry::Image | Geometry::Keypoints | Geometry::Polyline(_)
    )
}

fn belongs(known: &Object, entry: &Object) -> bool {
    if entry.geometry == Geometry::Image {
        return known.geometry == Geometry::Image;
    }
    if known.group.is_none() || known.group != entry.group {
        return false;
    }
    if known.geometry == entry.geometry && known.labels != entry.labels {
        return known.keypoints == entry.keypoints;
    }
    if known.labels != entry.labels {
        return false;
    }
    let points = |object: &Object| !object.keypoints.is_empty();
    (is_polygon(known) && is_polygon(entry))
        || (is_area(known) && !points(known) && entry.geometry == Geometry::Keypoints)
        || (known.geometry == Geometry::Keypoints && is_area(entry))
}

fn join(known: &mut Object, entry: Object) {
    known.flags.crowd |= entry.flags.crowd;
    known.flags.occluded |= entry.flags.occluded;
    known.flags.truncated |= entry.flags.truncated;
    known.flags.difficult |= entry.flags.difficult;
    if known.geometry == entry.geometry {
        let new = entry
            .labels
            .into_iter()
            .filter(|label| !known.labels.contains(label));
        let new: Vec<String> = new.collect();
        known.labels.extend(new);
    } else if is_polygon(known) && is_polygon(&entry) {
        let mut parts = known.geometry.outlines();
        parts.extend(entry.geometry.outlines());
        known.geometry = Geometry::of_parts(parts);
    } else if known.geometry == Geometry::Keypoints {
        known.geometry = entry.geometry;
    } else {
        known.keypoints = entry.keypoints;
    }
    known.attributes.extend(entry.attributes);
}

/// A group of one object tells nothing.
fn forget_single_groups(objects: &mut [Object]) {
    let groups: Vec<Option<i64>> = objects.iter().map(|object| object.group).collect();
    for object in objects {
        if groups
            .iter()
            .filter(|group| **group == object.group)
            .count()
            < 2
        {
            object.group = None;
        }
    }
}
