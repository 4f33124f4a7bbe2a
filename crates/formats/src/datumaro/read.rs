use std::path::Path;

use serde::Deserialize;
use straylight_core::{Color, Shape};

use super::WANTED;
use crate::folder::{self, Gather};
use crate::json::{self, RawList};
use crate::mask::{self, Rle};
use crate::{AnnotatedImage, Format, FormatError, geometry};

#[derive(Deserialize)]
pub(super) struct File<'a> {
    categories: Categories,
    #[serde(borrow)]
    items: RawList<'a>,
}

#[derive(Deserialize)]
struct Categories {
    #[serde(default)]
    label: Labels,
    #[serde(default)]
    mask: Masks,
    #[serde(default)]
    points: Points,
}

#[derive(Default, Deserialize)]
struct Labels {
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    name: String,
    #[serde(default)]
    parent: String,
}

#[derive(Default, Deserialize)]
struct Masks {
    colormap: Vec<LabelColor>,
}

#[derive(Deserialize)]
struct LabelColor {
    label_id: usize,
    r: u8,
    g: u8,
    b: u8,
}

#[derive(Default, Deserialize)]
struct Points {
    items: Vec<Skeleton>,
}

#[derive(Deserialize)]
struct Skeleton {
    label_id: usize,
    labels: Vec<String>,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: String,
    #[serde(borrow, default)]
    annotations: RawList<'a>,
    image: Option<Image>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(default)]
    path: String,
    /// Height and width in pixels.
    size: Option<[u32; 2]>,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(rename = "type")]
    kind: String,
    label_id: Option<usize>,
    #[serde(default)]
    bbox: Vec<f64>,
    #[serde(default)]
    points: Vec<f64>,
    #[serde(default)]
    visibility: Vec<u8>,
    #[serde(default)]
    attributes: Attributes,
    rle: Option<Rle>,
    /// Entries of one group, unless it is 0, belong to one object.
    #[serde(default)]
    group: i64,
}

#[derive(Default, Deserialize)]
struct Attributes {
    rotation: Option<f64>,
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let mut found = false;
    for path in folder::with_extension(&gather.root.join("annotations"), "json")? {
        let place = gather.place(&path);
        match straylight_files::read_to_string(&path) {
            Ok(text) => found |= read_file(gather, &path, &place, &text),
            Err(error) => gather.problem(place, error),
        }
    }
    if found {
        return Ok(());
    }
    let folder = gather.root.to_owned();
    Err(FormatError::NothingFound {
        format: Format::Datumaro,
        folder,
        wanted: WANTED,
    })
}

fn read_file(gather: &mut Gather<'_>, path: &Path, place: &str, text: &str) -> bool {
    let file: File<'_> = match serde_json::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            gather.problem(place, error);
            return false;
        }
    };
    labels(gather, &file.categories);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    for (index, raw) in file.items.iter().enumerate() {
        let place = format!("{place}: items[{index}]");
        match json::entry::<Item<'_>>(raw) {
            Ok(item) => {
                read_item(
                    gather,
                    &item,
                    &file.categories,
                    folder::subset_named(&stem),
                    &place,
                );
            }
            Err(error) => gather.problem(place, error),
        }
    }
    true
}

fn labels(gather: &mut Gather<'_>, categories: &Categories) {
    for (id, label) in categories.label.labels.iter().enumerate() {
        gather.set.add_label(&label.name);
        let color = categories
            .mask
            .colormap
            .iter()
            .find(|color| color.label_id == id);
        let known = gather
            .set
            .labels
            .iter_mut()
            .find(|known| known.name == label.name);
        if let Some(known) = known {
            known.color = color
                .map(|c| Color::opaque([c.r, c.g, c.b]))
                .or(known.color);
            known.parent = Some(label.parent.clone()).filter(|name| !name.is_empty());
        }
    }
    let skeletons = categories
        .points
        .items
        .iter()
        .flat_map(|skeleton| &skeleton.labels);
    skeletons.for_each(|name| gather.set.add_label(name));
}

fn read_item(
    gather: &mut Gather<'_>,
    item: &Item<'_>,
    categories: &Categories,
    subset: Option<&str>,
    place: &str,
) {
    let Some(entry) = &item.image else {
        return gather.problem(place, format!("item `{}` is no image", item.id));
    };
    let name = if entry.path.is_empty() {
        &item.id
    } else {
        &entry.path
    };
    // Exporters keep the absolute path of the image's old home: its name must do then.
    let name = match Path::new(name).file_name() {
        Some(last) if Path::new(name).is_absolute() => last.to_string_lossy().into_owned(),
        _ => name.replace('\\', "/"),
    };
    let size = entry.size.map(|[height, width]| (width, height));
    let image = gather
        .find_image(&name, subset, place)
        .and_then(|path| gather.image(&path, &name, subset, size, place));
    let Some(mut image) = image else { return };
    for (index, raw) in item.annotations.iter().enumerate() {
        let added = json::entry::<Annotation>(raw)
            .and_then(|annotation| add(&mut image, &annotation, categories));
        if let Err(error) = added {
            gather.problem(format!("{place}.annotations[{index}]"), error);
        }
    }
    gather.set.images.push(image);
}

fn add(
    image: &mut AnnotatedImage,
    annotation: &Annotation,
    categories: &Categories,
) -> Result<(), String> {
    let id = annotation.label_id.ok_or("it has no label")?;
    let label = categories
        .label
        .labels
        .get(id)
        .ok_or(format!("there is no label of id {id}"))?;
    let shape = match annotation.kind.as_str() {
        "label" => Shape::whole_image(image.width, image.height),
        "bbox" => bbox(annotation)?,
        "polygon" => geometry::polygon(&annotation.points)?,
        "ellipse" => ellipse(&annotation.points)?,
        "points" => return add_points(image, annotation, categories, id, &label.name),
        "mask" => return add_mask(image, annotation, &label.name),
        other => return Err(format!("annotations of type `{other}` are not supported")),
    };
    put(image, shape, &label.name, annotation);
    Ok(())
}

fn put(image: &mut AnnotatedImage, shape: Shape, label: &str, annotation: &Annotation) {
    if annotation.group == 0 {
        image.add(shape, label);
    } else {
        image.add_to_same(shape, label);
    }
}

fn bbox(annotation: &Annotation) -> Result<Shape, String> {
    let upright = geometry::rectangle(&annotation.bbox)?;
    let Some(angle) = annotation.attributes.rotation else {
        return Ok(upright);
    };
    geometry::finite(&[angle])?;
    let Shape::Rectangle {
        x,
        y,
        width,
        height,
    } = upright
    else {
        return Ok(upright);
    };
    if angle == 0.0 {
        return Ok(upright);
    }
    let (x, y) = (x + width / 2.0, y + height / 2.0);
    Ok(Shape::RotatedRectangle {
        x,
        y,
        width,
        height,
        angle,
    })
}

/// Left, top, right and lower edge.
fn ellipse(points: &[f64]) -> Result<Shape, String> {
    let &[left, top, right, bottom] = points else {
        return Err(format!(
            "an ellipse needs 4 numbers, here are {}",
            points.len()
        ));
    };
    geometry::rectangle(&[left, top, right - left, bottom - top])?;
    Ok(Shape::Ellipse {
        x: left,
        y: top,
        width: right - left,
        height: bottom - top,
    })
}

fn add_points(
    image: &mut AnnotatedImage,
    annotation: &Annotation,
    categories: &Categories,
    id: usize,
    label: &str,
) -> Result<(), String> {
    geometry::finite(&annotation.points)?;
    if !annotation.points.len().is_multiple_of(2) {
        return Err("points need pairs of numbers".to_owned());
    }
    let skeleton = categories
        .points
        .items
        .iter()
        .find(|skeleton| skeleton.label_id == id);
    let count = annotation.points.len() / 2;
    let names = skeleton.filter(|skeleton| skeleton.labels.len() == count);
    for (index, point) in annotation.points.chunks_exact(2).enumerate() {
        let name = names.and_then(|skeleton| skeleton.labels.get(index));
        let visibility = annotation.visibility.get(index).copied().unwrap_or(2);
        if visibility > 0 {
            let shape = Shape::Keypoint {
                x: point[0],
                y: point[1],
                is_visible: visibility > 1,
            };
            put(image, shape, name.map_or(label, String::as_str), annotation);
        }
    }
    Ok(())
}

fn add_mask(
    image: &mut AnnotatedImage,
    annotation: &Annotation,
    label: &str,
) -> Result<(), String> {
    let rle = annotation.rle.as_ref().ok_or("the mask has no `rle`")?;
    for points in mask::outlines(rle, (image.width, image.height))? {
        put(image, Shape::Polygon { points }, label, annotation);
    }
    Ok(())
}
