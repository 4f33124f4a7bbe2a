//! OpenVINO for Straylight.
//!
//! - [`Runtime`] finds an installed OpenVINO or fetches one, and compiles models.
//! - [`CompiledModel`] runs inferences from any number of threads, each in a [`Session`].
//! - [`graph`] reads what OpenVINO's C API does not tell: an IR's `rt_info`, its layers, the
//!   weights of its head.
//! - [`doctor`] says what was found, where was searched, and how to fix what is missing.
//! - [`env`] lists every environment variable that is read.
//!
//! `unsafe` code is confined to the private module `ffi`, a thin wrapper over `openvino-sys`
//! for what the safe `openvino` crate lacks (pre-processing with mean and scale, requests that
//! move between threads).

mod compiled;
pub mod doctor;
pub mod env;
mod error;
pub mod fetch;
mod ffi;
pub mod graph;
mod locate;
mod model;
mod options;
mod runtime;
mod version;

pub use compiled::{CompiledModel, Output, Session};
pub use error::EngineError;
pub use ffi::{Element, ElementType};
pub use locate::Origin;
pub use model::Model;
pub use options::{
    CompileOptions, Dimension, Hint, ImageInput, Layout, ModelSource, Precision, TensorInfo,
};
pub use runtime::{Runtime, RuntimeOptions};
pub use version::Version;
