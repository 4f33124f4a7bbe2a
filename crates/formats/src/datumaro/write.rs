use std::path::Path;

use serde_json::{Value, json};
use straylight_core::Shape;

use crate::folder::{by_subset, copy_image, stem};
use crate::geometry::flat;
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Became, ClassLabel, Feature, FormatError, Geometry, Keypoint,
    Object, WriteOptions, WriteReport,
};

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    for (subset, images) in by_subset(set) {
        let mut items = Vec::new();
        for image in images {
            let unannotated = usize::from(image.unannotated);
            let mut losses = Losses::of(image, report);
            losses.add_some(Feature::Unannotated, Became::Empty, unannotated);
            let stated = image
                .objects
                .iter()
                .filter(|object| object.bounds.is_some())
                .count();
            losses.add_some(Feature::StatedBox, Became::LeftOut, stated);
            items.push(item(set, image));
            if options.copy_images {
                copy_image(image, &folder.join("images").join(subset).join(&image.name))?;
            }
        }
        let json = json!({
            "dm_format_version": "1.0", "media_type": 2, "infos": {},
            "categories": categories(set), "items": items,
        });
        let path = folder.join("annotations").join(format!("{subset}.json"));
        straylight_files::write_atomically(&path, json.to_string().as_bytes())?;
    }
    Ok(())
}

fn categories(set: &AnnotatedSet) -> Value {
    let label = |label: &ClassLabel| {
        let parent = label.parent.clone().unwrap_or_default();
        json!({"name": label.name, "parent": parent, "attributes": []})
    };
    let labels: Vec<Value> = set.labels.iter().map(label).collect();
    let mut categories = json!({"label": {"labels": labels, "label_groups": [], "attributes": []}});
    let color = |(id, label): (usize, &ClassLabel)| {
        let [r, g, b] = label.color?.rgb;
        Some(json!({"label_id": id, "r": r, "g": g, "b": b}))
    };
    let colors: Vec<Value> = set.labels.iter().enumerate().filter_map(color).collect();
    if !colors.is_empty() {
        categories["mask"] = json!({"colormap": colors});
    }
    let skeleton = |(id, label): (usize, &ClassLabel)| {
        let skeleton = label.skeleton.as_ref()?;
        let joints: Vec<[usize; 2]> = skeleton.edges.iter().map(|(a, b)| [a + 1, b + 1]).collect();
        Some(json!({"label_id": id, "labels": skeleton.points, "joints": joints}))
    };
    let skeletons: Vec<Value> = set.labels.iter().enumerate().filter_map(skeleton).collect();
    if !skeletons.is_empty() {
        categories["points"] = json!({"items": skeletons});
    }
    categories
}

fn item(set: &AnnotatedSet, image: &AnnotatedImage) -> Value {
    let mut annotations = Vec::new();
    let groups = image.objects.iter().filter_map(|object| object.group);
    let mut next_group = groups.max().unwrap_or(0).max(0) + 1;
    for object in &image.objects {
        let shapes = shapes(object);
        let several = object.labels.len() * shapes.len() > 1;
        let group = match object.group {
            Some(group) => group,
            None if several => {
                next_group += 1;
                next_group - 1
            }
            None => 0,
        };
        let attributes = attributes(object);
        for name in &object.labels {
            let label = set
                .label_names()
                .position(|known| known == name)
                .unwrap_or(0);
            for shape in &shapes {
                annotations.push(annotation(
                    shape,
                    object,
                    &attributes,
                    (annotations.len(), label, group),
                ));
            }
        }
    }
    let mut attributes = image.attributes.clone();
    if let Some(id) = &image.id {
        let number = id
            .parse::<i64>()
            .map_or_else(|_| id.as_str().into(), Into::into);
        attributes.insert("id".to_owned(), number);
    }
    json!({
        "id": stem(&image.name), "annotations": annotations, "attr": attributes,
        "image": {"path": image.name, "size": [image.height, image.width]},
    })
}

fn annotation(
    shape: &Value,
    object: &Object,
    attributes: &Value,
    (id, label, group): (usize, usize, i64),
) -> Value {
    let mut annotation = shape.clone();
    let rotation = annotation["attributes"]["rotation"].take();
    annotation["attributes"] = attributes.clone();
    if !rotation.is_null() {
        annotation["attributes"]["rotation"] = rotation;
    }
    let known = object.id.as_ref().and_then(|id| id.parse::<i64>().ok());
    annotation["id"] = known.unwrap_or(id as i64).into();
    annotation["group"] = group.into();
    annotation["label_id"] = label.into();
    if annotation["type"] != "label" {
        annotation["z_order"] = object.z_order.into();
    }
    annotation
}

fn attributes(object: &Object) -> Value {
    let mut attributes = json!(object.attributes);
    let flags = object.flags;
    for (name, is_set) in [
        ("is_crowd", flags.crowd),
        ("difficult", flags.difficult),
        ("truncated", flags.truncated),
        ("occluded", flags.occluded),
    ] {
        if is_set {
            attributes[name] = true.into();
        }
    }
    attributes
}

/// The entries of an object: its shape or the parts of it, its stated box, its key points.
fn shapes(object: &Object) -> Vec<Value> {
    let mut shapes = match &object.geometry {
        Geometry::Image => vec![json!({"type": "label"})],
        Geometry::Shape(one) => vec![shape(one)],
        Geometry::Polygons(parts) => {
            let part = |points| json!({"type": "polygon", "points": flat(points)});
            parts.iter().map(|points| part(points)).collect()
        }
        Geometry::Mask(mask) => vec![json!({
            "type": "mask",
            "rle": {"counts": mask.packed(), "size": [mask.height(), mask.width()]},
        })],
        Geometry::Polyline(points) => vec![json!({"type": "polyline", "points": flat(points)})],
        Geometry::Keypoints => Vec::new(),
    };
    if !object.keypoints.is_empty() {
        shapes.push(points(&object.keypoints));
    }
    shapes
}

fn points(points: &[Keypoint]) -> Value {
    let flat: Vec<f64> = points.iter().flat_map(|point| [point.x, point.y]).collect();
    let visibility: Vec<u8> = points
        .iter()
        .map(|point| point.visibility.number())
        .collect();
    json!({"type": "points", "points": flat, "visibility": visibility})
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => json!({
            "type": "bbox", "bbox": [x, y, width, height],
        }),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => json!({
            "type": "bbox", "attributes": {"rotation": angle},
            "bbox": [x - width / 2.0, y - height / 2.0, width, height],
        }),
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => json!({
            "type": "ellipse", "points": [x, y, x + width, y + height],
        }),
        Shape::Polygon { points } => json!({"type": "polygon", "points": flat(points)}),
        Shape::Keypoint { x, y, is_visible } => json!({
            "type": "points", "points": [x, y], "visibility": [if *is_visible { 2 } else { 1 }],
        }),
    }
}
