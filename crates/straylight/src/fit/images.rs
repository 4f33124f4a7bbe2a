//! The images that an OOD model is fitted on, and where they come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use straylight_core::Frame;
use straylight_files::FileError;
use straylight_formats::{FormatError, ReadOptions, SetFiles};
use straylight_image::{
    DecodeOptions, ImageError, Listed, NoPictures, decode_frame, listed, read_frame_with,
};
use straylight_store::{ImageFilter, ImageSort, Page, SortDirection, Store, StoreError};

/// An image of a fit could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file or its content.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An image with the name of its label, read when it is needed.
///
/// A fit reads each image once and keeps its activations only, so thousands of images do not
/// have to fit into memory.
pub struct LabelledImage {
    name: String,
    label: Option<String>,
    source: Source,
}

enum Source {
    File {
        path: PathBuf,
        /// Keeps the folder that an archive was unpacked to, for as long as the image may be read.
        _archive: Option<Arc<SetFiles>>,
    },
    Stored {
        store: Arc<Store>,
        image: String,
    },
    Frame(Frame),
}

impl fmt::Debug for LabelledImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabelledImage({}, {:?})", self.name, self.label)
    }
}

impl LabelledImage {
    /// An image file; `label` is the name of one of the deployment's labels, if it is known.
    pub fn file(path: impl Into<PathBuf>, label: Option<String>) -> Self {
        let path = path.into();
        Self {
            name: path.display().to_string(),
            label,
            source: Source::File {
                path,
                _archive: None,
            },
        }
    }

    /// An image in memory.
    pub fn frame(frame: Frame, label: Option<String>) -> Self {
        Self {
            name: frame.name().to_owned(),
            label,
            source: Source::Frame(frame),
        }
    }

    /// What errors and reports call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its label, if it is known.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Reads and decodes it.
    pub fn read(&self) -> Result<Frame, ReadError> {
        self.read_with(&DecodeOptions::default())
    }

    /// Reads and decodes it with options of your own.
    pub fn read_with(&self, options: &DecodeOptions) -> Result<Frame, ReadError> {
        match &self.source {
            Source::File { path, .. } => Ok(read_frame_with(path, options)?),
            Source::Frame(frame) => Ok(frame.clone()),
            Source::Stored { store, image } => {
                Ok(decode_stored(store, image, &self.name, options)?)
            }
        }
    }
}

/// The images of a dataset of the local store, each with the label of its annotation.
///
/// The label of an image without an annotation is not known.
pub fn stored_images(
    store: &Arc<Store>,
    dataset_id: &str,
) -> Result<Vec<LabelledImage>, StoreError> {
    let sort = (ImageSort::Name, SortDirection::Ascending);
    let page = store.images(dataset_id, &ImageFilter::default(), sort, Page::ALL)?;
    page.images
        .into_iter()
        .map(|image| {
            let annotation = store.annotation(&image.id)?;
            let labels = annotation.iter().flat_map(|scene| &scene.annotations);
            let label = labels.flat_map(|shape| &shape.labels).next();
            Ok(LabelledImage {
                label: label.map(|label| label.name.clone()),
                name: image.name,
                source: Source::Stored {
                    store: Arc::clone(store),
                    image: image.id,
                },
            })
        })
        .collect()
}

/// The images of a dataset on disk, and what was left out of it.
#[derive(Debug, Default)]
pub struct DatasetImages {
    /// The images; with a label where the dataset gives an image just one.
    pub images: Vec<LabelledImage>,
    /// What could not be read: place and reason.
    pub left_out: Vec<(String, String)>,
    /// What was passed over and is no mistake.
    pub notes: Vec<String>,
}

/// The images of an annotated dataset in any [`Format`](straylight_formats::Format), or else of a folder of pictures.
///
/// A folder for each class is such a dataset, and a zip file may hold one. A folder of pictures is read with all folders below
/// it, in the order of their names; its images have no labels.
///
/// # Errors
///
/// When the folder cannot be listed, or the dataset is in a known format that is not read.
pub fn dataset_images(path: &Path) -> Result<DatasetImages, FormatError> {
    match SetFiles::find(path, None) {
        Ok(files) => of_set(files),
        Err(FormatError::UnknownFormat { .. }) if path.is_dir() => {
            let mut found = DatasetImages::default();
            let mut passed_over = NoPictures::default();
            found.list(path, &mut passed_over)?;
            if passed_over.total() > 0 {
                found.notes.push(format!("{passed_over} passed over"));
            }
            Ok(found)
        }
        Err(error) => Err(error),
    }
}

fn of_set(files: SetFiles) -> Result<DatasetImages, FormatError> {
    let report = files.read(&ReadOptions::default())?;
    let archive = files.is_unpacked().then(|| Arc::new(files));
    let images = report.set.images.into_iter().map(|image| {
        let mut labels = image.objects.iter().flat_map(|object| &object.labels);
        let first = labels.next();
        let only = first.filter(|first| labels.all(|label| label == *first));
        LabelledImage {
            source: Source::File {
                path: image.file.clone(),
                _archive: archive.clone(),
            },
            ..LabelledImage::file(image.file, only.cloned())
        }
    });
    let left_out = report.problems.into_iter();
    Ok(DatasetImages {
        images: images.collect(),
        left_out: left_out.map(|it| (it.place, it.message)).collect(),
        notes: report.notes.iter().map(ToString::to_string).collect(),
    })
}

impl DatasetImages {
    /// Adds the pictures of a folder and of those below it.
    fn list(&mut self, folder: &Path, passed_over: &mut NoPictures) -> Result<(), FileError> {
        let failed = |source| FileError::new("list", folder, source);
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            match listed(&path) {
                Listed::Picture => self.images.push(LabelledImage::file(path, None)),
                // A link to a folder may lead back up.
                Listed::Folder if path.is_symlink() => passed_over.count_link(),
                Listed::Folder => self.list(&path, passed_over)?,
                Listed::NoPicture => passed_over.count(&entry.file_name()),
                Listed::Special(what) => {
                    let reason = format!("it is {what}, not a file");
                    self.left_out.push((path.display().to_string(), reason));
                }
            }
        }
        Ok(())
    }
}

fn decode_stored(
    store: &Store,
    id: &str,
    name: &str,
    options: &DecodeOptions,
) -> Result<Frame, ReadError> {
    let captured_at = store.image(id)?.captured_at;
    let bytes = store.image_bytes(id)?;
    Ok(decode_frame(bytes, name, captured_at, options)?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn put(folder: &Path, name: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let photo = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../assets/demo/photos/fish/fish1.webp"
        );
        fs::copy(photo, path).unwrap();
    }

    /// The images below the folder with their labels, by name.
    fn seen(folder: &Path) -> Vec<(String, Option<String>)> {
        let found = dataset_images(folder).unwrap();
        assert_eq!(found.left_out, []);
        let pair = |image: &LabelledImage| {
            let name = Path::new(image.name()).strip_prefix(folder).unwrap();
            (name.display().to_string(), image.label.clone())
        };
        found.images.iter().map(pair).collect()
    }

    #[test]
    fn folders_of_classes_give_labels_also_below_folders_of_subsets() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["train/fish/a.webp", "val/fish/b.webp", "val/tool/c.webp"] {
            put(folder.path(), name);
        }
        fs::write(folder.path().join("train/fish/._a.webp"), b"resource fork").unwrap();
        fs::write(folder.path().join("train/fish/notes.txt"), b"no picture").unwrap();
        let label = |name: &str, label: &str| (name.to_owned(), Some(label.to_owned()));
        assert_eq!(
            seen(folder.path()),
            [
                label("train/fish/a.webp", "fish"),
                label("val/fish/b.webp", "fish"),
                label("val/tool/c.webp", "tool"),
            ]
        );
    }

    #[test]
    fn a_folder_of_pictures_has_no_labels() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "b.webp");
        put(folder.path(), "a.webp");
        fs::write(folder.path().join("Thumbs.db"), b"small pictures").unwrap();
        let plain = |name: &str| (name.to_owned(), None);
        assert_eq!(seen(folder.path()), [plain("a.webp"), plain("b.webp")]);
        let notes = dataset_images(folder.path()).unwrap().notes;
        assert_eq!(notes, ["1 entry that is no picture (1 hidden) passed over"]);
    }

    #[test]
    fn a_zip_file_stays_unpacked_as_long_as_its_images_are_there() {
        let archive = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fixtures/formats/nested-zip/download.zip"
        );
        let images = dataset_images(archive.as_ref()).unwrap().images;
        assert!(!images.is_empty());
        for image in &images {
            image.read().unwrap();
        }
        let path = PathBuf::from(images[0].name());
        drop(images);
        assert!(!path.exists());
    }

    #[test]
    fn a_dataset_that_is_not_read_is_no_folder_of_pictures() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a.webp");
        fs::write(folder.path().join("set.tfrecord"), b"records").unwrap();
        let error = dataset_images(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("TensorFlow records, which is not read"),
            "{error}"
        );
    }
}
