//! Runs deployed vision models, finds the images they have never seen, and collects them.
//!
//! A [`Deployment`] is a model as Intel Geti deploys it. [`fit::fit_ood`] fits an OOD model on
//! images of the classes that it was trained on, [`hooks`] decide which images to collect and
//! where, and [`store`] is the local store that they may go to. A higher OOD score is always
//! more out of distribution.

pub mod bench;
pub mod demo;
pub mod fit;
pub mod hookfile;
pub mod overhead;
mod parallel;
pub mod platform;
pub mod run;
pub mod serve;

pub use straylight_core::{
    Activations, Annotation, Color, ContentHash, Dataset, EncodedImage, Frame, ImageFormat, Label,
    NoProgress, Point, Prediction, Progress, Project, RgbImage, SaliencyMap, ScoredLabel, Shape,
    Task, TaskType, Timestamp, hide_secrets, holds_user,
};
pub use straylight_deploy::{
    DeployError, Deployment, JpegDecoding, Keep, LoadOptions, ModelCache, SavedHooks,
    SavedOodModel, custom, deployment_folder,
};
pub use straylight_engine as engine;
pub use straylight_files::write_atomically;
pub use straylight_formats as formats;
pub use straylight_geti as geti;
pub use straylight_hooks as hooks;
pub use straylight_image as image;
pub use straylight_ood as ood;
pub use straylight_server as server;
pub use straylight_sources as sources;
pub use straylight_store as store;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Compiles the examples of the guide.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../docs/src/notebook.md")]
    struct Notebook;
    #[doc = include_str!("../../../docs/src/triggers.md")]
    struct Triggers;
    #[doc = include_str!("../../../docs/src/actions.md")]
    struct Actions;
}
