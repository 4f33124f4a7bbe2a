use std::fmt::Write;
use std::path::Path;

use straylight_core::Shape;

use crate::folder::{by_subset, copy_image, stem};
use crate::geometry::{bounding_box, corners, flat, name};
use crate::{AnnotatedImage, AnnotatedSet, FormatError, WriteOptions, WriteReport};

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    let subsets = by_subset(set);
    for (subset, images) in &subsets {
        for image in images {
            let file = format!("{}.txt", stem(&image.name));
            let path = folder.join("labels").join(subset).join(file);
            straylight_files::write_atomically(&path, lines(set, image, report).as_bytes())?;
            if options.copy_images {
                copy_image(image, &folder.join("images").join(subset).join(&image.name))?;
            }
        }
    }
    // Writing to a string cannot fail.
    let mut yaml = String::from("path: .\n");
    for (subset, _) in &subsets {
        let images = quoted(&format!("images/{subset}"));
        let _ = writeln!(yaml, "{}: {images}", quoted(subset));
    }
    yaml.push_str("names:\n");
    for (index, label) in set.labels.iter().enumerate() {
        let _ = writeln!(yaml, "  {index}: {}", quoted(&label.name));
    }
    straylight_files::write_atomically(&folder.join("data.yaml"), yaml.as_bytes())?;
    Ok(())
}

/// JSON's quotes are YAML's double quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn lines(set: &AnnotatedSet, image: &AnnotatedImage, report: &mut WriteReport) -> String {
    let mut text = String::new();
    for object in &image.objects {
        let numbers = match object.shape {
            Shape::Keypoint { .. } => {
                report.loss(image, "a key point was left out");
                continue;
            }
            Shape::Rectangle { .. } => box_numbers(&object.shape, image),
            _ => polygon_numbers(&object.shape, image),
        };
        if matches!(
            object.shape,
            Shape::Ellipse { .. } | Shape::RotatedRectangle { .. }
        ) {
            report.loss(image, format!("a {} became a polygon", name(&object.shape)));
        }
        if object.labels.len() > 1 && !object.shape.is_whole_image(image.width, image.height) {
            let labels = object.labels.join(", ");
            report.loss(
                image,
                format!("an object of several labels became several: {labels}"),
            );
        }
        for label in &object.labels {
            let class = set
                .label_names()
                .position(|name| name == label)
                .unwrap_or(0);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{class}{numbers}");
        }
    }
    text
}

fn box_numbers(shape: &Shape, image: &AnnotatedImage) -> String {
    let [x, y, width, height] = bounding_box(shape);
    parts(&[x + width / 2.0, y + height / 2.0, width, height], image)
}

fn polygon_numbers(shape: &Shape, image: &AnnotatedImage) -> String {
    parts(&flat(&corners(shape)), image)
}

/// Pixels as parts of the width and the height in turn, a blank before each.
fn parts(pixels: &[f64], image: &AnnotatedImage) -> String {
    let sides = [f64::from(image.width), f64::from(image.height)];
    let part = |(pixels, side): (&f64, &f64)| format!(" {}", pixels / side);
    pixels.iter().zip(sides.iter().cycle()).map(part).collect()
}
