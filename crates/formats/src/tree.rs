//! A folder per label with its images, with or without a folder per subset above.
//!
//! `train`, `val`, `valid`, `validation` and `test` are subsets if every folder is one of them.
//! Images that lie beside the folders have no label.

use std::path::Path;

use crate::folder::{self, by_subset, copy_image, slashed, subset_of};
use crate::gather::{Gather, nothing};
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Feature, Format, FormatError, Geometry, Outcome, WriteOptions,
    WriteReport,
};

/// Folders of other layouts, which are no labels.
const PARTS: [&str; 6] = [
    "images",
    "labels",
    "masks",
    "annotations",
    "jpegimages",
    "imagesets",
];

const WANTED: &str = "a folder per label with images in it";

/// Whether some folder has an image.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    let folders = folder::folders_in(root)?;
    let is_part = |name: &String| PARTS.contains(&&*name.to_lowercase());
    if folders.iter().any(is_part) {
        return Ok(false);
    }
    for name in folders {
        let files = folder::files_below(&root.join(name))?;
        if files.iter().any(|file| folder::is_image(file)) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let root = gather.root;
    let folders = folder::folders_in(root)?;
    if folders.is_empty() {
        return Err(nothing(gather, Format::DirectoryTree, WANTED));
    }
    let is_subset = |name: &String| name == folder::DEFAULT_SUBSET || folder::is_split(name);
    if folders.iter().all(is_subset) {
        for subset in &folders {
            read_labels(gather, &root.join(subset), folder::subset_named(subset))?;
        }
        return Ok(());
    }
    read_labels(gather, root, None)
}

fn read_labels(
    gather: &mut Gather<'_>,
    base: &Path,
    subset: Option<&str>,
) -> Result<(), FormatError> {
    folder::folders_in(base)?
        .iter()
        .for_each(|label| gather.set.add_label(label));
    for file in folder::files_below(base)? {
        let place = gather.place(&file);
        let name = slashed(file.strip_prefix(base).unwrap_or(&file));
        let Some(index) = gather.image(&file, &name, subset, None, &place) else {
            continue;
        };
        let image = &mut gather.set.images[index];
        match name.split_once('/') {
            Some((label, _)) => image.add_image_label(label),
            None => image.unannotated = true,
        }
    }
    Ok(())
}

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    let subsets = by_subset(set);
    let parted = subsets
        .iter()
        .any(|(name, _)| *name != folder::DEFAULT_SUBSET);
    for image in &set.images {
        let base = if parted {
            folder.join(subset_of(image))
        } else {
            folder.to_owned()
        };
        let label = told(image, &mut Losses::of(image, report));
        // A name that begins with the label's folder already came from such a tree.
        let path = match label {
            Some(label) if !image.name.starts_with(&format!("{label}/")) => {
                base.join(label).join(&image.name)
            }
            _ => base.join(&image.name),
        };
        if options.copy_images {
            copy_image(image, &path)?;
        }
    }
    Ok(())
}

/// The label whose folder an image goes into; says what is lost.
fn told<'a>(image: &'a AnnotatedImage, losses: &mut Losses<'_>) -> Option<&'a String> {
    let mut labels: Vec<&String> = image
        .objects
        .iter()
        .flat_map(|object| &object.labels)
        .collect();
    labels.dedup();
    let label = labels
        .first()
        .copied()
        .filter(|label| is_folder_name(label));
    losses.add_some(
        Feature::SeveralLabels,
        Outcome::LeftOut,
        labels.len().saturating_sub(1),
    );
    if label.is_none() && !labels.is_empty() {
        losses.add(Feature::LabelName, Outcome::LeftOut);
    }
    let shapes = image
        .objects
        .iter()
        .filter(|object| object.geometry != Geometry::Image);
    losses.add_some(Feature::Box, Outcome::ImageLabel, shapes.count());
    label
}

fn is_folder_name(label: &str) -> bool {
    folder::is_inside(Path::new(label)) && !label.contains(['/', '\\']) && label != "."
}
