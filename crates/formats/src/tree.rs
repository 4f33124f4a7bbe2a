//! A folder per label with its images, with or without a folder per subset above.
//!
//! `train`, `val`, `valid`, `validation` and `test` are subsets if every folder is one of them, or
//! if they have folders of labels; pictures in `ground_truth` beside them (`MVTec` AD) are masks and
//! passed over. Images that lie beside the folders have no label. A folder is taken for a tree by
//! itself only if nothing else in it tells what is on the images.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::find::has_image_name;
use crate::folder::{self, by_subset, copy_image, slashed, subset_of};
use crate::gather::{Gather, nothing};
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Became, Feature, Format, FormatError, Geometry, WriteOptions,
    WriteReport,
};

/// Folders of other layouts, which are no labels.
const PARTS: [&str; 14] = [
    "data",
    "images",
    "labels",
    "labeltxt",
    "masks",
    "annotations",
    "jpegimages",
    "imagesets",
    "image_2",
    "label_2",
    "instances",
    "obj_train_data",
    "obj_val_data",
    "obj_test_data",
];

/// Folders of pictures that are masks, beside the parts of a set (`MVTec` AD).
const MASKS: [&str; 4] = ["ground_truth", "masks", "mask", "segmentations"];

/// Extensions of files that say more about images than their folders do.
const TELLING: [&str; 14] = [
    "txt", "csv", "tsv", "json", "jsonl", "xml", "mat", "dat", "npy", "npz", "pkl", "yaml", "yml",
    "data",
];

/// Files that lie in trees and say nothing about single images.
const HARMLESS: [&str; 10] = [
    "readme",
    "license",
    "licence",
    "credits",
    "attribution",
    "classes",
    "class_names",
    "labels",
    "names",
    "notes",
];

const WANTED: &str = "a folder per label with images in it";

/// Whether the folder of a set is a tree: some folder has an image, and nothing else in it tells
/// what is on the images.
///
/// # Errors
///
/// [`FormatError::NoTree`] if there are folders of images, and files that tell more.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    let files = folder::files_below(root)?;
    let in_folder = |file: &&PathBuf| file.parent().is_some_and(|parent| parent != root);
    let mut inner = files.iter().filter(in_folder);
    if !inner.any(|file| folder::is_image(file)) {
        return Ok(false);
    }
    let telling = files.iter().find(|file| tells(root, file));
    let part = files.iter().find(|file| in_part(root, file));
    match telling.or(part) {
        Some(file) => Err(FormatError::NoTree {
            folder: root.to_owned(),
            file: slashed(file.strip_prefix(root).unwrap_or(file)),
        }),
        None => Ok(true),
    }
}

fn lower(name: Option<&OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().to_lowercase()
}

fn tells(root: &Path, file: &Path) -> bool {
    TELLING.contains(&&*lower(file.extension())) && !is_harmless(root, file)
}

/// Whether a file is a text about the tree.
fn is_harmless(root: &Path, file: &Path) -> bool {
    let stem = lower(file.file_stem());
    let beside_folders = file.parent() == Some(root);
    let is_text = matches!(&*lower(file.extension()), "txt" | "md" | "");
    is_text
        && HARMLESS
            .iter()
            .any(|name| stem == *name || (beside_folders && stem.starts_with(name)))
}

/// Whether a file lies in a folder that is part of another layout, where labels would stand.
fn in_part(root: &Path, file: &Path) -> bool {
    let below = file.strip_prefix(root).unwrap_or(file);
    let folders: Vec<String> = below
        .parent()
        .into_iter()
        .flatten()
        .map(|name| name.to_string_lossy().to_lowercase())
        .collect();
    let label = folders.iter().find(|name| !folder::is_split(name));
    label.is_some_and(|name| PARTS.contains(&&**name))
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let root = gather.root;
    let folders = folder::folders_in(root)?;
    if folders.is_empty() {
        return Err(nothing(gather, Format::DirectoryTree, WANTED));
    }
    let is_subset = |name: &String| name == folder::DEFAULT_SUBSET || folder::is_split(name);
    let is_masks = |name: &String| MASKS.contains(&&*name.to_lowercase());
    let only_subsets = folders.iter().all(|name| is_subset(name) || is_masks(name));
    // `train` may be a label like `bus`, but a label has no folders of labels.
    let parts = |name: &&String| is_subset(name) && (only_subsets || has_folders(&root.join(name)));
    let subsets: Vec<&String> = folders.iter().filter(parts).collect();
    if subsets.is_empty() {
        return read_labels(gather, root, None);
    }
    for name in folders.iter().filter(|name| !subsets.contains(name)) {
        beside_subsets(gather, name)?;
    }
    for subset in subsets {
        read_labels(gather, &root.join(subset), folder::subset_named(subset))?;
    }
    Ok(())
}

fn has_folders(folder: &Path) -> bool {
    folder::folders_in(folder).is_ok_and(|folders| !folders.is_empty())
}

/// A folder beside `train` and the like that is no part of the set.
fn beside_subsets(gather: &mut Gather<'_>, name: &str) -> Result<(), FormatError> {
    let files = folder::files_below(&gather.root.join(name))?;
    let images = files.iter().filter(|file| has_image_name(file)).count();
    if MASKS.contains(&&*name.to_lowercase()) {
        gather.note(name, format!("{images} pictures of masks are passed over"));
    } else if images > 0 {
        let text = format!("{images} images lie beside the parts of the set, in none of them");
        gather.problem(name, text);
    }
    Ok(())
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
        if is_harmless(base, &file) {
            continue;
        }
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
        Became::LeftOut,
        labels.len().saturating_sub(1),
    );
    if label.is_none() && !labels.is_empty() {
        losses.add(Feature::LabelName, Became::LeftOut);
    }
    let shapes = image
        .objects
        .iter()
        .filter(|object| object.geometry != Geometry::Image);
    losses.add_some(Feature::Box, Became::ImageLabel, shapes.count());
    label
}

fn is_folder_name(label: &str) -> bool {
    folder::is_inside(Path::new(label)) && !label.contains(['/', '\\']) && label != "."
}
