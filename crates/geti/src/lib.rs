//! The Geti REST API: its wire types and a blocking client.
//!
//! [`wire`] holds the JSON of the API, written once for the client and for our own server.
//! The client is [`Geti`] (a session), [`ProjectApi`] (one project) and [`DatasetApi`] (one
//! dataset); [`DatasetSink`] collects images, each exactly once.
//!
//! ```no_run
//! use straylight_geti::{DatasetSink, Geti, ServerDetails};
//!
//! # fn main() -> Result<(), straylight_geti::GetiError> {
//! let details = ServerDetails::from_env_file(".env".as_ref())?;
//! let geti = Geti::connect(&details)?;
//! for project in geti.projects()? {
//!     println!("{}: {} datasets", project.name, geti.at(&project.id).datasets()?.len());
//! }
//! let sink = DatasetSink::in_project(&geti, "CUB6", "OOD Images Collected")?;
//! sink.store(std::fs::read("stray.png").unwrap_or_default(), "stray-0001.png")?;
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//!
//! - Every call ends: connecting, each wait for the server, each body, each list of pages, each
//!   job has a limit ([`ClientOptions`]).
//! - A request is repeated only where that cannot do a thing twice; [`GetiError::may_pass`] says
//!   whether the caller may try again.
//! - The token goes to the server's own origin and nowhere else, and into no message.
//! - A file or folder appears under its name when it is complete, and never half.
//! - What the server is able to do follows from the version that it tells ([`ServerVersion`]).
//!
//! # Left out
//!
//! Logging in with user name and password (the platform has deprecated it): such details are
//! refused with advice to make a personal access token.

mod api;
mod clock;
mod env_file;
mod error;
mod folder;
mod http;
mod media_names;
mod plan;
mod secret;
mod settings;
pub mod wire;

pub use api::{
    ActiveModel, CachePolicy, ClientOptions, DatasetApi, DatasetSink, DeploymentFolder,
    DownloadOptions, FolderUpload, Geti, LabelChange, ProjectApi, Rendition, ServerVersion, Stored,
    Transfer, best_xai_model, choose_active, default_model, image_annotation, name_labels,
    predicted_annotations,
};
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
