use std::path::Path;

use serde_json::{Value, json};
use straylight_core::Shape;

use super::KEYPOINT_CATEGORY;
use crate::folder::{by_subset, copy_image};
use crate::geometry::{area, bounding_box, corners, flat, name};
use crate::{AnnotatedImage, AnnotatedSet, FormatError, Object, WriteOptions, WriteReport};

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    let categories = Categories::of(set);
    for (subset, images) in by_subset(set) {
        let mut file = File {
            categories: &categories,
            annotations: Vec::new(),
        };
        let mut entries = Vec::new();
        for (index, image) in images.into_iter().enumerate() {
            let id = index + 1;
            entries.push(json!({
                "id": id, "file_name": image.name, "width": image.width, "height": image.height,
            }));
            file.add(id, image, report);
            if options.copy_images {
                copy_image(image, &folder.join("images").join(subset).join(&image.name))?;
            }
        }
        let json = json!({
            "info": {}, "licenses": [],
            "images": entries,
            "annotations": file.annotations,
            "categories": categories.json(set),
        });
        let path = folder
            .join("annotations")
            .join(format!("instances_{subset}.json"));
        straylight_files::write_atomically(&path, json.to_string().as_bytes())?;
    }
    Ok(())
}

/// Labels of areas have a category each, labels of points share one.
struct Categories<'a> {
    areas: Vec<&'a str>,
    points: Vec<&'a str>,
}

impl<'a> Categories<'a> {
    fn of(set: &'a AnnotatedSet) -> Self {
        let objects = || set.images.iter().flat_map(|image| &image.objects);
        let used = |name: &str, as_point: bool| {
            objects().any(|object| {
                matches!(object.shape, Shape::Keypoint { .. }) == as_point
                    && object.labels.iter().any(|label| label == name)
            })
        };
        let points: Vec<&str> = set.label_names().filter(|name| used(name, true)).collect();
        let areas = set
            .label_names()
            .filter(|name| !points.contains(name) || used(name, false));
        Self {
            areas: areas.collect(),
            points,
        }
    }

    fn json(&self, set: &AnnotatedSet) -> Vec<Value> {
        let parent = |name: &str| {
            let label = set.labels.iter().find(|label| label.name == name);
            label
                .and_then(|label| label.parent.clone())
                .unwrap_or_default()
        };
        let area = |(index, name): (usize, &&str)| json!({"id": index + 1, "name": name, "supercategory": parent(name)});
        let mut categories: Vec<Value> = self.areas.iter().enumerate().map(area).collect();
        if !self.points.is_empty() {
            categories.push(json!({
                "id": self.areas.len() + 1, "name": KEYPOINT_CATEGORY, "supercategory": "",
                "keypoints": self.points, "skeleton": [],
            }));
        }
        categories
    }
}

struct File<'a> {
    categories: &'a Categories<'a>,
    annotations: Vec<Value>,
}

impl File<'_> {
    fn add(&mut self, image_id: usize, image: &AnnotatedImage, report: &mut WriteReport) {
        for object in &image.objects {
            match object.shape {
                Shape::Keypoint { .. } => {}
                Shape::Ellipse { .. } | Shape::RotatedRectangle { .. } => {
                    report.loss(image, format!("a {} became a polygon", name(&object.shape)));
                    self.area(image_id, object);
                }
                _ => self.area(image_id, object),
            }
            let whole = object.shape.is_whole_image(image.width, image.height);
            if object.labels.len() > 1 && !whole {
                let labels = object.labels.join(", ");
                report.loss(
                    image,
                    format!("an object of several labels became several: {labels}"),
                );
            }
        }
        self.keypoints(image_id, image);
    }

    fn area(&mut self, image_id: usize, object: &Object) {
        let bbox = bounding_box(&object.shape);
        let points = corners(&object.shape);
        let segmentation = match object.shape {
            Shape::Rectangle { .. } => Vec::new(),
            _ => vec![flat(&points)],
        };
        for label in &object.labels {
            let category = self.categories.areas.iter().position(|name| name == label);
            self.annotations.push(json!({
                "id": self.annotations.len() + 1, "image_id": image_id,
                "category_id": category.map_or(0, |index| index + 1),
                "bbox": bbox, "area": area(&points), "iscrowd": 0,
                "segmentation": segmentation,
            }));
        }
    }

    /// The first point of each label goes into the first skeleton, the second into the second.
    fn keypoints(&mut self, image_id: usize, image: &AnnotatedImage) {
        let names = &self.categories.points;
        let mut skeletons: Vec<Vec<Option<[f64; 3]>>> = Vec::new();
        for object in &image.objects {
            let Shape::Keypoint { x, y, is_visible } = object.shape else {
                continue;
            };
            let point = [x, y, if is_visible { 2.0 } else { 1.0 }];
            for label in &object.labels {
                let Some(slot) = names.iter().position(|name| name == label) else {
                    continue;
                };
                let free = skeletons
                    .iter()
                    .position(|skeleton| skeleton[slot].is_none());
                let index = free.unwrap_or_else(|| {
                    skeletons.push(vec![None; names.len()]);
                    skeletons.len() - 1
                });
                skeletons[index][slot] = Some(point);
            }
        }
        for skeleton in skeletons {
            self.skeleton(image_id, &skeleton);
        }
    }

    fn skeleton(&mut self, image_id: usize, skeleton: &[Option<[f64; 3]>]) {
        let known: Vec<[f64; 3]> = skeleton.iter().flatten().copied().collect();
        let span = |axis: usize| {
            let values = known.iter().map(|point| point[axis]);
            let least = values.clone().fold(f64::INFINITY, f64::min);
            (least, values.fold(f64::NEG_INFINITY, f64::max) - least)
        };
        let ((x, width), (y, height)) = (span(0), span(1));
        let numbers: Vec<f64> = skeleton
            .iter()
            .flat_map(|point| point.unwrap_or_default())
            .collect();
        self.annotations.push(json!({
            "id": self.annotations.len() + 1, "image_id": image_id,
            "category_id": self.categories.areas.len() + 1,
            "bbox": [x, y, width, height], "area": width * height, "iscrowd": 0,
            "segmentation": [], "keypoints": numbers, "num_keypoints": known.len(),
        }));
    }
}
