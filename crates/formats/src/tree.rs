//! A folder per label with its images, with or without a folder per subset above.
//!
//! `train`, `val`, `valid`, `validation` and `test` are subsets if every folder is one of them.
//! Images that lie beside the folders have no label.

use std::path::Path;

use crate::folder::{self, Gather, by_subset, copy_image, slashed, subset_of};
use crate::{AnnotatedSet, Format, FormatError, WriteOptions, WriteReport};
use straylight_core::Shape;

const SUBSETS: [&str; 6] = [
    "train",
    "val",
    "valid",
    "validation",
    "test",
    folder::DEFAULT_SUBSET,
];
const WANTED: &str = "a folder per label with images in it";

/// Whether some folder has an image.
pub(crate) fn fits(root: &Path) -> Result<bool, FormatError> {
    for name in folder::folders_in(root)? {
        if folder::files_below(&root.join(name))?
            .iter()
            .any(|file| folder::is_image(file))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let root = gather.root;
    let folders = folder::folders_in(root)?;
    if folders.is_empty() {
        let folder = root.to_owned();
        return Err(FormatError::NothingFound {
            format: Format::DirectoryTree,
            folder,
            wanted: WANTED,
        });
    }
    if folders.iter().all(|name| SUBSETS.contains(&name.as_str())) {
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
        let Some(mut image) = gather.image(&file, &name, subset, None, &place) else {
            continue;
        };
        if let Some((label, _)) = name.split_once('/') {
            image.add(Shape::whole_image(image.width, image.height), label);
        }
        gather.set.images.push(image);
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
        let labels: Vec<&String> = image
            .objects
            .iter()
            .flat_map(|object| &object.labels)
            .collect();
        let label = labels
            .first()
            .copied()
            .filter(|label| is_folder_name(label));
        if labels.len() > 1 {
            report.loss(image, "of several labels only the first was kept");
        }
        if label.is_none() && !labels.is_empty() {
            report.loss(image, "its label cannot be the name of a folder");
        }
        let whole = |shape: &Shape| shape.is_whole_image(image.width, image.height);
        if image.objects.iter().any(|object| !whole(&object.shape)) {
            report.loss(image, "shapes became labels of the whole image");
        }
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

fn is_folder_name(label: &str) -> bool {
    folder::is_inside(Path::new(label)) && !label.contains(['/', '\\']) && label != "."
}
