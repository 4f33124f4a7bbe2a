//! The keys of `model_info`: those that change numbers and are understood, and those that do not
//! change any. Any other key is refused, because a wrong number is worse than none.

use std::collections::BTreeMap;

/// Keys that are read: by pre-processing, post-processing, or to name labels.
const UNDERSTOOD: [&str; 54] = [
    "agnostic_nms",
    "apply_softmax",
    "blur_strength",
    "confidence_threshold",
    "embedded_processing",
    "hierarchical",
    "hierarchical_config",
    "hierarchical_postproc",
    "image_threshold",
    "input_dtype",
    "input_layout",
    "intensity_max_value",
    "intensity_min_value",
    "intensity_mode",
    "intensity_percentile_high",
    "intensity_percentile_low",
    "intensity_repeat_channels",
    "intensity_scale_factor",
    "intensity_window_center",
    "intensity_window_width",
    "input_size",
    "interpolation",
    "interpolation_mode",
    "iou_threshold",
    "label_ids",
    "label_info",
    "labels",
    "max_pred_number",
    "mean_values",
    "model_type",
    "multilabel",
    "nms_execute",
    "nms_max_predictions",
    "normalization_scale",
    "orig_height",
    "orig_width",
    "pad_value",
    "padding_multiple",
    "pixel_threshold",
    "resize_type",
    "reverse_input_channels",
    "scale_values",
    "scaled_size",
    "shorter_side",
    "soft_threshold",
    "task_type",
    "tile_size",
    "tile_with_full_img",
    "tiles_overlap",
    "topk",
    "use_ellipse_shapes",
    // How results are given, which is the same here for both values: scores are always kept, and
    // masks and soft scores become shapes.
    "output_raw_scores",
    "postprocess_semantic_masks",
    "return_soft_prediction",
];

/// Keys that change no number: who made the model, and how it may be optimised or placed.
const HARMLESS: [&str; 19] = [
    "converter_type",
    "description",
    "getitune_version",
    "image_shape",
    // The size of a camera's images, which only saves a device from dynamic shapes.
    "input_frame_height",
    "input_frame_width",
    "label_groups",
    "label_tree_edges",
    "model_name",
    "model_version",
    "name",
    "optimization_config",
    "otx_version",
    "task",
    "type_of_model",
    "date",
    "author",
    "license",
    "version",
];

/// Keys with their values.
type Entries = &'static [(&'static str, &'static str)];

/// Defaults of a family of models that are not those of all others (`ModelAPI` 0.4.7).
const OF_FAMILIES: [(&[&str], Entries); 3] = [
    (
        &["yolo11", "yolov5", "yolov8"],
        &[
            ("scale_values", "255.0"),
            ("reverse_input_channels", "True"),
            ("pad_value", "114"),
        ],
    ),
    (
        &["yolo-seg"],
        &[("scale_values", "255.0"), ("pad_value", "114")],
    ),
    (&["yolox"], &[("pad_value", "114")]),
];

/// Whether a key may be there.
pub(crate) fn is_known(key: &str) -> bool {
    UNDERSTOOD.contains(&key) || HARMLESS.contains(&key)
}

/// Fills in what is absent and has a default of its own in the model's family.
pub(crate) fn fill_defaults(values: &mut BTreeMap<String, String>) {
    let family = values
        .get("model_type")
        .map(|family| family.to_ascii_lowercase());
    let Some(family) = family else {
        return;
    };
    let all = OF_FAMILIES.iter();
    let own = all.filter(|(families, _)| families.contains(&family.as_str()));
    for (key, value) in own.flat_map(|(_, defaults)| *defaults) {
        values
            .entry((*key).to_owned())
            .or_insert_with(|| (*value).to_owned());
    }
}
