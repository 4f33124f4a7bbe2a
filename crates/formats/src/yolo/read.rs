use std::collections::HashSet;
use std::path::{Path, PathBuf};

use straylight_core::Shape;

use super::labels::labelled_images;
use super::layout::Layout;
use super::names::{self, Description};
use super::{WANTED, line};
use crate::folder::{self, slashed};
use crate::gather::{Gather, nothing};
use crate::{Format, FormatError, Geometry, Skeleton, geometry};

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let description = match gather.only {
        Some(file) => Some(names::read(file)?),
        None => names::find(gather.files()?)?,
    };
    let Some(description) = description else {
        return Err(nothing(gather, Format::Yolo, WANTED));
    };
    labels(gather, &description);
    let layout = Layout::of(gather, &description);
    let images = labelled_images(gather, &layout)?;
    gather.read_ahead(images.iter().map(|image| image.file.as_path()));
    for image in &images {
        let place = gather.place(&image.file);
        let subset = folder::subset_named(&image.subset);
        let index = gather.image(&image.file, &image.name, subset, None, &place);
        if let (Some(index), Some(labels)) = (index, &image.labels) {
            read_labels(gather, index, labels, &description);
        } else if let Some(index) = index {
            gather.set.images[index].unannotated = true;
        }
    }
    if !images.is_empty() && images.iter().all(|image| image.labels.is_none()) {
        let text = format!(
            "no label file belongs to any of {} images: they are taken for images that nobody has \
             annotated",
            images.len()
        );
        gather.note(".", text);
    }
    let used = images.into_iter().filter_map(|image| image.labels);
    without_images(gather, &used.collect())?;
    turned_boxes(gather);
    Ok(())
}

fn labels(gather: &mut Gather<'_>, description: &Description) {
    if let Some(count) = description
        .count
        .filter(|count| *count != description.names.len())
    {
        let place = gather.place(&description.file);
        let text = format!(
            "`nc` is {count}, and `names` has {}",
            description.names.len()
        );
        gather.note(place, text);
    }
    if description.unnamed {
        let place = gather.place(&description.file);
        gather.note(
            place,
            "it has no `names`; classes are called class_0, class_1 and so on",
        );
    }
    let named = description.names.iter().filter(|name| !name.is_empty());
    for name in named {
        let label = gather.set.label_mut(name);
        if let Some((count, _)) = description.keypoints {
            let points = (0..count).map(|index| {
                let name = description.point_names.get(index).cloned();
                name.unwrap_or_else(|| (index + 1).to_string())
            });
            label.skeleton = Some(Skeleton {
                points: points.collect(),
                edges: Vec::new(),
                mirror: description.mirror.clone(),
            });
        }
    }
}

/// Label files that belong to no image.
fn without_images(gather: &mut Gather<'_>, used: &HashSet<PathBuf>) -> Result<(), FormatError> {
    for file in gather.with_extension("txt")? {
        let below = slashed(file.strip_prefix(gather.root).unwrap_or(&file));
        let is_label = below.starts_with("labels/") || below.contains("/labels/");
        if is_label && !used.contains(&file) && !below.ends_with("classes.txt") {
            gather.problem(below, "no image has its name");
        }
    }
    Ok(())
}

fn read_labels(gather: &mut Gather<'_>, index: usize, file: &Path, description: &Description) {
    let Some(text) = gather.text(file) else {
        return gather.mark_incomplete(index);
    };
    let place = gather.place(file);
    let size = (
        gather.set.images[index].width,
        gather.set.images[index].height,
    );
    let mut lines: Vec<&str> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line::is_head(line) {
            continue;
        }
        let place = || format!("{place}: line {}", number + 1);
        match line::read(line, description, size) {
            Ok(object) => {
                if lines.contains(&line) {
                    gather.note(place(), "it repeats an earlier line");
                }
                lines.push(line);
                gather.set.images[index].objects.push(object);
            }
            Err(message) => gather.lost(index, place(), message),
        }
    }
}

/// Where every object of a set is a rectangle given by its four corners, all are turned boxes.
fn turned_boxes(gather: &mut Gather<'_>) {
    let objects = || gather.set.images.iter().flat_map(|image| &image.objects);
    let turned: Option<Vec<Shape>> = objects()
        .map(|object| turned_of(&object.geometry))
        .collect();
    let Some(turned) = turned else { return };
    let objects = gather
        .set
        .images
        .iter_mut()
        .flat_map(|image| &mut image.objects);
    for (object, shape) in objects.zip(turned) {
        object.geometry = shape.into();
    }
}

fn turned_of(geometry: &Geometry) -> Option<Shape> {
    match geometry {
        Geometry::Shape(Shape::Polygon { points }) => geometry::turned_box(points),
        _ => None,
    }
}
