//! Detectors with queries: `logits` and `pred_boxes` (Hugging Face), `dets` and `labels` (RF-DETR).

use straylight_core::TaskType;
use straylight_engine::TensorInfo;

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, is_integer};
use crate::DeployError;
use crate::custom::{Activation, BoxFormat, Coordinates, Interpolation, MaskArea};

pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    if let (Some(logits), Some(boxes)) = (evidence.ending("logits"), evidence.ending("pred_boxes"))
    {
        return hugging_face(evidence, draft, logits, boxes);
    }
    let (boxes, logits) = (evidence.ending("dets"), evidence.ending("labels"));
    if let (Some(boxes), Some(logits)) = (boxes, logits)
        && boxes.shape.last() == Some(&Some(4))
        && logits.shape.len() == 3
        && !is_integer(logits)
    {
        return rf_detr(evidence, draft, logits, boxes);
    }
    Ok(false)
}

fn common(draft: &mut Draft, logits: &TensorInfo, boxes: &TensorInfo) {
    draft.task = Some(TaskType::Detection);
    draft.outputs.boxes = Some(boxes.name.clone());
    draft.outputs.scores = Some(logits.name.clone());
    draft.outputs.box_format = BoxFormat::Centre;
    draft.outputs.coordinates = Coordinates::Fractions;
    draft.option("nms_execute", false);
    draft.option("confidence_threshold", 0.5);
    draft.say(
        "options.confidence_threshold",
        Origin::Guess,
        "0.5, as the library's predictions",
    );
}

fn hugging_face(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    logits: &TensorInfo,
    boxes: &TensorInfo,
) -> Result<bool, DeployError> {
    let Some(&Some(width)) = logits.shape.last() else {
        return Ok(false);
    };
    let names = evidence
        .labels
        .as_ref()
        .or(draft.labels.as_ref())
        .map(Vec::len);
    common(draft, logits, boxes);
    match names {
        Some(count) if count + 1 == width => {
            draft.outputs.activation = Some(Activation::Softmax);
            draft.outputs.background = Some(count);
            let why = format!("{width} scores for {count} labels: DETR, the last is no object");
            draft.say("outputs.activation", Origin::Graph, why);
        }
        Some(count) if count == width => {
            draft.outputs.activation = Some(Activation::Sigmoid);
            draft.outputs.several_classes = true;
            let why = format!("{width} scores for {count} labels: each class for itself");
            draft.say("outputs.activation", Origin::Graph, why);
        }
        _ => {
            let reason = format!(
                "`{}` has {width} scores for each box: DETR has one more than labels (softmax), RT-DETR, \
                 D-FINE and Deformable DETR as many (sigmoid); the number of labels decides",
                logits.name
            );
            return Err(evidence.undecided(
                "labels",
                reason,
                &[(
                    "--set labels=NAME,NAME",
                    "or labels.txt, or Hugging Face's config.json beside the model",
                )],
            ));
        }
    }
    draft.classes = names;
    // The library takes as many of the best scores as there are queries.
    if let Some(queries) = boxes.shape.get(1).copied().flatten() {
        draft.option("nms_max_predictions", queries);
    }
    Ok(true)
}

fn rf_detr(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    logits: &TensorInfo,
    boxes: &TensorInfo,
) -> Result<bool, DeployError> {
    /// Numbers of COCO's classes go from 1 to 90.
    const COCO: usize = 91;
    let Some(&Some(width)) = logits.shape.last() else {
        return Ok(false);
    };
    let names = evidence.labels.as_ref().map(Vec::len);
    common(draft, logits, boxes);
    draft.outputs.activation = Some(Activation::Sigmoid);
    draft.outputs.several_classes = true;
    draft.pixels(
        &[123.675, 116.28, 103.53],
        &[58.395, 57.12, 57.375],
        Origin::Graph,
        "RF-DETR: ImageNet's mean and deviation",
    );
    // `predict` of version 1.11 scales without a filter against aliases.
    draft.input.interpolation = Interpolation::OpencvBilinear;
    draft.say("outputs", Origin::Graph, "`dets` and `labels` of RF-DETR");
    draft.resize("stretch", 0, Origin::Graph, "RF-DETR: stretched");
    if let Some(masks) = evidence.ending("masks") {
        draft.task = Some(TaskType::InstanceSegmentation);
        draft.outputs.masks = Some(masks.name.clone());
        draft.outputs.mask_area = MaskArea::Input;
        draft.outputs.mask_activation = Some(Activation::Sigmoid);
    }
    // `num_select` of its configurations is the number of queries.
    let queries = boxes.shape.get(1).copied().flatten();
    draft.option("nms_max_predictions", queries.unwrap_or(300));
    match names {
        None if width == COCO => draft.classes = Some(width),
        Some(count) if count == width => draft.classes = Some(width),
        Some(count) if count + 1 == width && width != COCO => {
            draft.outputs.background = Some(count);
            draft.classes = Some(count);
            draft.say(
                "outputs.background",
                Origin::Graph,
                "RF-DETR: the last score is of no class",
            );
        }
        None => {
            draft.outputs.background = Some(width - 1);
            draft.classes = Some(width - 1);
            draft.say(
                "outputs.background",
                Origin::Guess,
                "RF-DETR: the last score is of no class",
            );
        }
        Some(count) => {
            let reason = format!(
                "`{}` has {width} scores, and there are {count} labels",
                logits.name
            );
            return Err(evidence.undecided(
                "labels",
                reason,
                &[(
                    "--set labels=NAME,NAME",
                    "as many as scores, or one less for a model of one's own",
                )],
            ));
        }
    }
    Ok(true)
}
