use std::path::{Path, PathBuf};
use std::sync::Arc;

use straylight_core::{Progress, sniff};

use super::annotations::write_scene;
use super::dataset::DatasetApi;
use super::naming::stems;
use super::parallel::{Outcome, Transfer, transfer};
use super::project::ProjectApi;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Body, Multipart, Request, Source};
use crate::media_names::{is_accepted, true_name};
use crate::wire::{
    Annotation, AnnotationScene, Explanation, Media, PredictRequest, PredictedAnnotation,
    PredictedLabel, Prediction, Project, SceneKind, ScoredLabel,
};

/// Whether the server may answer from predictions that it made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CachePolicy {
    /// If one is there.
    #[default]
    Auto,
    /// Never.
    Never,
    /// Only.
    Always,
}

impl CachePolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Never => "never",
            Self::Always => "always",
        }
    }
}

impl ProjectApi {
    /// What the server's active models say of an image that it has; `None` if it says nothing.
    pub fn predict(
        &self,
        dataset_id: &str,
        image_id: &str,
        cache: CachePolicy,
    ) -> Result<Option<Prediction>, GetiError> {
        let path = format!("/pipelines/active:predict?use_cache={}", cache.as_str());
        let body = PredictRequest {
            image_id: image_id.into(),
            dataset_id: dataset_id.into(),
        };
        let request = Request::post(self.path(&path)).repeatable().json(&body)?;
        self.geti().transport().json_or_none(&request)
    }

    /// What the server's active models say of an encoded image.
    pub fn predict_image(
        &self,
        bytes: impl Into<Arc<[u8]>>,
    ) -> Result<Option<Prediction>, GetiError> {
        let request = self.image_request("/pipelines/active:predict", bytes.into())?;
        self.geti().transport().json_or_none(&request)
    }

    /// The saliency maps of the server's active models for an encoded image.
    pub fn explain_image(
        &self,
        bytes: impl Into<Arc<[u8]>>,
    ) -> Result<Option<Explanation>, GetiError> {
        let request = self.image_request("/pipelines/active:explain", bytes.into())?;
        self.geti().transport().json_or_none(&request)
    }

    fn image_request(&self, path: &str, bytes: Arc<[u8]>) -> Result<Request, GetiError> {
        let Some(format) = sniff(&bytes).filter(|format| is_accepted(*format)) else {
            return Err(
                GetiError::new(ErrorKind::Argument, "the bytes are no image")
                    .with_hint("use JPEG, PNG, BMP, TIFF or WebP"),
            );
        };
        let file_name = true_name("image", format);
        let multipart = Multipart {
            file_name,
            source: Source::Bytes(bytes),
        };
        Ok(Request::post(self.path(path))
            .repeatable()
            .body(Body::Multipart(multipart)))
    }
}

impl DatasetApi {
    /// Downloads what the server's active models say of images into `<folder>/predictions`, one
    /// file `<name>.json` an image, labels by name as in files of annotations.
    pub fn download_predictions(
        &self,
        images: &[Media],
        project: &Project,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let jobs: Vec<(String, &Media)> = stems(images).into_iter().zip(images).collect();
        let name = |(_, image): &(String, &Media)| image.name.clone();
        let what = "Downloading predictions";
        // A server predicts with all of its cores: several requests at once gain nothing.
        transfer(what, &jobs, 1, progress, name, |(stem, image)| {
            let found = self
                .project()
                .predict(self.id(), &image.id, CachePolicy::Auto)?;
            let Some(prediction) = found else {
                return Ok(Outcome::Skipped);
            };
            let scene = AnnotationScene {
                id: None,
                kind: SceneKind::Prediction,
                media_identifier: None,
                modified: None,
                labels_to_revisit_full_scene: Vec::new(),
                annotation_state_per_task: Vec::new(),
                annotations: predicted_annotations(prediction),
            };
            let path = folder.join("predictions").join(format!("{stem}.json"));
            write_scene(&path, scene, project)?;
            Ok(Outcome::Done(path))
        })
    }
}

/// A prediction as annotations, whose labels have identifiers and probabilities.
pub fn predicted_annotations(prediction: Prediction) -> Vec<Annotation> {
    let label = |label: PredictedLabel| ScoredLabel {
        id: Some(label.id),
        probability: label.probability,
        name: None,
        color: None,
        source: None,
    };
    let one = |found: PredictedAnnotation| Annotation {
        id: None,
        modified: None,
        labels_to_revisit: None,
        shape: found.shape,
        labels: found.labels.into_iter().map(label).collect(),
    };
    prediction.predictions.into_iter().map(one).collect()
}
