//! Finds the image that annotations mean, where tools put it.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::folder::{self, slashed};

/// Extensions of files that may be images.
const EXTENSIONS: [&str; 13] = [
    "jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "gif", "jfif", "jpe", "ppm", "heic", "avif",
];

/// Folders of images that tools put beside annotations.
const FOLDERS: [&str; 6] = ["images", "data", "JPEGImages", "image_2", "img", "Images"];

/// Folders of pictures that are annotations.
const MASKS: [&str; 3] = ["SegmentationClass", "SegmentationObject", "masks"];

/// The image files below the folder of a set.
pub(crate) struct ImageIndex {
    root: PathBuf,
    /// By name in lower case.
    by_name: HashMap<String, Vec<PathBuf>>,
    /// By name without extension in lower case.
    by_stem: HashMap<String, Vec<PathBuf>>,
    /// Where the images of the last subset and annotation file may be.
    places: Option<Places>,
}

/// Folders in which the images of a subset may be, for one folder of annotations.
struct Places {
    subset: Option<String>,
    near: PathBuf,
    all: Vec<PathBuf>,
    /// Those that are there.
    there: Vec<PathBuf>,
}

/// Whether a file's name is that of an image.
pub(crate) fn has_image_name(file: &Path) -> bool {
    let extension = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
}

/// Whether a picture is an annotation: its pixels are classes or objects.
fn is_annotation(below: &Path) -> bool {
    below.iter().any(|part| {
        let part = part.to_string_lossy();
        MASKS.contains(&&*part) || part.starts_with("panoptic_")
    })
}

impl ImageIndex {
    /// The files of a set whose names are those of images.
    pub(crate) fn of(root: &Path, files: &[PathBuf]) -> Self {
        let mut index = Self {
            root: root.to_owned(),
            by_name: HashMap::new(),
            by_stem: HashMap::new(),
            places: None,
        };
        for file in files {
            let below = file.strip_prefix(root).unwrap_or(file);
            if !has_image_name(file) || is_annotation(below) {
                continue;
            }
            let name = lower(file.file_name());
            let stem = lower(file.file_stem());
            index.by_name.entry(name).or_default().push(file.clone());
            index.by_stem.entry(stem).or_default().push(file.clone());
        }
        index
    }

    /// All images.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.by_name.values().flatten().cloned().collect();
        files.sort();
        files
    }

    /// The file of a name, or what is wrong with the name.
    ///
    /// `near` is the folder of the annotation file. In this order: the path as it is, in the
    /// folders where tools put images; the longest end of the path that only one file has,
    /// regardless of case; the name without extension, if only one file has it.
    pub(crate) fn find(
        &mut self,
        name: &str,
        subset: Option<&str>,
        near: &Path,
    ) -> Result<PathBuf, String> {
        self.prepare(subset, near);
        self.find_prepared(name, subset, near)
    }

    /// As [`Self::find`], after [`Self::prepare`] for this subset and folder.
    pub(crate) fn find_prepared(
        &self,
        name: &str,
        subset: Option<&str>,
        near: &Path,
    ) -> Result<PathBuf, String> {
        let name = plain(name);
        if name.trim().is_empty() {
            return Err("the image has no name".to_owned());
        }
        if let Some(file) = self.as_it_is(&name) {
            return Ok(file);
        }
        let name = name.trim();
        let last = Path::new(name).file_name();
        let same_name = self
            .by_name
            .get(&lower(last))
            .map_or(&[][..], Vec::as_slice);
        if let Some(file) = self.choose(same_name, name, subset, near)? {
            return Ok(file);
        }
        let stem = if has_image_name(Path::new(name)) {
            lower(Path::new(name).file_stem())
        } else {
            lower(last)
        };
        let same_stem = self.by_stem.get(&stem).map_or(&[][..], Vec::as_slice);
        let found = self.choose(same_stem, name, subset, near)?;
        found.ok_or_else(|| missing(name))
    }

    /// Finds out where the images of a subset may be, for a folder of annotations.
    pub(crate) fn prepare(&mut self, subset: Option<&str>, near: &Path) {
        let known = self.places.as_ref();
        if known.is_none_or(|known| known.subset.as_deref() != subset || known.near != near) {
            self.places = Some(self.places(subset, near));
        }
    }

    fn as_it_is(&self, name: &str) -> Option<PathBuf> {
        let places = self.places.as_ref()?;
        // `..` may lead out of a folder that is not there.
        let is_plain = folder::is_inside(Path::new(name));
        let folders = if is_plain { &places.there } else { &places.all };
        let mut paths = folders
            .iter()
            .filter_map(|folder| self.inside(&folder.join(name)));
        paths.find(|file| file.is_file())
    }

    fn places(&self, subset: Option<&str>, near: &Path) -> Places {
        let mut folders = Vec::new();
        if let Some(subset) = subset.filter(|subset| folder::is_inside(Path::new(subset))) {
            folders.extend(FOLDERS.map(|images| self.root.join(images).join(subset)));
            folders.push(self.root.join(subset));
            folders.extend(FOLDERS.map(|images| self.root.join(subset).join(images)));
        }
        folders.push(near.to_owned());
        folders.extend(FOLDERS.map(|images| near.join(images)));
        folders.extend(FOLDERS.map(|images| self.root.join(images)));
        folders.extend(FOLDERS.map(|images| self.root.join(images).join(folder::DEFAULT_SUBSET)));
        folders.push(self.root.clone());
        let there = folders.iter().filter(|folder| folder.is_dir());
        Places {
            subset: subset.map(str::to_owned),
            near: near.to_owned(),
            there: there.cloned().collect(),
            all: folders,
        }
    }

    /// A path without `..`, if it stays below the folder of the set.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let mut clean = Vec::new();
        for part in path.strip_prefix(&self.root).ok()?.components() {
            match part {
                Component::ParentDir => {
                    clean.pop()?;
                }
                Component::CurDir => {}
                part => clean.push(part),
            }
        }
        Some(self.root.join(clean.into_iter().collect::<PathBuf>()))
    }

    /// The file whose path ends as the name does in most parts; of equal ones the nearest.
    fn choose(
        &self,
        files: &[PathBuf],
        name: &str,
        subset: Option<&str>,
        near: &Path,
    ) -> Result<Option<PathBuf>, String> {
        if let [only] = files {
            return Ok(Some(only.clone()));
        }
        let rank = |file: &PathBuf| {
            let below = file.strip_prefix(&self.root).unwrap_or(file);
            let in_subset = subset.is_some_and(|subset| below.iter().any(|part| part == subset));
            (
                shared_end(file, name),
                in_subset,
                file.starts_with(near) && near != self.root,
            )
        };
        let Some(best) = files.iter().map(rank).max() else {
            return Ok(None);
        };
        let mut equal = files.iter().filter(|file| rank(file) == best);
        match (equal.next(), equal.next()) {
            (Some(first), Some(second)) => Err(format!(
                "`{name}` may be `{}` or `{}`; give the image a name of its own",
                self.place(first),
                self.place(second)
            )),
            (first, _) => Ok(first.cloned()),
        }
    }

    fn place(&self, file: &Path) -> String {
        slashed(file.strip_prefix(&self.root).unwrap_or(file))
    }

    /// The name of a file within the folder of images of its subset.
    pub(crate) fn name_of(&self, file: &Path, subset: Option<&str>) -> String {
        let below = file.strip_prefix(&self.root).unwrap_or(file);
        let mut parts: Vec<_> = below.iter().collect();
        let is_folder = |part: &OsStr| {
            FOLDERS.iter().any(|folder| part == *folder)
                || subset.is_some_and(|subset| part == subset)
        };
        while parts.len() > 1 && is_folder(parts[0]) {
            parts.remove(0);
        }
        slashed(&parts.iter().collect::<PathBuf>())
    }
}

/// A path with `/`; of an address only what stands for a file.
fn plain(name: &str) -> String {
    let path = match name.split_once("://") {
        Some((_, path)) => path.split(['?', '#']).next().unwrap_or(path),
        None => name,
    };
    path.replace('\\', "/")
}

fn lower(name: Option<&OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().to_lowercase()
}

fn missing(name: &str) -> String {
    if has_image_name(Path::new(name)) {
        format!("the image `{name}` is missing")
    } else {
        format!("an image called `{name}` is missing")
    }
}

/// How many parts at the end of two paths are the same, regardless of case and extension.
fn shared_end(file: &Path, name: &str) -> usize {
    let file = slashed(&file.with_extension("")).to_lowercase();
    let name = folder::stem(name).to_lowercase();
    let pairs = file.rsplit('/').zip(name.rsplit('/'));
    pairs.take_while(|(a, b)| a == b).count()
}
