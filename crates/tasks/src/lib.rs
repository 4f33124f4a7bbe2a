//! From the output tensors of a model to labelled shapes, for every task of a Geti project.
//!
//! [`post_processor`] makes a [`PostProcessor`] from the model's configuration
//! ([`TaskConfig`]), the task's labels and its type; its results equal those of the Python
//! SDK (geti-sdk 2.13.1 with `ModelAPI` 0.4.7) wherever that is right. The places where it is not
//! are documented where they are decided.
//!
//! Everything here is a pure function of its arguments: no file, no clock, no thread, no
//! engine. One module holds one task; the pixel geometry that several tasks share (contours,
//! smallest rectangles, resizing of masks) is in `raster`.

// Tests compare with values that are exact in binary.
#![cfg_attr(test, allow(clippy::float_cmp))]

mod anomaly;
mod chain;
mod classification;
mod config;
mod decoder;
mod detection;
mod empty;
mod error;
mod geometry;
mod instance_segmentation;
mod instances;
mod keypoint;
mod labels;
mod nms;
mod numeric;
mod post;
mod raster;
mod reading;
mod rotated_detection;
mod saliency;
mod segmentation;
mod tensor;
#[cfg(test)]
mod testing;
mod tiling;

pub use chain::{ChainRunner, Region, labels_whole_images, merge, predict_chain, regions};
pub use config::{Hierarchy, ModelType, TaskConfig, TilingConfig};
pub use decoder::{
    Activation, BoxFormat, BoxUnit, Column, Decoder, Grid, MOST_CANDIDATES, MaskArea, Masks,
    RowLayout, Source,
};
pub use empty::add_empty_label;
pub use error::TaskError;
pub use geometry::{Geometry, Mapping, ResizeType, Size};
pub use labels::{EMPTY_NAMES, ModelLabels};
pub use nms::{ScoredBox, Suppression};
pub use post::{PostProcessor, post_processor};
pub use reading::{Planes, Reading, Scores, described_post_processor};
pub use tensor::{FEATURE_VECTOR, OutputTensor, Outputs, SALIENCY_MAP, TensorData};
pub use tiling::{Tile, TileMerger, TileRunner, predict_tiled};
