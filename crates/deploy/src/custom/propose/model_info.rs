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

/// Fills the draft from `model_info`; `false` when there is none with a type of model.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let info = evidence.facts.model_info().unwrap_or_default();
    let Some(kind) = info.get("model_type") else {
        return Ok(false);
    };
    // Ultralytics' own metadata say more.
    if evidence.metadata("names").is_some() && evidence.metadata("task").is_some() {
        return Ok(false);
    }
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
    let supported = matches!(
        config.model_type,
        ModelType::Classification | ModelType::Ssd | ModelType::YoloV5
    );
    if !supported || strange.is_some() || config.hierarchy.is_some() {
        let what = strange.map_or_else(
            || format!("model_type {kind}"),
            |key| format!("the key {key}"),
        );
        return Err(evidence.refused(format!(
            "its model_info has {what}, which a description cannot say: load it as a deployment of Geti"
        )));
    }
    draft.labels = (!config.labels.is_empty()).then(|| config.labels.clone());
    draft.say("labels", Origin::File, "model_info");
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

/// Python writes `True`, OpenVINO's `set_rt_info(True)` becomes `YES`.
fn is_true(text: &str) -> bool {
    ["true", "yes", "1"].contains(&text.to_ascii_lowercase().as_str())
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
    let pad = info.get("pad_value").and_then(|text| text.parse().ok());
    let pad = pad.unwrap_or(if yolo { 114 } else { 0 });
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
    let reversed = info.get("reverse_input_channels").map(is_true);
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
