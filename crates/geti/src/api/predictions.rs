use std::sync::Arc;

use super::project::ProjectApi;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Body, Multipart, Request, Source};
use crate::sniff::{image_format, is_accepted, true_name};
use crate::wire::{Explanation, PredictRequest, Prediction};

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
        let Some(format) = image_format(&bytes).filter(|format| is_accepted(*format)) else {
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
