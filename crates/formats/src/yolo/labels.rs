//! Which images a YOLO set has, and which label file belongs to each.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::is_label_file;
use super::layout::Layout;
use crate::FormatError;
use crate::find::has_image_name;
use crate::folder;
use crate::gather::Gather;

/// Folders of label files beside `images`: Ultralytics' own, and what others call it.
const LABELS: [&str; 6] = [
    "labels",
    "Labels",
    "LABELS",
    "labelTxt",
    "Annotations",
    "annotations",
];

/// An image with its place in the set and its label file.
pub(super) struct Labelled {
    pub(super) file: PathBuf,
    pub(super) subset: String,
    pub(super) name: String,
    pub(super) labels: Option<PathBuf>,
}

/// The images below `images/` folders, and those with a label file; without such folders all
/// images.
pub(super) fn labelled_images(
    gather: &mut Gather<'_>,
    layout: &Layout,
) -> Result<Vec<Labelled>, FormatError> {
    let root = gather.root;
    let mut files = gather.files()?.to_vec();
    files.retain(|file| {
        has_image_name(file) || (file.extension().is_none() && folder::is_image(file))
    });
    let labelled = |file: PathBuf| {
        let (subset, name) = layout.subset_and_name(root, &file);
        let labels = label_file(root, &file, &subset, &name);
        Labelled {
            file,
            subset,
            name,
            labels,
        }
    };
    let mut images: Vec<Labelled> = files.into_iter().map(labelled).collect();
    by_stem(&mut images, &gather.with_extension("txt")?);
    if images.iter().any(|image| in_images(root, &image.file)) {
        let all = images.len();
        images.retain(|image| image.labels.is_some() || in_images(root, &image.file));
        let others = all - images.len();
        if others > 0 {
            let text =
                format!("{others} images outside of `images` and without labels are passed over");
            gather.note(".", text);
        }
    }
    Ok(images)
}

fn in_images(root: &Path, file: &Path) -> bool {
    let below = file.strip_prefix(root).unwrap_or(file);
    let folder = below.parent().unwrap_or(Path::new(""));
    !below.starts_with("labels") && folder.iter().any(is_images)
}

fn is_images(part: &OsStr) -> bool {
    part.eq_ignore_ascii_case("images")
}

/// The label file of an image: where Ultralytics looks, beside it, or in `labels/`.
fn label_file(root: &Path, file: &Path, subset: &str, name: &str) -> Option<PathBuf> {
    let text = format!("{}.txt", folder::stem(name));
    let mut places = Vec::new();
    let below: Vec<_> = file.strip_prefix(root).unwrap_or(file).iter().collect();
    if let Some(last) = below.iter().rposition(|part| is_images(part)) {
        for labels in LABELS {
            let mut parts = below.clone();
            parts[last] = OsStr::new(labels);
            let path: PathBuf = parts.iter().collect();
            places.push(root.join(path).with_extension("txt"));
        }
    }
    places.extend([
        file.with_extension("txt"),
        root.join("labels").join(subset).join(&text),
        root.join(subset).join("labels").join(&text),
        root.join("labels").join(&text),
    ]);
    places.into_iter().find(|file| file.is_file())
}

/// Gives each image without a label file the one of its stem that no other image has, whatever its
/// folder is called, if no other image could be meant.
fn by_stem(images: &mut [Labelled], texts: &[PathBuf]) {
    let mut without: HashMap<String, Vec<&mut Labelled>> = HashMap::new();
    let mut used = HashSet::new();
    for image in images {
        match &image.labels {
            Some(labels) => {
                used.insert(labels.clone());
            }
            None => without.entry(stem(&image.file)).or_default().push(image),
        }
    }
    let mut left: HashMap<String, Vec<&PathBuf>> = HashMap::new();
    for text in texts.iter().filter(|text| !used.contains(*text)) {
        left.entry(stem(text)).or_default().push(text);
    }
    for (stem, images) in &mut without {
        let left = left.get(stem).map(Vec::as_slice).unwrap_or_default();
        let is_only = images.len() == 1 && left.len() == 1;
        for image in images {
            // The extension may be in capitals.
            let beside = |text: &&&PathBuf| text.parent() == image.file.parent();
            let found = left.iter().find(|text| is_only || beside(text));
            image.labels = found
                .filter(|text| is_label_file(text))
                .map(|text| (*text).clone());
        }
    }
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    stem.to_string_lossy().to_lowercase()
}
