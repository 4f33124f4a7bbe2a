use std::fmt::Write;
use std::path::Path;

use straylight_core::Shape;

use crate::folder::{by_subset, copy_image, stem};
use crate::geometry::{bounding_box, name};
use crate::{AnnotatedImage, AnnotatedSet, FormatError, WriteOptions, WriteReport};

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    for (subset, images) in by_subset(set) {
        let mut list = String::new();
        for image in images {
            let stem = stem(&image.name);
            list.push_str(stem);
            list.push('\n');
            let path = folder.join("Annotations").join(format!("{stem}.xml"));
            straylight_files::write_atomically(&path, xml(image, report).as_bytes())?;
            if options.copy_images {
                copy_image(image, &folder.join("JPEGImages").join(&image.name))?;
            }
        }
        let path = folder
            .join("ImageSets")
            .join("Main")
            .join(format!("{subset}.txt"));
        straylight_files::write_atomically(&path, list.as_bytes())?;
    }
    let path = folder.join("labelmap.txt");
    straylight_files::write_atomically(&path, label_map(set).as_bytes())?;
    Ok(())
}

fn label_map(set: &AnnotatedSet) -> String {
    let mut text = String::from("# label:color_rgb:parts:actions\n");
    // A name that the map cannot hold is still read from the objects that have it.
    let holds = |name: &str| !name.contains([':', '\n', '\r']) && !name.starts_with('#');
    for label in set.labels.iter().filter(|label| holds(&label.name)) {
        let color = label
            .color
            .map(|color| color.rgb.map(|level| level.to_string()).join(","));
        let color = color.unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:{color}::", label.name);
    }
    text
}

fn xml(image: &AnnotatedImage, report: &mut WriteReport) -> String {
    let AnnotatedImage { width, height, .. } = image;
    let file = image.name.rsplit('/').next().unwrap_or(&image.name);
    let mut text = format!(
        "<annotation>\n  <filename>{}</filename>\n  <size><width>{width}</width>\
         <height>{height}</height><depth>3</depth></size>\n  <segmented>0</segmented>\n",
        escaped(file)
    );
    for object in &image.objects {
        if !matches!(object.shape, Shape::Rectangle { .. }) {
            report.loss(image, format!("a {} became its box", name(&object.shape)));
        }
        if object.labels.len() > 1 && !object.shape.is_whole_image(*width, *height) {
            let labels = object.labels.join(", ");
            report.loss(
                image,
                format!("an object of several labels became several: {labels}"),
            );
        }
        for label in &object.labels {
            add_object(&mut text, &object.shape, label);
        }
    }
    text.push_str("</annotation>\n");
    text
}

fn add_object(text: &mut String, shape: &Shape, label: &str) {
    let [x, y, width, height] = bounding_box(shape);
    let (right, bottom) = (x + width, y + height);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  <object>\n    <name>{}</name>\n    <bndbox><xmin>{x}</xmin><ymin>{y}</ymin>\
         <xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox>\n  </object>",
        escaped(label)
    );
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
