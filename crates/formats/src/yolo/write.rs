use std::fmt::Write;
use std::path::Path;

use straylight_core::{Point, Shape};

use crate::folder::{by_subset, copy_image, stem};
use crate::geometry::{bounding_box, corners, flat};
use crate::loss::Losses;
use crate::platform::flags;
use crate::{
    AnnotatedImage, AnnotatedSet, Feature, FormatError, Geometry, Object, Outcome, WriteOptions,
    WriteReport,
};

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
    let mut losses = Losses::of(image, report);
    for object in &image.objects {
        flags(object, &mut losses);
        if !object.keypoints.is_empty() {
            losses.add(Feature::Skeleton, Outcome::LeftOut);
        }
        for numbers in shapes(object, image, &mut losses) {
            for label in &object.labels {
                let class = set.label_names().position(|name| name == label);
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{}{numbers}", class.unwrap_or(0));
            }
        }
        if object.labels.len() > 1 && object.geometry != Geometry::Image {
            losses.add(Feature::SeveralLabels, Outcome::Objects);
        }
    }
    text
}

/// The numbers of an object's box or polygons.
fn shapes(object: &Object, image: &AnnotatedImage, losses: &mut Losses<'_>) -> Vec<String> {
    let polygons = |parts: &[Vec<Point>]| parts.iter().map(|part| parts_of(part, image)).collect();
    match &object.geometry {
        Geometry::Image => {
            losses.add(Feature::ImageLabel, Outcome::Box);
            let whole = Shape::whole_image(image.width, image.height);
            vec![box_numbers(&whole, image)]
        }
        Geometry::Shape(Shape::Keypoint { .. }) => {
            losses.add(Feature::Keypoint, Outcome::LeftOut);
            Vec::new()
        }
        Geometry::Shape(shape @ Shape::Rectangle { .. }) => vec![box_numbers(shape, image)],
        Geometry::Shape(shape) => {
            match shape {
                Shape::Ellipse { .. } => losses.add(Feature::Ellipse, Outcome::Polygon),
                Shape::RotatedRectangle { .. } => losses.add(Feature::RotatedBox, Outcome::Polygon),
                _ => {}
            }
            polygons(&[corners(shape)])
        }
        Geometry::Polygons(parts) => {
            losses.add(Feature::Parts, Outcome::Objects);
            polygons(parts)
        }
        Geometry::Mask(mask) => {
            let outlines = mask.outlines();
            losses.add(Feature::Mask, Outcome::Polygon);
            losses.add_some(Feature::Hole, Outcome::Filled, outlines.holes.len());
            losses.add_some(
                Feature::Parts,
                Outcome::Objects,
                usize::from(outlines.outer.len() > 1),
            );
            polygons(&outlines.outer)
        }
        Geometry::Polyline(_) => {
            losses.add(Feature::Polyline, Outcome::LeftOut);
            Vec::new()
        }
        Geometry::Keypoints => Vec::new(),
    }
}

fn box_numbers(shape: &Shape, image: &AnnotatedImage) -> String {
    let [x, y, width, height] = bounding_box(shape);
    parts(&[x + width / 2.0, y + height / 2.0, width, height], image)
}

fn parts_of(points: &[Point], image: &AnnotatedImage) -> String {
    parts(&flat(points), image)
}

/// Pixels as parts of the width and the height in turn, a blank before each.
fn parts(pixels: &[f64], image: &AnnotatedImage) -> String {
    let sides = [f64::from(image.width), f64::from(image.height)];
    let part = |(pixels, side): (&f64, &f64)| format!(" {}", pixels / side);
    pixels.iter().zip(sides.iter().cycle()).map(part).collect()
}
