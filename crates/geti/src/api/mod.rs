//! The calls of the API, from the session down to single annotations.

mod annotations;
mod configuration;
mod dataset;
mod deployment;
mod download;
mod import_export;
mod jobs;
mod media;
mod model_choice;
mod models;
mod naming;
mod pages;
mod parallel;
mod predictions;
mod project;
mod resumable;
mod session;
mod sink;
mod upload;
mod version;

pub(crate) use annotations::{identify_labels, write_scene};
pub use annotations::{image_annotation, name_labels};
pub use dataset::DatasetApi;
pub use deployment::DeploymentFolder;
pub use download::{DownloadOptions, Rendition};
pub use model_choice::{ActiveModel, best_xai_model, choose_active, default_model};
pub(crate) use naming::{safe_name, stems};
pub use parallel::Transfer;
pub(crate) use parallel::{Outcome, transfer};
pub use predictions::CachePolicy;
pub use project::ProjectApi;
pub use session::{ClientOptions, Geti};
pub use sink::{DatasetSink, Stored};
pub use upload::FolderUpload;
pub(crate) use upload::{is_image, list_files, split};
pub use version::ServerVersion;
