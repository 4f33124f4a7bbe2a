//! The typed form of a model's `rt_info/model_info`.
//!
//! Names, defaults and meanings are `ModelAPI`'s. Everything is checked here, once, when a
//! model is loaded; entries that post-processing does not use (mean, scale, padding colour)
//! are left to whoever prepares the image.

mod hierarchy;
mod model_type;
mod values;

use std::collections::BTreeMap;

pub use hierarchy::Hierarchy;
pub use model_type::ModelType;

use crate::{ResizeType, TaskError};
use values::Values;

/// What post-processing needs to know of a model.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools)]
pub struct TaskConfig {
    /// The family of the model, `model_type`.
    pub model_type: ModelType,
    /// Names of the model's classes in its order, `labels`; blanks are underscores.
    pub labels: Vec<String>,
    /// Ids of the project's labels in the same order, `label_ids`; `None` where it says so.
    pub label_ids: Vec<Option<String>>,
    /// How images were fitted to the network, `resize_type`.
    pub resize: ResizeType,
    /// Only scores above it count, `confidence_threshold`, 0 to 1.
    pub confidence_threshold: f32,
    /// Boxes that overlap more suppress each other, `iou_threshold`, 0 to 1.
    pub iou_threshold: f64,
    /// Whether overlapping boxes are suppressed here, `nms_execute`.
    pub nms_execute: bool,
    /// Whether boxes of different classes suppress each other, `agnostic_nms`.
    pub agnostic_nms: bool,
    /// Most boxes after suppression, 0 for no limit, `nms_max_predictions`.
    pub nms_max_predictions: usize,
    /// Whether boxes stand for ellipses, `use_ellipse_shapes`.
    pub use_ellipse_shapes: bool,
    /// How many of the best classes a single-label classifier names, `topk`.
    pub topk: usize,
    /// Whether classes do not exclude each other, `multilabel`.
    pub multilabel: bool,
    /// The tree of classes, `hierarchical_config`, if `hierarchical` is set.
    pub hierarchy: Option<Hierarchy>,
    /// Side of the smoothing window in pixels, `blur_strength`; `None` (-1) switches both this
    /// and the soft threshold off.
    pub blur_strength: Option<u32>,
    /// Smoothed scores below it count as 0, `soft_threshold`.
    pub soft_threshold: f32,
    /// Raw score above which an image is anomalous, `image_threshold`.
    pub image_threshold: f32,
    /// Raw score from which a pixel is anomalous, `pixel_threshold`.
    pub pixel_threshold: f32,
    /// Spread of raw anomaly scores, `normalization_scale`.
    pub normalization_scale: f32,
    /// Whether key point scores are a softmax over the axis, `apply_softmax`.
    pub apply_softmax: bool,
    /// How large images are cut into tiles, if they are.
    pub tiling: Option<TilingConfig>,
}

/// How an image is cut into tiles, and how their results are merged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TilingConfig {
    /// Side of a tile in image pixels, at least 1, `tile_size`.
    pub tile_size: u32,
    /// Part of a tile that it shares with the next, 0 up to but not including 1, `tiles_overlap`.
    pub tiles_overlap: f64,
    /// Most objects of an image, `max_pred_number`.
    pub max_pred_number: usize,
    /// Boxes of different tiles that overlap more are one, `iou_threshold`.
    pub iou_threshold: f64,
    /// Whether the whole image is the first tile, `tile_with_full_img`.
    pub with_full_image: bool,
}

impl TaskConfig {
    /// Reads the entries of `model_info`, name to text; an entry that cannot be used is an error.
    ///
    /// Absent entries, empty ones and `None` take the default of the model's family.
    pub fn from_model_info(entries: &BTreeMap<String, String>) -> Result<Self, TaskError> {
        let values = Values(entries);
        let model_type = values.parse_or("model_type", ModelType::Unknown)?;
        let defaults = model_type.defaults();
        Ok(Self {
            model_type,
            labels: values.words("labels"),
            label_ids: values.optional_words("label_ids"),
            resize: values.parse_or("resize_type", defaults.resize)?,
            confidence_threshold: values.number_or("confidence_threshold", defaults.confidence)?,
            iou_threshold: values.number_or("iou_threshold", defaults.iou)?,
            nms_execute: values.flag_or("nms_execute", defaults.nms)?,
            agnostic_nms: values.flag_or("agnostic_nms", defaults.agnostic)?,
            nms_max_predictions: values.count_or("nms_max_predictions", defaults.most)?,
            use_ellipse_shapes: values.flag_or("use_ellipse_shapes", false)?,
            topk: values.count_or("topk", 1)?.max(1),
            multilabel: values.flag_or("multilabel", false)?,
            hierarchy: Hierarchy::read(&values)?,
            blur_strength: values.blur_strength()?,
            soft_threshold: values.number_or("soft_threshold", f32::NEG_INFINITY)?,
            image_threshold: values.number_or("image_threshold", 0.5)?,
            pixel_threshold: values.number_or("pixel_threshold", 0.5)?,
            normalization_scale: values.scale_or("normalization_scale", 1.0)?,
            apply_softmax: values.flag_or("apply_softmax", true)?,
            tiling: TilingConfig::read(&values)?,
        })
    }
}

impl TilingConfig {
    /// The tiling of `model_info`; `None` without `tile_size`.
    fn read(values: &Values<'_>) -> Result<Option<Self>, TaskError> {
        let Some(size) = values.get("tile_size") else {
            return Ok(None);
        };
        let tile_size = values.count_or("tile_size", 0)?;
        let tile_size = u32::try_from(tile_size)
            .ok()
            .filter(|&side| side > 0)
            .ok_or_else(|| TaskError::config("tile_size", size, "a tile has at least one pixel"))?;
        Ok(Some(Self {
            tile_size,
            tiles_overlap: values.overlap(tile_size)?,
            max_pred_number: values.count_or("max_pred_number", 100)?,
            iou_threshold: values.number_or("iou_threshold", 0.45)?,
            with_full_image: values.flag_or("tile_with_full_img", true)?,
        }))
    }
}

#[cfg(test)]
mod tests;
