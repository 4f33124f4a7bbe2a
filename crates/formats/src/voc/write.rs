use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use straylight_core::Shape;

use crate::folder::{by_subset, copy_image, stem};
use crate::loss::Losses;
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
    set_losses(set, report);
    for (subset, images) in by_subset(set) {
        let mut list = String::new();
        for image in images {
            let stem = stem(&image.name);
            list.push_str(stem);
            list.push('\n');
            // An image that nobody annotated is only listed.
            if !image.unannotated || !image.objects.is_empty() {
                let path = folder.join("Annotations").join(format!("{stem}.xml"));
                straylight_files::write_atomically(&path, xml(image, report).as_bytes())?;
            }
            if options.copy_images {
                copy_image(image, &folder.join("JPEGImages").join(&image.name))?;
            }
        }
        let name = format!("{subset}.txt");
        let path = folder.join("ImageSets").join("Main").join(name);
        straylight_files::write_atomically(&path, list.as_bytes())?;
    }
    let path = folder.join("labelmap.txt");
    straylight_files::write_atomically(&path, label_map(set).as_bytes())?;
    Ok(())
}

fn set_losses(set: &AnnotatedSet, report: &mut WriteReport) {
    let count =
        |has: fn(&crate::ClassLabel) -> bool| set.labels.iter().filter(|label| has(label)).count();
    let parents = count(|label| label.parent.is_some());
    let skeletons = count(|label| label.skeleton.is_some());
    let mut losses = Losses::of_set(report);
    losses.add_some(Feature::Parent, Outcome::LeftOut, parents);
    losses.add_some(Feature::LabelSkeleton, Outcome::LeftOut, skeletons);
}

fn label_map(set: &AnnotatedSet) -> String {
    let mut text = String::from("# label:color_rgb:parts:actions\n");
    // A name that the map cannot hold is still read from the objects that have it.
    let holds = |name: &str| !name.contains([':', '\n', '\r']) && !name.starts_with('#');
    for label in set.labels.iter().filter(|label| holds(&label.name)) {
        let color = label
            .color
            .map(|color| color.rgb.map(|level| level.to_string()).join(","));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:{}::", label.name, color.unwrap_or_default());
    }
    text
}

fn xml(image: &AnnotatedImage, report: &mut WriteReport) -> String {
    let AnnotatedImage { width, height, .. } = image;
    let file = image.name.rsplit('/').next().unwrap_or(&image.name);
    let mut text = format!(
        "<annotation>\n  <folder></folder>\n  <filename>{}</filename>\n  <size><width>{width}</width>\
         <height>{height}</height><depth>3</depth></size>\n  <segmented>0</segmented>\n",
        escaped(file)
    );
    let mut losses = Losses::of(image, report);
    losses.add_some(
        Feature::ImageAttribute,
        Outcome::LeftOut,
        image.attributes.len(),
    );
    for object in &image.objects {
        told(object, &mut losses);
        let whole = [0.0, 0.0, f64::from(*width), f64::from(*height)];
        let is_line = matches!(object.geometry, Geometry::Polyline(_));
        let bounds = match object.bounding_box() {
            Some(bounds) if !is_line => bounds,
            None if object.geometry == Geometry::Image => whole,
            _ => continue,
        };
        for label in &object.labels {
            add_object(&mut text, object, bounds, label);
        }
    }
    text.push_str("</annotation>\n");
    text
}

/// Says what VOC cannot hold of an object.
fn told(object: &Object, losses: &mut Losses<'_>) {
    match &object.geometry {
        Geometry::Image => losses.add(Feature::ImageLabel, Outcome::Box),
        Geometry::Shape(Shape::Rectangle { .. }) | Geometry::Keypoints => {}
        Geometry::Shape(Shape::Ellipse { .. }) => losses.add(Feature::Ellipse, Outcome::Box),
        Geometry::Shape(Shape::Polygon { .. }) => losses.add(Feature::Polygon, Outcome::Box),
        Geometry::Shape(Shape::RotatedRectangle { .. }) => {
            losses.add(Feature::RotatedBox, Outcome::Box);
        }
        Geometry::Shape(Shape::Keypoint { .. }) => losses.add(Feature::Keypoint, Outcome::Box),
        Geometry::Polygons(_) => losses.add(Feature::Parts, Outcome::Box),
        Geometry::Mask(_) => losses.add(Feature::Mask, Outcome::Box),
        Geometry::Polyline(_) => losses.add(Feature::Polyline, Outcome::LeftOut),
    }
    if !object.keypoints.is_empty() {
        losses.add(
            Feature::Skeleton,
            if object.geometry == Geometry::Keypoints {
                Outcome::Box
            } else {
                Outcome::LeftOut
            },
        );
    }
    if object.labels.len() > 1 && object.geometry != Geometry::Image {
        losses.add(Feature::SeveralLabels, Outcome::Objects);
    }
    losses.add_some(
        Feature::Crowd,
        Outcome::LeftOut,
        usize::from(object.flags.crowd),
    );
    losses.add_some(
        Feature::Group,
        Outcome::LeftOut,
        usize::from(object.group.is_some()),
    );
    losses.add_some(
        Feature::ZOrder,
        Outcome::LeftOut,
        usize::from(object.z_order != 0),
    );
}

fn add_object(text: &mut String, object: &Object, bounds: [f64; 4], label: &str) {
    let [x, y, width, height] = bounds;
    let (right, bottom) = (x + width, y + height);
    let pose = object
        .attributes
        .get("pose")
        .and_then(Value::as_str)
        .unwrap_or("Unspecified");
    let [truncated, occluded, difficult] = [
        object.flags.truncated,
        object.flags.occluded,
        object.flags.difficult,
    ]
    .map(u8::from);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  <object>\n    <name>{}</name>\n    <pose>{}</pose>\n    <truncated>{truncated}</truncated>\
         <occluded>{occluded}</occluded><difficult>{difficult}</difficult>\n    \
         <bndbox><xmin>{x}</xmin><ymin>{y}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox>",
        escaped(label),
        escaped(pose)
    );
    let others: Vec<_> = object
        .attributes
        .iter()
        .filter(|(name, _)| *name != "pose")
        .collect();
    if !others.is_empty() {
        text.push_str("    <attributes>\n");
        for (name, value) in others {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let (name, value) = (escaped(name), escaped(&value));
            let _ = writeln!(
                text,
                "      <attribute><name>{name}</name><value>{value}</value></attribute>"
            );
        }
        text.push_str("    </attributes>\n");
    }
    text.push_str("  </object>\n");
}

/// Text between tags; characters that XML cannot hold at all become the replacement sign.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
