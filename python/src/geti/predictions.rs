//! What the models of a server say of images.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde_json::json;
use straylight::RgbImage;
use straylight::image::encode_png;
use straylight_geti::wire::Prediction;
use straylight_geti::{CachePolicy, ProjectApi, predicted_annotations};

use super::media::{name_labels, read_media};
use super::{Client, transferred};
use crate::error::{Outcome, Raised};
use crate::{frame, interruptible};

#[pymethods]
impl Client {
    /// The prediction of an image that the server has; null if it says nothing.
    fn predict(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        image: &str,
    ) -> PyResult<String> {
        let api = self.geti().at(project);
        Ok(py.detach(|| {
            let found = api.predict(dataset, image, CachePolicy::Auto)?;
            to_scene(&api, found)
        })?)
    }

    /// The prediction of pixels; null if the server says nothing.
    fn predict_pixels(
        &self,
        py: Python<'_>,
        project: &str,
        image: &Bound<'_, PyAny>,
    ) -> PyResult<String> {
        let api = self.geti().at(project);
        let image: RgbImage = frame::rgb_image(image)?;
        Ok(py.detach(|| {
            let found = api.predict_image(encode_png(&image)?)?;
            to_scene(&api, found)
        })?)
    }

    /// Downloads predictions of images into a folder; gives the paths.
    #[pyo3(signature = (project, dataset, images, folder, progress = None))]
    fn download_predictions(
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
            let done = api.download_predictions(&images, &whole, &folder, steps)?;
            transferred("predicted", &done)
        })
    }
}

/// A prediction as a scene with the names and colours of its labels.
fn to_scene(api: &ProjectApi, found: Option<Prediction>) -> Outcome<String> {
    let Some(prediction) = found else {
        return Ok("null".to_owned());
    };
    let created = prediction.created;
    let mut annotations = predicted_annotations(prediction);
    name_labels(&mut annotations, &api.get()?);
    let scene = json!({"annotations": annotations, "kind": "prediction", "created": created});
    serde_json::to_string(&scene).map_err(Raised::from)
}
