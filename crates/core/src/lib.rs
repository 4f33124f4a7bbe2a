//! The types that every part of Straylight shares.
//!
//! This crate does no I/O: it reads no file, opens no socket and asks no clock.
//! Images come in decoded, predictions go out as data, and times are handed in.

mod activations;
mod address;
mod frame;
mod image;
mod label;
mod perceptual;
mod prediction;
mod progress;
mod project;
mod shape;
mod sniff;

pub use activations::Activations;
pub use address::{
    PERCENT_ENCODING_HINT, hide_secrets, hide_secrets_in, holds_user, needs_percent_encoding,
};
pub use frame::{ContentHash, EncodedImage, Frame, ImageFormat, WholeDecoder};
pub use image::{ImageSizeError, RgbImage};
pub use jiff::Timestamp;
pub use label::{Color, ColorError, Label, ScoredLabel};
pub use perceptual::PerceptualHash;
pub use prediction::{Annotation, ModelScore, Prediction, SaliencyMap};
pub use progress::{NoProgress, Progress};
pub use project::{Connection, Dataset, Pipeline, Project, Task, TaskType};
pub use shape::{Point, Shape};
pub use sniff::sniff;
