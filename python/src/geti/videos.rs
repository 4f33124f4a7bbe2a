//! Videos of a dataset, their frames, and the annotations of these.

use std::path::PathBuf;

use pyo3::prelude::*;
use straylight::image::decode;
use straylight_geti::wire::Annotation;

use super::media::{name_labels, read_media};
use super::{Client, transferred};
use crate::error::Raised;
use crate::{frame, interruptible};

#[pymethods]
impl Client {
    /// All videos of a dataset.
    fn videos(&self, py: Python<'_>, project: &str, dataset: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).dataset(dataset).videos())
    }

    /// Uploads a video file as it is.
    fn upload_video(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        path: PathBuf,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| api.upload_video_file(&path))
    }

    /// Deletes a video.
    fn delete_video(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        video: &str,
    ) -> PyResult<()> {
        let api = self.dataset_api(project, dataset);
        self.call(py, |_| api.delete_video(video))
    }

    /// The pixels of a frame, uint8 of shape (height, width, 3).
    fn frame_pixels<'py>(
        &self,
        py: Python<'py>,
        project: &str,
        dataset: &str,
        video: &str,
        index: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let api = self.dataset_api(project, dataset);
        let bytes = self.call(py, |_| api.video_frame(video, index))?;
        let (pixels, _) = py.detach(|| decode(&bytes)).map_err(Raised::from)?;
        Ok(frame::array(py, pixels)?.into_any())
    }

    /// The annotations of all annotated frames of a video.
    fn video_annotations(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        video: &str,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| {
            let mut scenes = api.video_annotations(video)?;
            let project = api.project().get()?;
            for scene in &mut scenes {
                name_labels(&mut scene.annotations, &project);
            }
            Ok(scenes)
        })
    }

    /// The annotation of a frame; null if it has none.
    fn frame_annotation(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        video: &str,
        index: u64,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| {
            let Some(mut scene) = api.frame_annotation(video, index)? else {
                return Ok(None);
            };
            name_labels(&mut scene.annotations, &api.project().get()?);
            Ok(Some(scene))
        })
    }

    /// Annotates a frame: replaces what it has, or adds to it.
    fn annotate_frame(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        video: &str,
        index: u64,
        annotations: &str,
        append: bool,
    ) -> PyResult<String> {
        let annotations: Vec<Annotation> =
            serde_json::from_str(annotations).map_err(Raised::from)?;
        let api = self.dataset_api(project, dataset);
        self.json(py, |_| {
            if append {
                api.append_frame_annotations(video, index, annotations)
            } else {
                api.annotate_frame(video, index, annotations)
            }
        })
    }

    /// Annotates frames of videos with the files of a folder; gives the files.
    fn upload_frame_annotations(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        videos: &str,
        folder: PathBuf,
        append: bool,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        let videos = read_media(videos)?;
        interruptible::work(py, None, move |_| {
            let whole = api.project().get()?;
            let done = api.upload_frame_annotations(&folder, &videos, &whole, append)?;
            transferred("annotated", &done)
        })
    }

    /// Downloads the annotations of the frames of videos into a folder; gives the paths.
    #[pyo3(signature = (project, dataset, videos, folder, progress = None))]
    fn download_video_annotations(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        videos: &str,
        folder: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let api = self.dataset_api(project, dataset);
        let videos = read_media(videos)?;
        interruptible::work(py, progress, move |steps| {
            let whole = api.project().get()?;
            let done = api.download_video_annotations(&videos, &whole, &folder, steps)?;
            transferred("downloaded", &done)
        })
    }
}
