//! The images that an OOD model is fitted on, and where they come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use straylight_core::Frame;
use straylight_files::FileError;
use straylight_image::{DecodeLimits, ImageError, decode_frame, read_frame};
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
    File(PathBuf),
    Stored { store: Arc<Store>, image: String },
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
            source: Source::File(path),
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

    /// The same image with the name of its label.
    #[must_use]
    pub fn with_label(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
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
        match &self.source {
            Source::File(path) => Ok(read_frame(path)?),
            Source::Frame(frame) => Ok(frame.clone()),
            Source::Stored { store, image } => Ok(decode_stored(store, image, &self.name)?),
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

/// The images of a folder that has a subfolder for each class, labelled with its name.
///
/// Files directly in the folder have no label.
pub fn class_folder_images(folder: &Path) -> Result<Vec<LabelledImage>, FileError> {
    let failed = |source| FileError::new("list", folder, source);
    let mut images = folder_images(folder)?;
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut classes = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    classes.sort_by_key(std::fs::DirEntry::file_name);
    for class in classes.into_iter().filter(|entry| entry.path().is_dir()) {
        let label = class.file_name().to_string_lossy().into_owned();
        let labelled = folder_images(&class.path())?.into_iter();
        images.extend(labelled.map(|image| image.with_label(&label)));
    }
    Ok(images)
}

/// The image files directly in a folder, without labels, in the order of their names.
///
/// Files that are no images are kept: the fit names them among the images it could not read.
pub fn folder_images(folder: &Path) -> Result<Vec<LabelledImage>, FileError> {
    let failed = |source| FileError::new("list", folder, source);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths
        .into_iter()
        .map(|path| LabelledImage::file(path, None))
        .collect())
}

fn decode_stored(store: &Store, id: &str, name: &str) -> Result<Frame, ReadError> {
    let captured_at = store.image(id)?.captured_at;
    let bytes = store.image_bytes(id)?;
    Ok(decode_frame(
        bytes,
        name,
        captured_at,
        &DecodeLimits::default(),
    )?)
}
