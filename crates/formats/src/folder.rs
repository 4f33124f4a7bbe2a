//! What every reader and writer does with folders and image files.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use straylight_files::FileError;
use straylight_image::sniff;

use crate::{AnnotatedImage, AnnotatedSet, FormatError};

/// Whether a relative path stays below where it begins.
pub(crate) fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        && path.components().next().is_some()
}

/// A path with `/` between its parts on every system.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// Files and folders that belong to an operating system or a tool, not to a set.
fn is_foreign(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || ["Thumbs.db", "desktop.ini", "__MACOSX"].contains(&&*name)
}

/// All files below a folder in the order of their paths, without hidden ones; links to folders
/// are not followed.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    Ok(files)
}

/// Names in order, one folder after the other, are paths in order.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let named = entries(folder)?
        .into_iter()
        .map(|entry| (entry.file_name(), entry));
    let mut named: Vec<_> = named.filter(|(name, _)| !is_foreign(name)).collect();
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, entry) in named {
        let path = folder.join(name);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&path, files)?,
            // Only a link needs another look.
            Ok(kind) if kind.is_file() || path.is_file() => files.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// The entries of one folder; none if there is no such folder.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, FileError> {
    let failed = |error| FileError::new("list the folder", folder, error);
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(failed),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

/// The names of the folders in a folder, sorted.
pub(crate) fn folders_in(folder: &Path) -> Result<Vec<String>, FileError> {
    let is_folder = |entry: &fs::DirEntry| entry.path().is_dir() && !is_foreign(&entry.file_name());
    let names = entries(folder)?.into_iter().filter(is_folder);
    let mut names: Vec<String> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// The files in a folder, without those of an operating system or a tool.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let is_file = |entry: &fs::DirEntry| entry.path().is_file() && !is_foreign(&entry.file_name());
    let files = entries(folder)?.into_iter().filter(is_file);
    Ok(files.map(|entry| entry.path()).collect())
}

/// The files below a folder whose names end in `.extension`, in any case.
pub(crate) fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, FileError> {
    let mut files = files_below(folder)?;
    files.retain(|file| has_extension(file, extension));
    Ok(files)
}

/// Whether a file's name ends in `.extension`, in any case.
pub(crate) fn has_extension(file: &Path, extension: &str) -> bool {
    let end = file.extension();
    end.is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

/// Whether the beginning of a file is that of an image, whatever its name.
pub(crate) fn is_image(file: &Path) -> bool {
    let mut start = [0; 12];
    let read = fs::File::open(file).and_then(|mut file| std::io::Read::read(&mut file, &mut start));
    read.is_ok_and(|count| sniff(&start[..count]).is_some())
}

/// A name without its last extension.
pub(crate) fn stem(name: &str) -> &str {
    let path = Path::new(name);
    match path.extension().and_then(OsStr::to_str) {
        Some(extension) => &name[..name.len() - extension.len() - 1],
        None => name,
    }
}

/// The folder of the set that an annotation file belongs to.
pub(crate) fn of_file(file: &Path) -> &Path {
    let parent = file
        .parent()
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = parent
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let is_inner = ["annotations", "labels", "label"].contains(&&*name);
    match parent
        .parent()
        .filter(|above| is_inner && !above.as_os_str().is_empty())
    {
        Some(above) => above,
        None => parent,
    }
}

/// Whether a name is one that tools give to a part of a set.
pub(crate) fn is_split(name: &str) -> bool {
    const SPLITS: [&str; 9] = [
        "train",
        "val",
        "valid",
        "validation",
        "test",
        "training",
        "testing",
        "trainval",
        "dev",
    ];
    let name = name.to_lowercase();
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
    SPLITS.contains(&plain)
}

/// The folder of a subset that has no name.
pub(crate) const DEFAULT_SUBSET: &str = "default";

/// The name of an image's subset for folders and files.
pub(crate) fn subset_of(image: &AnnotatedImage) -> &str {
    image.subset.as_deref().unwrap_or(DEFAULT_SUBSET)
}

/// The subset that a folder or file name stands for.
pub(crate) fn subset_named(name: &str) -> Option<&str> {
    Some(name).filter(|name| *name != DEFAULT_SUBSET && !name.is_empty())
}

/// Images by subset, each in the set's order, subsets sorted by name.
pub(crate) fn by_subset(set: &AnnotatedSet) -> Vec<(&str, Vec<&AnnotatedImage>)> {
    let mut names: Vec<&str> = set.images.iter().map(subset_of).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        set.images
            .iter()
            .filter(|image| subset_of(image) == name)
            .collect()
    };
    names.into_iter().map(|name| (name, of(name))).collect()
}

/// Copies an image file to a place below the output folder.
pub(crate) fn copy_image(image: &AnnotatedImage, to: &Path) -> Result<(), FormatError> {
    let bytes = straylight_files::read(&image.file)?;
    straylight_files::write_unsynced(to, &bytes)?;
    Ok(())
}

/// What must differ between two images that are written to one folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    /// The names of one subset.
    Names,
    /// The names of one subset without extension.
    Stems,
    /// The names of all subsets without extension.
    StemsOfAll,
}

/// Checks that a set can be written to a folder: it is empty unless the set is added to what is
/// there, names stay inside, and no two images share a place.
pub(crate) fn prepare(
    set: &AnnotatedSet,
    folder: &Path,
    unique: Unique,
    merge: bool,
) -> Result<(), FormatError> {
    if !merge && !entries(folder)?.is_empty() {
        return Err(FormatError::NotEmpty {
            folder: folder.to_owned(),
        });
    }
    let mut seen = HashSet::new();
    for image in &set.images {
        let name = image.name.clone();
        let subset = subset_of(image);
        if !is_inside(Path::new(&name)) || !is_inside(Path::new(subset)) {
            return Err(FormatError::BadName {
                name,
                subset: subset.to_owned(),
            });
        }
        let key = match unique {
            Unique::Names => (subset, image.name.as_str()),
            Unique::Stems => (subset, stem(&image.name)),
            Unique::StemsOfAll => ("", stem(&image.name)),
        };
        if !seen.insert(key) {
            return Err(FormatError::SameName {
                name,
                subset: subset.to_owned(),
            });
        }
    }
    straylight_files::create_folder(folder)?;
    Ok(())
}
