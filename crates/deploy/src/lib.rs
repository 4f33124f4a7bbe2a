//! Geti deployments: loading, inference, explanation, saving.
//!
//! A [`Deployment`] is a folder with a project and one model for each of its trainable tasks.
//! [`Deployment::infer`] brings an image to the model's size, runs the model in a pooled
//! session, and turns its outputs into a [`straylight_core::Prediction`]:
//!
//! ```text
//! Frame -> preprocess (resize, into the request's memory) -> engine -> task (post-processing)
//! ```
//!
//! Copies of an image's data on this way: the frame's own pixels are borrowed. The scaler makes an
//! image of the model's size, which is copied once into the request's memory (150 kB for
//! 224 x 224 pixels), because there it may have to stand between padding; OpenVINO reads it in
//! place. Results are read in place as well; a feature vector, logits or
//! probabilities are copied once, into the prediction that owns them, and only when something
//! asks for them.

mod archive;
mod config;
pub mod custom;
mod deployment;
mod error;
mod folder;
mod identity;
mod infer;
mod keys;
mod model;
mod options;
mod picture;
mod pipeline;
mod prediction_parts;
mod preprocess;
mod quantised;
mod self_described;
mod session_outputs;
mod stream;

pub use deployment::Deployment;
pub use error::DeployError;
pub use folder::find as deployment_folder;
pub use options::{JpegDecoding, LoadOptions, ModelCache, SavedHooks, SavedOodModel};
pub use prediction_parts::Keep;
pub use straylight_engine::graph::HeadWeights;
pub use stream::{
    AsyncInference, InferenceResult, Inferred, Input, OrderedStream, StreamOptions, UnorderedStream,
};
