//! Masks from the pictures of classes and instances.

use std::collections::BTreeMap;
use std::path::Path;

use super::colors;
use crate::folder::stem;
use crate::gather::Gather;
use crate::{Geometry, Mask, Object};

/// Pixels that belong to no class: borders between objects.
const BORDER: u32 = 0x00e0_e0c0;

/// Adds the masks of an image, if it has pictures of them. An object of the XML file gets the
/// mask of the instance of its place, if that is of its class.
pub(super) fn add(gather: &mut Gather<'_>, index: usize) {
    let image = &gather.set.images[index];
    let name = format!("{}.png", stem(&image.name));
    // They lie beside the folder of the images, which is below that of the set.
    let mut folders = image.file.ancestors().skip(1);
    let base = folders.find(|folder| folder.join("SegmentationClass").join(&name).is_file());
    let Some(base) = base.filter(|base| base.starts_with(gather.root)) else {
        return;
    };
    let picture = |folder: &str| base.join(folder).join(&name);
    let (classes, instances) = (picture("SegmentationClass"), picture("SegmentationObject"));
    let place = gather.place(&classes);
    let size = (
        gather.set.images[index].width,
        gather.set.images[index].height,
    );
    if let Err(message) = read(gather, index, &classes, &instances, size) {
        gather.lost(index, place, message);
    }
}

fn read(
    gather: &mut Gather<'_>,
    index: usize,
    classes: &Path,
    instances: &Path,
    size: (u32, u32),
) -> Result<(), String> {
    let class_values = values(classes, size)?;
    let labels = labels(gather);
    let of_class = |value: u32| labels.get(&value).cloned();
    gather.set.images[index].unannotated = false;
    if instances.is_file() {
        let values = values(instances, size)?;
        for (value, mask) in Mask::of_values(size.0, size.1, &values) {
            let rgb = [value >> 16, value >> 8, value].map(|level| level as u8);
            let Some(number) = colors::number(rgb).filter(|_| !is_empty(value)) else {
                continue;
            };
            let class = majority(&values, &class_values, value);
            match class.and_then(of_class) {
                Some(label) => put(gather, index, usize::from(number), mask, &label),
                None => return Err(unknown(class.unwrap_or(value))),
            }
        }
        return Ok(());
    }
    for (value, mask) in Mask::of_values(size.0, size.1, &class_values) {
        if !is_empty(value) {
            let label = of_class(value).ok_or_else(|| unknown(value))?;
            gather.set.add_label(&label);
            gather.set.images[index]
                .objects
                .push(Object::new(mask, label));
        }
    }
    Ok(())
}

fn put(gather: &mut Gather<'_>, index: usize, number: usize, mask: Mask, label: &str) {
    gather.set.add_label(label);
    let objects = &mut gather.set.images[index].objects;
    match objects.get_mut(number.wrapping_sub(1)) {
        Some(object)
            if object.labels == [label] && !matches!(object.geometry, Geometry::Mask(_)) =>
        {
            let bounds = object.bounding_box();
            object.geometry = mask.into();
            object.bounds =
                bounds.filter(|bounds| crate::geometry::differs(*bounds, &object.geometry));
        }
        _ => objects.push(Object::new(mask, label)),
    }
}

fn is_empty(value: u32) -> bool {
    value == 0 || value == BORDER
}

fn unknown(value: u32) -> String {
    format!("no label of labelmap.txt has the colour #{value:06x}")
}

/// The class that most pixels of an instance have.
fn majority(instances: &[u32], classes: &[u32], instance: u32) -> Option<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let pixels = instances.iter().zip(classes);
    for (_, class) in pixels.filter(|(value, class)| **value == instance && !is_empty(**class)) {
        *counts.entry(*class).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(class, _)| class)
}

/// Labels by colour: those of the label map, else those of the original challenge.
fn labels(gather: &Gather<'_>) -> BTreeMap<u32, String> {
    let number = |rgb: [u8; 3]| u32::from_be_bytes([0, rgb[0], rgb[1], rgb[2]]);
    let known = gather.set.labels.iter();
    let known = known.filter_map(|label| Some((number(label.color?.rgb), label.name.clone())));
    let known: BTreeMap<u32, String> = known.collect();
    if !known.is_empty() {
        return known;
    }
    let classes = colors::CLASSES.iter().zip(0..);
    classes
        .map(|(name, index)| (number(colors::color(index)), (*name).to_owned()))
        .collect()
}

/// The colours of a picture, row by row, as numbers.
fn values(file: &Path, size: (u32, u32)) -> Result<Vec<u32>, String> {
    let bytes = straylight_files::read(file).map_err(|error| error.to_string())?;
    let (pixels, _) = straylight_image::decode(&bytes).map_err(|error| error.to_string())?;
    if (pixels.width(), pixels.height()) != size {
        let (w, h) = (pixels.width(), pixels.height());
        return Err(format!(
            "the picture has {w} x {h} pixels, the image {} x {}",
            size.0, size.1
        ));
    }
    let number = |rgb: &[u8]| u32::from_be_bytes([0, rgb[0], rgb[1], rgb[2]]);
    Ok(pixels.data().chunks_exact(3).map(number).collect())
}
