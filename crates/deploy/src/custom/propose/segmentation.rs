//! Semantic segmentation: scores for each class and pixel, or the class of each pixel.

use straylight_core::TaskType;
use straylight_engine::TensorInfo;

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, is_integer};
use crate::DeployError;
use crate::custom::Activation;

pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let mut planes = evidence.outputs.iter().filter(|output| is_plane(output));
    let Some(first) = planes.next() else {
        return Ok(false);
    };
    // torchvision's second output, `aux`, is for the training.
    let output = planes.find(|output| output.name == "out").unwrap_or(first);
    let background = evidence.labels.iter().flatten().next();
    let named = background
        .map(|name| name.trim_matches('_').to_lowercase())
        .is_some_and(|name| name == "background");
    if named {
        return Err(evidence.undecided(
            "labels",
            "labels.txt names the background, which gets no label",
            &[(
                "--set labels=NAME,NAME --set outputs.background=0",
                "the names without the background",
            )],
        ));
    }
    draft.task = Some(TaskType::Segmentation);
    if is_integer(output) {
        return class_map(evidence, draft, output);
    }
    let Some(count) = output.shape.get(1).copied().flatten() else {
        return Ok(false);
    };
    draft.outputs.scores = Some(output.name.clone());
    let labels = evidence
        .labels
        .as_ref()
        .or(draft.labels.as_ref())
        .map(Vec::len);
    match labels {
        Some(labels) if labels + 1 == count => {
            draft.outputs.background = Some(0);
            draft.say(
                "outputs.background",
                Origin::Graph,
                format!("{count} planes for {labels} labels: the first is the background"),
            );
        }
        Some(labels) if labels == count => {
            draft.say(
                "outputs.background",
                Origin::Graph,
                "as many planes as labels: no background",
            );
        }
        None if count == 1 => draft.classes = Some(1),
        None | Some(_) => {
            let reason = format!(
                "`{}` has {count} planes: one for each label, and maybe one for the background",
                output.name
            );
            return Err(evidence.undecided(
                "labels",
                reason,
                &[
                    (
                        "--set labels=NAME,NAME",
                        "as many names as planes: no background",
                    ),
                    (
                        "--set labels=NAME,NAME --set outputs.background=0",
                        "one name less: the first plane is the background",
                    ),
                ],
            ));
        }
    }
    draft.classes = draft.classes.or(labels);
    activation(evidence, draft, output, count);
    Ok(true)
}

/// An image-like output: [1, C, h, w], or [1, h, w] of whole numbers.
fn is_plane(output: &TensorInfo) -> bool {
    let wide = |side: &Option<usize>| side.is_none_or(|side| side > 8);
    match output.shape.as_slice() {
        [_, Some(_), height, width] if !is_integer(output) => wide(height) && wide(width),
        [_, Some(1), height, width] | [_, height, width] => {
            is_integer(output) && wide(height) && wide(width)
        }
        _ => false,
    }
}

fn class_map(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    output: &TensorInfo,
) -> Result<bool, DeployError> {
    draft.outputs.classes = Some(output.name.clone());
    draft.say(
        "outputs.classes",
        Origin::Graph,
        "whole numbers for each pixel",
    );
    let Some(labels) = evidence
        .labels
        .as_ref()
        .or(draft.labels.as_ref())
        .map(Vec::len)
    else {
        return Err(evidence.undecided(
            "labels",
            "how many classes its map has is not known",
            &[(
                "--set labels=NAME,NAME --set outputs.background=0",
                "without the background, if class 0 is one",
            )],
        ));
    };
    let place = evidence
        .outputs
        .iter()
        .position(|other| other.name == output.name);
    let all = evidence.probe().zip(place).map(|(probe, place)| {
        let values = probe.all(place).flat_map(|tensor| tensor.values.iter());
        values.fold(0.0_f32, |a, &b| a.max(b))
    });
    if all == Some(labels as f32) {
        draft.outputs.background = Some(0);
        draft.say(
            "outputs.background",
            Origin::Graph,
            format!("the graph gives class {labels} for {labels} labels"),
        );
        return Ok(true);
    }
    Err(evidence.undecided(
        "outputs.background",
        "whether class 0 is the background or the first label is not known",
        &[
            ("--set outputs.background=0", "class 0 is the background"),
            (
                "--set outputs.background=null",
                "class 0 is the first label",
            ),
        ],
    ))
}

/// Logits or probabilities, by the last node and by the numbers that the graph gives.
fn activation(evidence: &Evidence<'_>, draft: &mut Draft, output: &TensorInfo, count: usize) {
    let place = evidence
        .outputs
        .iter()
        .position(|other| other.name == output.name);
    let range = evidence.probe().zip(place).map(|(probe, place)| {
        let values = probe.all(place).flat_map(|tensor| tensor.values.iter());
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        })
    });
    let last = evidence.last_node(&output.name);
    let done = matches!(last, Some("Softmax" | "Sigmoid"))
        || last.is_none() && range.is_some_and(|(low, high)| low >= 0.0 && high <= 1.0);
    let (activation, why) = match (done, count) {
        (true, _) => (Activation::None, "probabilities: the graph ends in them"),
        (false, 1) => (Activation::Sigmoid, "one plane of logits"),
        (false, _) => (Activation::Softmax, "logits"),
    };
    draft.outputs.activation = Some(activation);
    draft.say("outputs.activation", Origin::Graph, why);
}
