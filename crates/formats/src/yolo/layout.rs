//! Where a YOLO set has its images, and to which part of the set each belongs.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::names::Description;
use crate::folder::{self, slashed};
use crate::gather::Gather;

/// Images with their parts and names.
pub(super) struct Layout {
    /// From folders to subsets, the longest first.
    folders: Vec<(PathBuf, String)>,
    /// From images in lists to subsets, by the last two parts of their paths.
    listed: HashMap<String, String>,
}

impl Layout {
    /// As the YAML file says.
    pub(super) fn of(gather: &mut Gather<'_>, description: &Description) -> Self {
        let mut layout = Self {
            folders: Vec::new(),
            listed: HashMap::new(),
        };
        let base = description.file.parent().unwrap_or(gather.root).to_owned();
        for (path, subset) in &description.parts {
            let Some(found) = resolve(gather.root, &base, path) else {
                continue;
            };
            if found.is_dir() {
                layout.folders.push((found, subset.clone()));
            } else {
                layout.list(gather, &found, subset);
            }
        }
        layout.forget_shared();
        layout
    }

    fn list(&mut self, gather: &mut Gather<'_>, file: &Path, subset: &str) {
        let Some(text) = gather.text(file) else {
            return;
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.listed.insert(
                last_two(Path::new(&line.replace('\\', "/"))),
                subset.to_owned(),
            );
        }
    }

    /// A folder of two parts tells nothing about its images.
    fn forget_shared(&mut self) {
        let mut seen = HashSet::new();
        let shared: HashSet<PathBuf> = self
            .folders
            .iter()
            .filter(|(path, _)| !seen.insert(path.clone()))
            .map(|(path, _)| path.clone())
            .collect();
        self.folders.retain(|(path, _)| !shared.contains(path));
        self.folders
            .sort_by_key(|(path, _)| std::cmp::Reverse(path.components().count()));
    }

    /// The subset of an image, and its name within.
    pub(super) fn subset_and_name(&self, root: &Path, file: &Path) -> (String, String) {
        let (by_folder, name) = by_folders(root, file);
        if let Some(subset) = self.listed.get(&last_two(file)) {
            return (subset.clone(), name);
        }
        match self
            .folders
            .iter()
            .find(|(folder, _)| file.starts_with(folder))
        {
            Some((folder, subset)) => {
                let below = file.strip_prefix(folder).unwrap_or(file);
                let below = below.strip_prefix("images").unwrap_or(below);
                // The folder's own name tells more if it is one: `valid` for `val`.
                let subset = if folder::is_split(&by_folder) {
                    by_folder
                } else {
                    subset.clone()
                };
                (subset, slashed(below))
            }
            None => (by_folder, name),
        }
    }
}

/// The last two parts of a path: images of different folders may have one name.
fn last_two(path: &Path) -> String {
    let parts: Vec<_> = path.iter().collect();
    slashed(
        &parts[parts.len().saturating_sub(2)..]
            .iter()
            .collect::<PathBuf>(),
    )
}

/// The longest end of a path that is below the folder of the set.
pub(super) fn resolve(root: &Path, base: &Path, path: &str) -> Option<PathBuf> {
    let plain: PathBuf = Path::new(path)
        .components()
        .filter(|part| matches!(part, std::path::Component::Normal(_)))
        .collect();
    let parts: Vec<_> = plain.iter().collect();
    (0..parts.len()).find_map(|from| {
        let end: PathBuf = parts[from..].iter().collect();
        [base.join(&end), root.join(&end)]
            .into_iter()
            .find(|path| path.exists())
    })
}

/// `images/train/a/b.jpg` and `train/images/a/b.jpg` are `a/b.jpg` of `train`.
fn by_folders(root: &Path, file: &Path) -> (String, String) {
    let below = slashed(file.strip_prefix(root).unwrap_or(file));
    let split = |path: &str| {
        let (subset, name) = path.split_once('/').unwrap_or(("", path));
        (subset.to_owned(), name.to_owned())
    };
    let images = below.split_once('/');
    if let Some((_, rest)) = images.filter(|(first, _)| first.eq_ignore_ascii_case("images")) {
        return split(rest);
    }
    if let Some((subset, name)) = below.split_once("/images/") {
        return (subset.to_owned(), name.to_owned());
    }
    // The older layout: obj_train_data/a.jpg beside obj_train_data/a.txt.
    match below
        .strip_prefix("obj_")
        .and_then(|rest| rest.split_once("_data/"))
    {
        Some((subset, name)) => (subset.to_owned(), name.to_owned()),
        None => match below.split_once('/') {
            Some((subset, name)) if folder::is_split(subset) => {
                (subset.to_owned(), name.to_owned())
            }
            _ => (String::new(), below),
        },
    }
}
