//! Images of a dataset and their annotations.

use std::collections::HashSet;
use std::path::PathBuf;

use pyo3::prelude::*;
use straylight::RgbImage;
use straylight::image::{decode, encode_png};
use straylight_geti::wire::{Annotation, Media};
use straylight_geti::{DatasetApi, DownloadOptions, GetiError, Rendition};

use super::{Client, transferred, warn};
use crate::error::Raised;
use crate::{frame, interruptible};

impl Client {
    pub(super) fn dataset_api(&self, project: &str, dataset: &str) -> DatasetApi {
        self.geti().at(project).dataset(dataset)
    }
}

pub(super) fn read_media(text: &str) -> Result<Vec<Media>, Raised> {
    Ok(serde_json::from_str(text)?)
}

#[pymethods]
impl Client {
    /// All images of a dataset.
    fn images(&self, py: Python<'_>, project: &str, dataset: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).dataset(dataset).images())
    }

    /// Uploads pixels under a name, as PNG.
    fn upload_pixels(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        image: &Bound<'_, PyAny>,
        name: &str,
    ) -> PyResult<String> {
        let image: RgbImage = frame::rgb_image(image)?;
        let bytes = py.detach(|| encode_png(&image));
        let bytes = bytes.map_err(Raised::from)?;
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| api.upload_image(bytes, name))
    }

    /// Uploads an image file as it is.
    fn upload_file(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        path: PathBuf,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| api.upload_image_file(&path))
    }

    /// Uploads image files, several at once; those with a name in `present` are left out.
    #[pyo3(signature = (project, dataset, paths, present, progress = None))]
    fn upload_files(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        paths: Vec<PathBuf>,
        present: HashSet<String>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        interruptible::work(py, progress, move |steps| {
            let done = api.upload_image_files(&paths, &present, steps)?;
            transferred("uploaded", &done)
        })
    }

    /// Deletes an image.
    fn delete_image(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        image: &str,
    ) -> PyResult<()> {
        let api = self.dataset_api(project, dataset);
        self.call(py, |_| api.delete_image(image))
    }

    /// The pixels of an image, uint8 of shape (height, width, 3).
    fn image_pixels<'py>(
        &self,
        py: Python<'py>,
        project: &str,
        dataset: &str,
        image: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let media: Media = serde_json::from_str(image).map_err(Raised::from)?;
        let api = self.dataset_api(project, dataset);
        let bytes = self.call(py, |_| api.download_image(&media, Rendition::Full))?;
        let (pixels, _) = py.detach(|| decode(&bytes)).map_err(Raised::from)?;
        Ok(frame::array(py, pixels)?.into_any())
    }

    /// Downloads images into a folder, several at once; gives the paths.
    #[pyo3(signature = (project, dataset, images, folder, progress = None))]
    fn download_images(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        images: &str,
        folder: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        let images = read_media(images)?;
        interruptible::work(py, progress, move |steps| {
            let options = DownloadOptions::default();
            let done = api.download_images(&images, &folder, options, steps)?;
            transferred("downloaded", &done)
        })
    }

    /// The annotation of an image; null if it has none.
    fn annotation(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        image: &str,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| {
            let Some(mut scene) = api.annotation(image)? else {
                return Ok(None);
            };
            let project = api.project().get()?;
            name_labels(&mut scene.annotations, &project);
            Ok(Some(scene))
        })
    }

    /// Annotates an image: replaces what it has, or adds to it.
    fn annotate(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        image: &str,
        annotations: &str,
        append: bool,
    ) -> PyResult<String> {
        let annotations: Vec<Annotation> =
            serde_json::from_str(annotations).map_err(Raised::from)?;
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| {
            if append {
                api.append_annotations(image, annotations)
            } else {
                api.annotate(image, annotations)
            }
        })
    }

    /// Downloads the annotations of images into a folder; gives the paths.
    #[pyo3(signature = (project, dataset, images, folder, progress = None))]
    fn download_annotations(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        images: &str,
        folder: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        let images = read_media(images)?;
        interruptible::work(py, progress, move |steps| {
            let whole = api.project().get()?;
            let done = api.download_annotations(&images, &whole, &folder, steps)?;
            transferred("downloaded", &done)
        })
    }

    /// Annotates images, several after another; those that fail are warned of.
    #[pyo3(signature = (project, dataset, annotations, append, progress = None))]
    fn annotate_all(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        annotations: Vec<(String, String)>,
        append: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let api = self.dataset_api(project, dataset);
        interruptible::work(py, progress, move |steps| {
            steps.begin("Annotating images", annotations.len() as u64);
            let mut done = 0;
            for (image, text) in annotations {
                let list: Vec<Annotation> = serde_json::from_str(&text)?;
                match annotate_one(&api, &image, list, append) {
                    Ok(()) => done += 1,
                    Err(error) if error.is_fatal() => return Err(error.into()),
                    Err(error) => warn("annotated", &image, &error),
                }
                steps.advance(1);
            }
            steps.finish();
            Ok(done)
        })
    }
}

fn annotate_one(
    api: &DatasetApi,
    image: &str,
    annotations: Vec<Annotation>,
    append: bool,
) -> Result<(), GetiError> {
    if append {
        api.append_annotations(image, annotations)?;
    } else {
        api.annotate(image, annotations)?;
    }
    Ok(())
}

/// Gives labels the names and colours that the project has for them; they keep their ids.
pub(super) fn name_labels(
    annotations: &mut [Annotation],
    project: &straylight_geti::wire::Project,
) {
    let known: Vec<_> = project
        .pipeline
        .tasks
        .iter()
        .flat_map(straylight_geti::wire::Task::labels)
        .collect();
    for label in annotations.iter_mut().flat_map(|one| &mut one.labels) {
        if let Some(found) = known.iter().find(|it| Some(&it.id) == label.id.as_ref()) {
            label.name = Some(found.name.clone());
            label.color = Some(found.color);
        }
    }
}
