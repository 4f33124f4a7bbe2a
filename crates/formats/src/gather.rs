//! What every reader does: gathers images, objects and problems.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use straylight_files::FileError;
use straylight_image::{ImageInfo, Orientation, probe};

use crate::find::ImageIndex;
use crate::folder::{self, has_extension, slashed};
use crate::{
    AnnotatedImage, AnnotatedSet, FormatError, ImageCheck, Problem, ReadOptions, ReadReport, turn,
};

/// How a JPEG file begins.
const JPEG: [u8; 2] = [0xff, 0xd8];

/// Bytes in which JPEG files have their size and orientation: nearly all, and most of the rest.
const HEADS: [u64; 2] = [4 * 1024, 128 * 1024];

/// Gathers a set while its files are read.
pub(crate) struct Gather<'a> {
    /// The folder of the set.
    pub(crate) root: &'a Path,
    /// The one annotation file that was named, if it was one.
    pub(crate) only: Option<&'a Path>,
    options: &'a ReadOptions,
    pub(crate) set: AnnotatedSet,
    problems: Vec<Problem>,
    notes: Vec<Problem>,
    /// Places of images in the set by subset and name.
    known: HashMap<(Option<String>, String), usize>,
    files: Option<Vec<PathBuf>>,
    index: Option<ImageIndex>,
    /// What headers say that were read ahead.
    headers: HashMap<PathBuf, Result<ImageInfo, String>>,
    /// Images that lack objects which could not be read.
    incomplete: BTreeSet<usize>,
    /// Images whose annotations are for the stored pixels.
    turned: Vec<(usize, Orientation)>,
}

/// An image file with the name that it gets, or what is wrong with what it is called.
pub(crate) type Looked = Result<(PathBuf, String), String>;

/// Size of an image, and how its annotations must be turned.
type Size = (u32, u32, Orientation);

impl<'a> Gather<'a> {
    pub(crate) fn new(root: &'a Path, only: Option<&'a Path>, options: &'a ReadOptions) -> Self {
        Self {
            root,
            only,
            options,
            set: AnnotatedSet::default(),
            problems: Vec::new(),
            notes: Vec::new(),
            known: HashMap::new(),
            files: None,
            index: None,
            headers: HashMap::new(),
            incomplete: BTreeSet::new(),
            turned: Vec::new(),
        }
    }

    pub(crate) fn report(mut self) -> ReadReport {
        for index in std::mem::take(&mut self.incomplete) {
            let image = &mut self.set.images[index];
            // Nobody said that nothing is on it.
            image.unannotated |= image.objects.is_empty();
        }
        for (index, orientation) in std::mem::take(&mut self.turned) {
            turn::turn(&mut self.set.images[index], orientation);
        }
        ReadReport {
            set: self.set,
            problems: self.problems,
            notes: self.notes,
        }
    }

    /// Something that was left out.
    pub(crate) fn problem(&mut self, place: impl Into<String>, message: impl Display) {
        self.problems.push(Problem::new(place, message));
    }

    /// An object of an image that was left out.
    pub(crate) fn lost(&mut self, index: usize, place: impl Into<String>, message: impl Display) {
        self.mark_incomplete(index);
        self.problem(place, message);
    }

    /// Notes that an image lacks what could not be read.
    pub(crate) fn mark_incomplete(&mut self, index: usize) {
        self.incomplete.insert(index);
    }

    /// Takes the images for not annotated if none of them has an object: tools list images that
    /// nobody looked at in the same way as images on which nothing is.
    pub(crate) fn none_is_annotated(&mut self) {
        let mut images = self.set.images.iter();
        if self.set.images.is_empty() || images.any(|image| !image.objects.is_empty()) {
            return;
        }
        for image in &mut self.set.images {
            image.unannotated = true;
        }
        let count = self.set.images.len();
        let text = format!(
            "no object is on any of {count} images: they are taken for images that nobody has annotated"
        );
        self.note(".", text);
    }

    /// Something that was passed over or changed, and is no mistake.
    pub(crate) fn note(&mut self, place: impl Into<String>, message: impl Display) {
        self.notes.push(Problem::new(place, message));
    }

    /// A path for messages: relative to the set's folder, with `/`.
    pub(crate) fn place(&self, path: &Path) -> String {
        slashed(path.strip_prefix(self.root).unwrap_or(path))
    }

    /// Where an image that is known already stands in the set.
    pub(crate) fn known(&self, subset: Option<&str>, name: &str) -> Option<usize> {
        self.known
            .get(&(subset.map(str::to_owned), name.to_owned()))
            .copied()
    }

    /// Adds an image of a file whose place is known; reports why it cannot be used.
    ///
    /// `claimed` is the size that the annotations tell, `place` where they do. Until the end the
    /// image has the size that its annotations are for.
    pub(crate) fn image(
        &mut self,
        file: &Path,
        name: &str,
        subset: Option<&str>,
        claimed: Option<(u32, u32)>,
        place: &str,
    ) -> Option<usize> {
        let key = (subset.map(str::to_owned), name.to_owned());
        if self.known.contains_key(&key) {
            self.problem(place, format!("`{name}` is listed twice"));
            return None;
        }
        let (width, height, orientation) = match self.size(file, claimed, place) {
            Ok(size) => size,
            Err(message) => {
                self.problem(place, message);
                return None;
            }
        };
        let index = self.set.images.len();
        if orientation != Orientation::Upright {
            self.turned.push((index, orientation));
        }
        self.known.insert(key, index);
        self.set.images.push(AnnotatedImage {
            name: name.to_owned(),
            file: file.to_owned(),
            width,
            height,
            subset: subset.map(str::to_owned),
            ..AnnotatedImage::default()
        });
        Some(index)
    }

    fn size(
        &mut self,
        file: &Path,
        claimed: Option<(u32, u32)>,
        place: &str,
    ) -> Result<Size, String> {
        let claimed = claimed.filter(|size| size.0 > 0 && size.1 > 0);
        if let (ImageCheck::Skip, Some((width, height))) = (self.options.images, claimed) {
            return Ok((width, height, Orientation::Upright));
        }
        let ahead = self.headers.remove(file);
        let found = ahead.unwrap_or_else(|| header(self.root, file))?;
        let ImageInfo {
            width,
            height,
            orientation,
            ..
        } = found;
        match claimed {
            Some(size) if size == (width, height) => {
                self.ambiguous(orientation, (width, height), place);
                Ok((width, height, Orientation::Upright))
            }
            Some(size) if size == (height, width) && orientation.swaps_sides() => {
                let tag = orientation.tag();
                self.note(place, format!("annotations of stored pixels were turned with the image (EXIF orientation {tag})"));
                Ok((height, width, orientation))
            }
            Some((w, h)) => Err(format!(
                "the annotations are for {w} x {h} pixels, `{}` has {width} x {height}",
                self.place(file)
            )),
            None => Ok((width, height, Orientation::Upright)),
        }
    }

    /// Reads the headers of many images that will be added, on all cores.
    pub(crate) fn read_ahead<'f>(&mut self, files: impl IntoIterator<Item = &'f Path>) {
        if self.options.images == ImageCheck::Skip {
            return;
        }
        let (root, files) = (self.root, files.into_iter().collect::<Vec<_>>());
        let found = files.par_iter();
        let found = found.map(|file| (file.to_path_buf(), header(root, file)));
        self.headers.par_extend(found);
    }

    /// Sizes alone cannot tell whether annotations of this image are for stored pixels.
    fn ambiguous(&mut self, orientation: Orientation, (width, height): (u32, u32), place: &str) {
        if orientation == Orientation::Upright || (orientation.swaps_sides() && width != height) {
            return;
        }
        let tag = orientation.tag();
        self.note(
            place,
            format!(
                "the image has EXIF orientation {tag}, and its size does not tell whether the \
             annotations are for the stored or the displayed pixels; displayed ones are assumed"
            ),
        );
    }

    /// Finds an image file by the name that annotations give it; reports if there is none.
    ///
    /// `near` is the folder of the annotation file. The name is what the image will be called.
    pub(crate) fn find_image(
        &mut self,
        name: &str,
        subset: Option<&str>,
        near: &Path,
        place: &str,
    ) -> Option<(PathBuf, String)> {
        let found = self.look_for(name, subset, near);
        self.found(found.unwrap_or_else(|error| Err(error.to_string())), place)
    }

    /// What was looked for; reports if there is none.
    pub(crate) fn found(&mut self, found: Looked, place: &str) -> Option<(PathBuf, String)> {
        found.map_err(|message| self.problem(place, message)).ok()
    }

    /// As [`Self::find_image`], without a report.
    pub(crate) fn look_for(
        &mut self,
        name: &str,
        subset: Option<&str>,
        near: &Path,
    ) -> Result<Looked, FileError> {
        let index = self.index()?;
        let found = index.find(name, subset, near);
        Ok(found.map(|file| named(index, name, subset, file)))
    }

    /// As [`Self::look_for`], of many images on all cores; `None` stands for none.
    pub(crate) fn look_for_all(
        &mut self,
        names: &[Option<&str>],
        subset: Option<&str>,
        near: &Path,
    ) -> Result<Vec<Option<Looked>>, FileError> {
        let index = self.index()?;
        index.prepare(subset, near);
        let index = &*index;
        let find = |name: &str| {
            let found = index.find_prepared(name, subset, near);
            found.map(|file| named(index, name, subset, file))
        };
        Ok(names.par_iter().map(|name| name.map(find)).collect())
    }

    /// Adds the images that no annotation file is about, as images that nobody annotated.
    pub(crate) fn add_unannotated(&mut self) -> Result<(), FileError> {
        self.add_unannotated_in(|_| true)
    }

    /// As [`Self::add_unannotated`], of the files that are part of the set.
    pub(crate) fn add_unannotated_in(
        &mut self,
        is_part: impl Fn(&Path) -> bool,
    ) -> Result<(), FileError> {
        let used: HashSet<PathBuf> = self.set.images.iter().map(|i| i.file.clone()).collect();
        let mut files = self.index()?.files();
        files.retain(|file| !used.contains(file) && is_part(file));
        for file in files {
            let below = file.strip_prefix(self.root).unwrap_or(&file);
            let names = below.parent().into_iter().flatten();
            let names = names.map(|name| name.to_string_lossy().into_owned());
            let subset = names.into_iter().find(|name| folder::is_split(name));
            let name = self.index()?.name_of(&file, subset.as_deref());
            let place = self.place(&file);
            if let Some(index) = self.image(&file, &name, subset.as_deref(), None, &place) {
                self.set.images[index].unannotated = true;
            }
        }
        Ok(())
    }

    pub(crate) fn index(&mut self) -> Result<&mut ImageIndex, FileError> {
        let index = match self.index.take() {
            Some(index) => index,
            None => ImageIndex::of(self.root, self.files()?),
        };
        Ok(self.index.insert(index))
    }

    /// All files of the set, as [`folder::files_below`] lists them; listed once.
    pub(crate) fn files(&mut self) -> Result<&[PathBuf], FileError> {
        let files = match self.files.take() {
            Some(files) => files,
            None => folder::files_below(self.root)?,
        };
        Ok(self.files.insert(files))
    }

    /// The files of the set whose names end in `.extension`, in any case.
    pub(crate) fn with_extension(&mut self, extension: &str) -> Result<Vec<PathBuf>, FileError> {
        let files = self.files()?.iter();
        let files = files.filter(|file| has_extension(file, extension));
        Ok(files.cloned().collect())
    }

    /// The file that was named, or those that a reader found.
    pub(crate) fn chosen(&self, found: Vec<PathBuf>) -> Vec<PathBuf> {
        match self.only {
            Some(file) => vec![file.to_owned()],
            None => found,
        }
    }

    /// Reads a text file; reports if it cannot be read.
    pub(crate) fn text(&mut self, path: &Path) -> Option<String> {
        match crate::text::read(path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.problem(self.place(path), error);
                None
            }
        }
    }
}

/// A file with the name that it gets: the one by which it was looked for, if that is its path.
fn named(index: &ImageIndex, name: &str, subset: Option<&str>, file: PathBuf) -> (PathBuf, String) {
    let plain = name.replace('\\', "/");
    let is_path = file.ends_with(&plain) && folder::is_inside(Path::new(&plain));
    let name = if is_path {
        plain
    } else {
        index.name_of(&file, subset)
    };
    (file, name)
}

/// What the header of an image file says. JPEG files have all of it before their pixels; others
/// may have the orientation at their end.
fn header(root: &Path, file: &Path) -> Result<ImageInfo, String> {
    for bytes in HEADS {
        let mut head = Vec::with_capacity(bytes as usize);
        let opened = File::open(file).map(|file| file.take(bytes));
        let read = opened.is_ok_and(|mut file| file.read_to_end(&mut head).is_ok());
        if !read || !head.starts_with(&JPEG) {
            break;
        }
        if let Ok(found) = probe(&head) {
            return Ok(found);
        }
    }
    let bytes = straylight_files::read(file).map_err(|error| error.to_string())?;
    let place = slashed(file.strip_prefix(root).unwrap_or(file));
    probe(&bytes).map_err(|error| error.in_file(place).to_string())
}

/// Nothing of a format is in a folder.
pub(crate) fn nothing(
    gather: &Gather<'_>,
    format: crate::Format,
    wanted: &'static str,
) -> FormatError {
    FormatError::NothingFound {
        format,
        folder: gather.only.unwrap_or(gather.root).to_owned(),
        wanted,
    }
}
