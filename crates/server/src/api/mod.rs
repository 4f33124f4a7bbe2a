//! The endpoints of the Geti REST API, one file a family.

mod annotations;
mod archived_videos;
mod check_scene;
mod configuration;
mod dataset_files;
mod dataset_import;
mod datasets;
mod deployments;
mod endpoint;
mod error;
mod export;
mod export_request;
mod extract;
mod images;
mod imports;
mod jobs;
mod lookup;
mod media_query;
mod model_list;
mod parts;
mod predict;
mod project_put;
mod projects;
mod render;
mod session;
mod spool;
mod upload;
mod upload_video;
mod uploads;
mod video_annotations;
mod videos;

pub(crate) use endpoint::{Endpoint, Operation, paths};
pub(crate) use error::{ApiError, ApiResult};
pub(crate) use export_request::EXPORT_FORMATS;
pub(crate) use extract::{Raw, body, parse_json};
pub(crate) use images::{mime, thumbnail};
pub(crate) use lookup::{label_names, to_stored};
pub(crate) use predict::{predict_bytes, predict_frame, stored_frame};
pub(crate) use uploads::{discard, remove_abandoned};

/// Every endpoint, in the order of the description at `/docs`.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        session::endpoints(),
        projects::endpoints(),
        datasets::endpoints(),
        images::endpoints(),
        annotations::endpoints(),
        videos::endpoints(),
        video_annotations::endpoints(),
        model_list::endpoints(),
        deployments::endpoints(),
        configuration::endpoints(),
        predict::endpoints(),
        jobs::endpoints(),
        uploads::endpoints(),
        imports::endpoints(),
        dataset_import::endpoints(),
        export::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
