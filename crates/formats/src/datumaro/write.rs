use std::path::Path;

use serde_json::{Value, json};
use straylight_core::Shape;

use crate::folder::{by_subset, copy_image, stem};
use crate::geometry::flat;
use crate::{AnnotatedImage, AnnotatedSet, FormatError, WriteOptions};

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
) -> Result<(), FormatError> {
    for (subset, images) in by_subset(set) {
        let mut items = Vec::new();
        for image in images {
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
    let label = |label: &crate::ClassLabel| {
        let parent = label.parent.clone().unwrap_or_default();
        json!({"name": label.name, "parent": parent, "attributes": []})
    };
    let labels: Vec<Value> = set.labels.iter().map(label).collect();
    let color = |(id, label): (usize, &crate::ClassLabel)| {
        let [r, g, b] = label.color?.rgb;
        Some(json!({"label_id": id, "r": r, "g": g, "b": b}))
    };
    let colors: Vec<Value> = set.labels.iter().enumerate().filter_map(color).collect();
    let label = json!({"labels": labels, "label_groups": [], "attributes": []});
    if colors.is_empty() {
        return json!({"label": label});
    }
    json!({"label": label, "mask": {"colormap": colors}})
}

fn item(set: &AnnotatedSet, image: &AnnotatedImage) -> Value {
    let mut annotations = Vec::new();
    for (group, object) in image.objects.iter().enumerate() {
        for name in &object.labels {
            let mut annotation = shape(&object.shape, image);
            let label = set.label_names().position(|known| known == name);
            annotation["id"] = annotations.len().into();
            // Entries of one group are labels of one object.
            annotation["group"] = if object.labels.len() > 1 {
                group + 1
            } else {
                0
            }
            .into();
            annotation["label_id"] = label.unwrap_or(0).into();
            annotations.push(annotation);
        }
    }
    json!({
        "id": stem(&image.name), "annotations": annotations,
        "image": {"path": image.name, "size": [image.height, image.width]},
    })
}

fn shape(shape: &Shape, image: &AnnotatedImage) -> Value {
    if shape.is_whole_image(image.width, image.height) {
        return json!({"type": "label", "attributes": {}});
    }
    match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => json!({
            "type": "bbox", "attributes": {}, "z_order": 0, "bbox": [x, y, width, height],
        }),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => json!({
            "type": "bbox", "attributes": {"rotation": angle}, "z_order": 0,
            "bbox": [x - width / 2.0, y - height / 2.0, width, height],
        }),
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => json!({
            "type": "ellipse", "attributes": {}, "z_order": 0,
            "points": [x, y, x + width, y + height],
        }),
        Shape::Polygon { points } => json!({
            "type": "polygon", "attributes": {}, "z_order": 0, "points": flat(points),
        }),
        Shape::Keypoint { x, y, is_visible } => json!({
            "type": "points", "attributes": {}, "z_order": 0, "points": [x, y],
            "visibility": [if *is_visible { 2 } else { 1 }],
        }),
    }
}
