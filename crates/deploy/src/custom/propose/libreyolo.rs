//! Detectors of `LibreYOLO` (version 1.6.0), whose metadata name the family, the classes and the size.
//!
//! Each family has its own pre-processing, and boxes of its own: those of its `YOLOv9` are edges, where
//! Ultralytics has centre and size in a table of the same shape.

use straylight_core::TaskType;
use straylight_engine::TensorInfo;

use super::Origin;
use super::draft::Draft;
use super::evidence::Evidence;
use super::ultralytics::dictionary;
use crate::DeployError;
use crate::custom::{Activation, Axis, BoxFormat, Channels, Column, Coordinates, Interpolation};

/// Blue first.
const BGR_MEAN: [f64; 3] = [103.53, 116.28, 123.675];
const BGR_DEVIATION: [f64; 3] = [57.375, 57.12, 58.395];

/// Reads a model whose metadata are those of `LibreYOLO`.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let family = evidence.metadata("model_family");
    let Some(family) = family.filter(|_| evidence.metadata("libreyolo_version").is_some()) else {
        return Ok(false);
    };
    match evidence.metadata("task") {
        None | Some("detect") => {}
        Some(other) => {
            return Err(evidence.refused(format!(
                "its metadata say task `{other}` of LibreYOLO; only `detect` is read"
            )));
        }
    }
    names(evidence, draft);
    size(evidence, draft);
    draft.task = Some(TaskType::Detection);
    draft.option("confidence_threshold", 0.25);
    draft.option("nms_max_predictions", 300);
    draft.say("options", Origin::Guess, "those of LibreYOLO's predict");
    match family {
        "yolo9" => yolo9(evidence, draft)?,
        "yolox" => yolox(evidence, draft)?,
        "rtmdet" => rtmdet(evidence, draft)?,
        "picodet" => picodet(evidence, draft)?,
        "dfine" => dfine(evidence, draft)?,
        _ => {
            return Err(evidence.refused(format!(
                "its metadata say family `{family}` of LibreYOLO, whose pre-processing is not known \
                 here; known are yolo9, yolox, rtmdet, picodet and dfine"
            )));
        }
    }
    Ok(true)
}

fn names(evidence: &Evidence<'_>, draft: &mut Draft) {
    let names = evidence.metadata("names").and_then(dictionary);
    let count = evidence.labels.as_ref().or(names.as_ref()).map(Vec::len);
    draft.classes = count;
    draft.labels = names;
}

/// The size of an input that is left open.
fn size(evidence: &Evidence<'_>, draft: &mut Draft) {
    let open = evidence.input.shape.iter().skip(1).any(Option::is_none);
    let side = |key: &str| evidence.metadata(key)?.parse().ok();
    if let (true, Some(width), Some(height)) = (open, side("imgsz_w"), side("imgsz_h")) {
        draft.input.size = Some([width, height]);
        draft.say("input.size", Origin::File, "imgsz of the metadata");
    }
}

fn yolo9(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    edges(evidence, draft, Axis::Columns)?;
    unit_pixels(draft);
    draft.input.interpolation = Interpolation::OpencvBilinear;
    let (how, why) = match evidence.metadata("letterbox_pad") {
        None | Some("topleft") => ("fit", "LibreYOLO: fitted into the upper left, grey 114"),
        Some("center") => ("letterbox", "LibreYOLO: letterbox, grey 114"),
        Some(other) => {
            return Err(evidence.refused(format!(
                "its metadata say letterbox_pad `{other}`; known are topleft and center"
            )));
        }
    };
    draft.resize(how, 114, Origin::File, why);
    Ok(())
}

fn yolox(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    use Column::{ClassScores, Height, Objectness, Width, X, Y};
    table(
        evidence,
        draft,
        &[X, Y, Width, Height, Objectness, ClassScores],
        Axis::Rows,
    )?;
    draft.input.channels = Channels::Bgr;
    draft.say("input.channels", Origin::File, "LibreYOLO: blue first");
    draft.pixels(&[], &[], Origin::File, "LibreYOLO: pixels as they are");
    draft.input.interpolation = Interpolation::PillowBilinear;
    upper_left(draft);
    Ok(())
}

fn rtmdet(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    edges(evidence, draft, Axis::Rows)?;
    draft.input.channels = Channels::Bgr;
    draft.say("input.channels", Origin::File, "LibreYOLO: blue first");
    let why = "LibreYOLO: ImageNet's mean and deviation, blue first";
    draft.pixels(&BGR_MEAN, &BGR_DEVIATION, Origin::File, why);
    draft.input.interpolation = Interpolation::PillowBilinear;
    upper_left(draft);
    Ok(())
}

fn picodet(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    edges(evidence, draft, Axis::Rows)?;
    let [mean, deviation] = [BGR_MEAN, BGR_DEVIATION].map(|[blue, green, red]| [red, green, blue]);
    let why = "LibreYOLO: ImageNet's mean and deviation";
    draft.pixels(&mean, &deviation, Origin::File, why);
    draft.input.interpolation = Interpolation::OpencvBilinear;
    stretched(draft);
    Ok(())
}

fn dfine(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    let (scores, boxes) = (
        evidence.ending("pred_logits"),
        evidence.ending("pred_boxes"),
    );
    let Some((scores, boxes)) = scores.zip(boxes) else {
        return Err(unlike(evidence));
    };
    draft.outputs.scores = Some(scores.name.clone());
    draft.outputs.boxes = Some(boxes.name.clone());
    draft.outputs.box_format = BoxFormat::Centre;
    draft.outputs.coordinates = Coordinates::Fractions;
    draft.outputs.activation = Some(Activation::Sigmoid);
    draft.outputs.several_classes = true;
    draft.option("nms_execute", false);
    draft.say("outputs", Origin::File, "LibreYOLO: D-FINE");
    unit_pixels(draft);
    draft.input.interpolation = Interpolation::PillowBilinear;
    stretched(draft);
    Ok(())
}

/// Candidates with their edges and a score for each class, several of which may count.
fn edges(evidence: &Evidence<'_>, draft: &mut Draft, candidates: Axis) -> Result<(), DeployError> {
    use Column::{Bottom, ClassScores, Left, Right, Top};
    draft.outputs.several_classes = true;
    table(
        evidence,
        draft,
        &[Left, Top, Right, Bottom, ClassScores],
        candidates,
    )
}

fn table(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    columns: &[Column],
    candidates: Axis,
) -> Result<(), DeployError> {
    let is_table = |output: &&TensorInfo| output.shape.len() == 3;
    let Some(output) = evidence.outputs.first().filter(is_table) else {
        return Err(unlike(evidence));
    };
    draft.outputs.detections = Some(output.name.clone());
    draft.outputs.columns = columns.to_vec();
    draft.outputs.candidates = Some(candidates);
    draft.option("nms_execute", true);
    draft.option("iou_threshold", 0.45);
    draft.say(
        "outputs.columns",
        Origin::File,
        "the family that its metadata name",
    );
    Ok(())
}

fn unlike(evidence: &Evidence<'_>) -> DeployError {
    evidence.refused(format!(
        "its outputs are not those of the family that its metadata name: {}",
        evidence.listed()
    ))
}

fn unit_pixels(draft: &mut Draft) {
    draft.pixels(&[], &[255.0], Origin::File, "LibreYOLO: pixels of 0 to 1");
}

fn upper_left(draft: &mut Draft) {
    let why = "LibreYOLO: fitted into the upper left, grey 114";
    draft.resize("fit", 114, Origin::File, why);
}

fn stretched(draft: &mut Draft) {
    draft.resize("stretch", 0, Origin::File, "LibreYOLO: stretched");
}
