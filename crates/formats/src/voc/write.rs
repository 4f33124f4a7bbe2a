use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use straylight_core::Shape;

use super::colors;
use super::draw::{self, Picture};
use crate::folder::{by_subset, copy_image, stem};
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Became, Feature, FormatError, Geometry, Object, WriteOptions,
    WriteReport,
};

/// An image has at most so many instances; 255 stands for the borders between them.
const MOST_INSTANCES: usize = 254;

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    set_losses(set, report);
    let writer = Writer {
        folder,
        colors: Colors::of(set),
    };
    for (subset, images) in by_subset(set) {
        let (mut list, mut segmented) = (String::new(), String::new());
        for image in images {
            let stem = stem(&image.name);
            list.push_str(stem);
            list.push('\n');
            // An image that nobody annotated is only listed.
            if (!image.unannotated || !image.objects.is_empty()) && writer.image(image, report)? {
                segmented.push_str(stem);
                segmented.push('\n');
            }
            if options.copy_images {
                copy_image(image, &folder.join("JPEGImages").join(&image.name))?;
            }
        }
        let sets = folder.join("ImageSets");
        let name = format!("{subset}.txt");
        straylight_files::write_atomically(&sets.join("Main").join(&name), list.as_bytes())?;
        if !segmented.is_empty() {
            let path = sets.join("Segmentation").join(&name);
            straylight_files::write_atomically(&path, segmented.as_bytes())?;
        }
    }
    let path = folder.join("labelmap.txt");
    straylight_files::write_atomically(&path, writer.colors.label_map(set).as_bytes())?;
    Ok(())
}

struct Writer<'a> {
    folder: &'a Path,
    colors: Colors<'a>,
}

impl Writer<'_> {
    /// Writes the files of an image; whether it has pictures of classes and instances.
    fn image(&self, image: &AnnotatedImage, report: &mut WriteReport) -> Result<bool, FormatError> {
        let stem = stem(&image.name);
        let pictures = self.draw(image, &mut Losses::of(image, report));
        let path = self.folder.join("Annotations").join(format!("{stem}.xml"));
        let text = xml(image, pictures.is_some(), report);
        straylight_files::write_unsynced(&path, text.as_bytes())?;
        let Some((classes, instances)) = pictures else {
            return Ok(false);
        };
        let name = format!("{stem}.png");
        let path = self.folder.join("SegmentationClass").join(&name);
        classes.write(&path, &self.colors.palette)?;
        let path = self.folder.join("SegmentationObject").join(&name);
        instances.write(&path, &draw::palette())?;
        Ok(true)
    }

    /// The pictures of an image that has shapes with more than a box.
    fn draw(&self, image: &AnnotatedImage, losses: &mut Losses<'_>) -> Option<(Picture, Picture)> {
        let mut pictures = None;
        for (number, object) in numbered(image) {
            if !is_mask(&object.geometry) {
                continue;
            }
            let class = object
                .labels
                .first()
                .and_then(|label| self.colors.number(label));
            let (Some(number), Some(class)) = (number, class) else {
                losses.add(feature(&object.geometry), Became::Box);
                continue;
            };
            let empty = || Picture::new(image.width, image.height);
            let (classes, instances) = pictures.get_or_insert_with(|| (empty(), empty()));
            classes.draw(&object.geometry, class);
            let (pixels, taken) = instances.draw(&object.geometry, number);
            let outcome = if pixels == 0 {
                Became::Box
            } else {
                Became::Mask
            };
            if pixels == 0 || !matches!(object.geometry, Geometry::Mask(_)) {
                losses.add(feature(&object.geometry), outcome);
            }
            losses.add_some(Feature::Overlap, Became::LastObject, usize::from(taken > 0));
        }
        pictures
    }
}

/// The objects with their numbers in the XML file, from 1, as far as pictures hold them.
fn numbered(image: &AnnotatedImage) -> impl Iterator<Item = (Option<u8>, &Object)> {
    let mut next = 1;
    image.objects.iter().map(move |object| {
        let number = next;
        if bounds(object, image).is_some() {
            next += object.labels.len();
        }
        let number = u8::try_from(number).ok();
        (
            number.filter(|number| usize::from(*number) <= MOST_INSTANCES),
            object,
        )
    })
}

fn is_mask(geometry: &Geometry) -> bool {
    matches!(
        geometry,
        Geometry::Mask(_)
            | Geometry::Polygons(_)
            | Geometry::Shape(Shape::Polygon { .. } | Shape::Ellipse { .. })
    )
}

fn feature(geometry: &Geometry) -> Feature {
    match geometry {
        Geometry::Mask(_) => Feature::Mask,
        Geometry::Polygons(_) => Feature::Parts,
        Geometry::Shape(Shape::Ellipse { .. }) => Feature::Ellipse,
        _ => Feature::Polygon,
    }
}

/// The numbers and colours of labels in pictures.
struct Colors<'a> {
    numbers: HashMap<&'a str, u8>,
    palette: [[u8; 3]; 256],
    /// Whether there are pictures at all.
    needed: bool,
}

impl<'a> Colors<'a> {
    /// Labels have their own colours where these tell them apart, else those of the challenge.
    fn of(set: &'a AnnotatedSet) -> Self {
        // Nobody would know the colour of a label that the map cannot hold: it is not drawn.
        let names = set.label_names().zip(1..u8::MAX);
        let names = names.filter(|(name, _)| is_held(name));
        let objects = set.images.iter().flat_map(|image| &image.objects);
        Self {
            numbers: names.collect(),
            palette: palette(set),
            needed: objects.into_iter().any(|object| is_mask(&object.geometry)),
        }
    }

    fn number(&self, label: &str) -> Option<u8> {
        self.numbers.get(label).copied()
    }

    fn label_map(&self, set: &AnnotatedSet) -> String {
        let mut text = String::from("# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
        // A name that the map cannot hold is still read from the objects that have it.
        for label in set.labels.iter().filter(|label| is_held(&label.name)) {
            let number = self.number(&label.name).map(usize::from);
            let number = number.filter(|_| self.needed || label.color.is_some());
            let color = number.map(|number| self.palette[number].map(|level| level.to_string()));
            // Writing to a string cannot fail.
            let color = color.map(|color| color.join(",")).unwrap_or_default();
            let _ = writeln!(text, "{}:{color}::", label.name);
        }
        text
    }
}

/// Whether `labelmap.txt` can hold a name: other tools end it at the first colon.
fn is_held(name: &str) -> bool {
    !name.contains([':', '\n', '\r']) && !name.starts_with('#')
}

/// A colour for each number of a label, each but once, and none that stands for something else.
fn palette(set: &AnnotatedSet) -> [[u8; 3]; 256] {
    let mut palette = draw::palette();
    let mut taken = HashSet::from([palette[0], palette[255]]);
    let own = set
        .labels
        .iter()
        .map(|label| label.color.map(|color| color.rgb));
    let own: Vec<Option<[u8; 3]>> = own
        .map(|color| color.filter(|rgb| taken.insert(*rgb)))
        .collect();
    for (index, color) in own.into_iter().take(MOST_INSTANCES).enumerate() {
        let mut free = (index as u8 + 1..255).chain(1..255).map(colors::color);
        let color = color.or_else(|| free.find(|rgb| taken.insert(*rgb)));
        palette[index + 1] = color.unwrap_or(palette[index + 1]);
    }
    palette
}

fn set_losses(set: &AnnotatedSet, report: &mut WriteReport) {
    let count =
        |has: fn(&crate::ClassLabel) -> bool| set.labels.iter().filter(|label| has(label)).count();
    let parents = count(|label| label.parent.is_some());
    let skeletons = count(|label| label.skeleton.is_some());
    let mut losses = Losses::of_set(report);
    losses.add_some(Feature::Parent, Became::LeftOut, parents);
    losses.add_some(Feature::LabelSkeleton, Became::LeftOut, skeletons);
}

/// The box of an object; a label of the image has the whole image, a line none.
fn bounds(object: &Object, image: &AnnotatedImage) -> Option<[f64; 4]> {
    let whole = [0.0, 0.0, f64::from(image.width), f64::from(image.height)];
    match object.geometry {
        Geometry::Polyline(_) => None,
        Geometry::Image => Some(object.bounding_box().unwrap_or(whole)),
        _ => object.bounding_box(),
    }
}

fn xml(image: &AnnotatedImage, segmented: bool, report: &mut WriteReport) -> String {
    let AnnotatedImage { width, height, .. } = image;
    let segmented = u8::from(segmented);
    let file = image.name.rsplit('/').next().unwrap_or(&image.name);
    let mut text = format!(
        "<annotation>\n  <folder></folder>\n  <filename>{}</filename>\n  <size><width>{width}</width>\
         <height>{height}</height><depth>3</depth></size>\n  <segmented>{segmented}</segmented>\n",
        escaped(file)
    );
    let mut losses = Losses::of(image, report);
    losses.add_some(
        Feature::ImageAttribute,
        Became::LeftOut,
        image.attributes.len(),
    );
    for object in &image.objects {
        told(object, &mut losses);
        let Some(bounds) = bounds(object, image) else {
            continue;
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
        Geometry::Image => losses.add(Feature::ImageLabel, Became::Box),
        Geometry::Shape(Shape::Rectangle { .. }) | Geometry::Keypoints => {}
        Geometry::Shape(Shape::RotatedRectangle { .. }) => {
            losses.add(Feature::RotatedBox, Became::Box);
        }
        Geometry::Shape(Shape::Keypoint { .. }) => losses.add(Feature::Keypoint, Became::Box),
        // What became of masks is said where they are drawn.
        geometry if is_mask(geometry) => {}
        Geometry::Polyline(_) => losses.add(Feature::Polyline, Became::LeftOut),
        _ => {}
    }
    if !object.keypoints.is_empty() {
        losses.add(
            Feature::Skeleton,
            if object.geometry == Geometry::Keypoints {
                Became::Box
            } else {
                Became::LeftOut
            },
        );
    }
    if object.labels.len() > 1 && object.geometry != Geometry::Image {
        losses.add(Feature::SeveralLabels, Became::Objects);
    }
    losses.add_some(
        Feature::Crowd,
        Became::LeftOut,
        usize::from(object.flags.crowd),
    );
    losses.add_some(
        Feature::Group,
        Became::LeftOut,
        usize::from(object.group.is_some()),
    );
    losses.add_some(
        Feature::ZOrder,
        Became::LeftOut,
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
