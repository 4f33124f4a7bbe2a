//! The Geti REST API: its wire types and a blocking client.
//!
//! [`wire`] holds the JSON of the API, written once for the client and for our own server.

mod api;
mod archive;
mod clock;
mod env_file;
mod error;
mod folder;
mod http;
mod plan;
mod secret;
mod settings;
mod sniff;
pub mod wire;

pub use api::{
    ActiveModel, CachePolicy, ClientOptions, DatasetApi, DatasetSink, DeploymentFolder,
    DownloadOptions, FolderUpload, Geti, ProjectApi, Rendition, ServerVersion, Stored, Transfer,
    best_xai_model, choose_active, default_model, image_annotation, name_labels,
};
pub use archive::{ArchiveLimits, unpack};
pub use clock::{Clock, SystemClock};
pub use env_file::{EnvFileError, parse_env_file};
pub use error::{ErrorKind, GetiError};
pub use folder::{
    ClassFolders, DownloadedProject, ProjectDownload, ProjectUpload, UploadedProject,
};
pub use http::RetryPolicy;
pub use plan::{LabelGroups, LabelPlan, ProjectPlan, TaskPlan};
pub use secret::{Secret, SecretRef};
pub use settings::{Certificates, ENV_PREFIX, ProxyChoice, ServerDetails};
