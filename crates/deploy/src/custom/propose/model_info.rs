//! Models that describe themselves in the words of Model API (`model_info`).

use straylight_core::TaskType;
use straylight_tasks::{ModelType, ResizeType, TaskConfig};

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, core};
use crate::DeployError;
use crate::custom::{Activation, Channels};

/// Keys that say nothing about numbers, or are read below.
const KNOWN: [&str; 29] = [
    "model_type",
    "labels",
    "label_ids",
    "label_info",
    "mean_values",
    "scale_values",
    "reverse_input_channels",
    "resize_type",
    "pad_value",
    "confidence_threshold",
    "iou_threshold",
    "multilabel",
    "topk",
    "task_type",
    "task",
    "output_raw_scores",
    "hierarchical",
    "optimization_config",
    "model_name",
    "layout",
    "input_layout",
    "nms_execute",
    "agnostic_nms",
    "nms_max_predictions",
    "image_shape",
    "description",
    "author",
    "license",
    "otx_version",
];

/// Fills the draft from `model_info`; `false` when there is none that says what the outputs are.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    // Ultralytics' own metadata say more.
    let ultralytics = evidence.metadata("names").is_some() && evidence.metadata("task").is_some();
    if info.iter().next().is_none() || ultralytics {
        return Ok(false);
    }
    let kind = info.get("model_type");
    // Ultralytics' OpenVINO exports of v8 and later say `YOLO`.
    let known = |value: &str| {
        if value == "YOLO" {
            "YOLOv8".to_owned()
        } else {
            value.to_owned()
        }
    };
    let entries = info
        .iter()
        .map(|(key, value)| (key.to_owned(), known(value)))
        .collect();
    let config = TaskConfig::from_model_info(&entries).map_err(|source| DeployError::Task {
        path: evidence.model.clone(),
        source,
    })?;
    let strange = info
        .iter()
        .map(|(key, _)| key)
        .find(|key| !KNOWN.contains(key));
    let supported = kind.is_none()
        || matches!(
            config.model_type,
            ModelType::Classification | ModelType::Ssd | ModelType::YoloV5
        );
    if !supported || strange.is_some() || config.hierarchy.is_some() {
        let what = strange.map_or_else(
            || format!("model_type {}", kind.unwrap_or_default()),
            |key| format!("the key {key}"),
        );
        return Err(evidence.refused(format!(
            "its model_info has {what}, which a description cannot say: load it as a deployment of Geti"
        )));
    }
    if !config.labels.is_empty() {
        draft.labels = Some(config.labels.clone());
        draft.say("labels", Origin::File, "model_info");
    }
    check_layout(evidence, draft)?;
    let Some(kind) = kind else {
        return input_alone(evidence, draft, &config);
    };
    pixels(evidence, draft, &config)?;
    match config.model_type {
        ModelType::Classification => classifier(evidence, draft, &config),
        ModelType::YoloV5 => yolo(evidence, draft, &config)?,
        _ => super::parts::read(evidence, draft)?
            .then_some(())
            .ok_or_else(|| {
                evidence.refused(format!(
                    "its model_info says {kind}, but it has {}",
                    evidence.listed()
                ))
            })?,
    }
    channels(evidence, draft, config.model_type == ModelType::YoloV5)?;
    Ok(true)
}

/// What is said of the image by a `model_info` without `model_type`; the outputs are found by their
/// looks.
fn input_alone(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    config: &TaskConfig,
) -> Result<bool, DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    let says = |keys: &[&str]| keys.iter().any(|key| info.get(key).is_some());
    if says(&["mean_values", "scale_values", "resize_type", "pad_value"]) {
        pixels(evidence, draft, config)?;
    }
    if says(&["reverse_input_channels"]) {
        channels(evidence, draft, false)?;
    }
    Ok(false)
}

/// Refuses a layout that the graph contradicts.
fn check_layout(evidence: &Evidence<'_>, draft: &Draft) -> Result<(), DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    for key in ["layout", "input_layout"] {
        // Such as `image:NCHW`.
        let said = info.get(key).and_then(|text| text.rsplit(':').next());
        let said = said.map(|text| text.trim().to_ascii_uppercase());
        if said.is_some_and(|said| !said.is_empty() && Some(&said) != draft.input.layout.as_ref()) {
            let reason = format!(
                "is no layout of one image of shape {}",
                evidence.input.shape_text()
            );
            return Err(DeployError::config(&evidence.model, key, reason));
        }
    }
    Ok(())
}

/// A switch: Python writes `True`, OpenVINO's `set_rt_info(True)` becomes `YES`.
fn switch(evidence: &Evidence<'_>, key: &str) -> Result<Option<bool>, DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    match info.get(key).map(str::to_ascii_lowercase).as_deref() {
        // Python's word for nothing.
        None | Some("none" | "") => Ok(None),
        Some("true" | "yes" | "1") => Ok(Some(true)),
        Some("false" | "no" | "0") => Ok(Some(false)),
        Some(other) => {
            let reason = format!("`{other}` is neither True nor False");
            Err(DeployError::config(&evidence.model, key, reason))
        }
    }
}

fn pixels(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    config: &TaskConfig,
) -> Result<(), DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    let numbers = |key: &str| -> Result<Vec<f64>, DeployError> {
        let words = info.get(key).unwrap_or_default().split_whitespace();
        let wrong = |_| DeployError::config(&evidence.model, key, "wanted numbers");
        words
            .map(|word| word.parse::<f64>().map_err(wrong))
            .collect()
    };
    let mut scale = numbers("scale_values")?;
    let yolo = config.model_type == ModelType::YoloV5;
    if scale.is_empty() && yolo {
        scale = vec![255.0];
    }
    draft.pixels(&numbers("mean_values")?, &scale, Origin::File, "model_info");
    let pad = match numbers("pad_value")?.as_slice() {
        [] => {
            if yolo {
                114
            } else {
                0
            }
        }
        &[level] if (0.0..=255.0).contains(&level) && level.fract() == 0.0 => level as u8,
        _ => {
            let reason = "wanted one whole number of 0 to 255";
            return Err(DeployError::config(&evidence.model, "pad_value", reason));
        }
    };
    let how = match config.resize {
        ResizeType::FitToWindow => "fit",
        ResizeType::FitToWindowLetterbox | ResizeType::Letterbox => "letterbox",
        ResizeType::Crop => "crop",
        _ => "stretch",
    };
    draft.resize(how, pad, Origin::File, "model_info");
    Ok(())
}

/// The order of the channels.
///
/// Geti hands its models images with red first, and `True` means that the network wants blue
/// first. Whoever uses Model API with OpenCV hands it images with blue first, so that `True`,
/// and the default of its YOLO models, means red first.
fn channels(evidence: &Evidence<'_>, draft: &mut Draft, yolo: bool) -> Result<(), DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    let reversed = switch(evidence, "reverse_input_channels")?;
    let of_geti = ["label_ids", "task_type", "optimization_config"];
    let of_geti = of_geti.iter().any(|key| info.get(key).is_some());
    match (of_geti, reversed.unwrap_or(yolo)) {
        (true, true) => draft.input.channels = Channels::Bgr,
        (true, false) | (false, true) => {}
        (false, false) => {
            return Err(evidence.undecided(
                "input.channels",
                "its model_info does not reverse channels: they are as in the images that it was given",
                &[
                    ("--set input.channels=bgr", "given images of OpenCV, blue first"),
                    ("--set input.channels=rgb", "given images with red first"),
                ],
            ));
        }
    }
    draft.say("input.channels", Origin::File, "model_info");
    Ok(())
}

fn classifier(evidence: &Evidence<'_>, draft: &mut Draft, config: &TaskConfig) {
    draft.task = Some(TaskType::Classification);
    let named = |name: &str| evidence.output(name).map(|output| output.name.clone());
    draft.outputs.features = named("feature_vector");
    draft.outputs.saliency_map = named("saliency_map");
    let rest = evidence
        .outputs
        .iter()
        .find(|output| !matches!(output.name.as_str(), "feature_vector" | "saliency_map"));
    draft.outputs.scores = rest.map(|output| output.name.clone());
    draft.outputs.activation = None;
    draft.option("multilabel", config.multilabel);
    draft.option("topk", config.topk);
    draft.option(
        "confidence_threshold",
        f64::from(config.confidence_threshold),
    );
    draft.say(
        "outputs",
        Origin::Graph,
        "the names that Geti's models have",
    );
}

fn yolo(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    config: &TaskConfig,
) -> Result<(), DeployError> {
    use crate::custom::{Axis, Column};
    // Ultralytics writes the same model_info for all its tasks and heads.
    let is_raw = match evidence.outputs.as_slice() {
        [rows] => core(&rows.shape, 2).first() == Some(&Some(4 + config.labels.len())),
        _ => false,
    };
    if !is_raw {
        return Err(evidence.refused(format!(
            "its model_info says YOLO and {} labels, which does not tell what its outputs are: {}; keep \
             `metadata.yaml`, which Ultralytics writes, beside the model",
            config.labels.len(),
            evidence.listed()
        )));
    }
    draft.task = Some(TaskType::Detection);
    draft.outputs.detections = evidence.outputs.first().map(|output| output.name.clone());
    draft.outputs.columns = vec![
        Column::X,
        Column::Y,
        Column::Width,
        Column::Height,
        Column::ClassScores,
    ];
    draft.outputs.candidates = Some(Axis::Columns);
    draft.outputs.activation = Some(Activation::None);
    draft.option("nms_execute", true);
    draft.option(
        "confidence_threshold",
        f64::from(config.confidence_threshold),
    );
    draft.option("iou_threshold", config.iou_threshold);
    draft.option("nms_max_predictions", config.nms_max_predictions);
    draft.say("outputs.columns", Origin::File, "model_info: a YOLO");
    Ok(())
}
