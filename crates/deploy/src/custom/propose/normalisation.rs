//! Mean and scale of a model that does not say them.

use straylight_core::TaskType;

use super::draft::Draft;
use super::evidence::Evidence;
use super::{Assignment, Origin};
use crate::DeployError;

/// Below it, all images have the same probabilities.
const SAME: f32 = 0.02;
/// Above it, images are told apart.
const TOLD_APART: f32 = 0.1;

/// Decides how pixels are normalised, or asks.
pub(super) fn settle(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    assignments: &[Assignment],
) -> Result<(), DeployError> {
    let said = |one: &Assignment| matches!(one.key(), "input.mean" | "input.scale");
    if draft.normalised || assignments.iter().any(said) {
        return Ok(());
    }
    if evidence.input.element == straylight_engine::ElementType::U8 {
        draft.pixels(
            &[],
            &[],
            Origin::Graph,
            "the input takes whole numbers, 0 to 255",
        );
        return Ok(());
    }
    if tflite_says(evidence, draft) {
        return Ok(());
    }
    if evidence
        .probe()
        .is_some_and(super::probe::Probe::is_constant)
    {
        draft.pixels(
            &[],
            &[],
            Origin::Graph,
            "the results do not depend on the pixels",
        );
        return Ok(());
    }
    if tells_raw_pixels(evidence, draft) {
        let why = "images are told apart in 0 to 255 only, not in 0 to 1";
        draft.pixels(&[], &[], Origin::Graph, why);
        return Ok(());
    }
    Err(ask(evidence, draft))
}

/// TFLite's metadata.
fn tflite_says(evidence: &Evidence<'_>, draft: &mut Draft) -> bool {
    let numbers = |key: &str| -> Option<Vec<f64>> {
        let text = evidence
            .facts
            .get(straylight_engine::graph::Place::TfliteMetadata, key)?;
        text.split_whitespace()
            .map(|word| word.parse().ok())
            .collect()
    };
    let (Some(mean), Some(scale)) = (numbers("input/0/mean"), numbers("input/0/std")) else {
        return false;
    };
    draft.pixels(&mean, &scale, Origin::File, "TFLITE_METADATA");
    true
}

/// Whether a model of at most one layer makes sense for pixels of 0 to 255 only.
///
/// Of deeper networks the numbers tell nothing: they tell images apart in either range.
fn tells_raw_pixels(evidence: &Evidence<'_>, draft: &Draft) -> bool {
    if evidence.linear_layers() > 1 {
        return false;
    }
    let classifies = draft.task == Some(TaskType::Classification);
    let name = draft
        .outputs
        .scores
        .as_deref()
        .or(draft.outputs.detections.as_deref());
    let name = name.unwrap_or_default();
    let place = evidence
        .outputs
        .iter()
        .position(|output| output.name == name);
    let (Some(probe), Some(place)) = (evidence.probe(), place) else {
        return false;
    };
    let done = !classifies || matches!(evidence.last_node(name), Some("Softmax" | "Sigmoid"));
    let change = |values: &[f32]| match values {
        _ if done => values.to_vec(),
        [one] => vec![1.0 / (1.0 + (-one).exp())],
        _ => softmax(values),
    };
    let [raw, divided] = [false, true].map(|divided| probe.spread(place, divided, change));
    divided < SAME && raw > TOLD_APART
}

fn softmax(values: &[f32]) -> Vec<f32> {
    let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| (value - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn ask(evidence: &Evidence<'_>, draft: &Draft) -> DeployError {
    let classifier = draft.task == Some(TaskType::Classification);
    let mut lines = Vec::new();
    if classifier {
        lines.push((
            "--recipe torchvision",
            "trained with torchvision: ImageNet's mean and deviation, middle cut out",
        ));
        lines.push(("--recipe timm", "the same, bicubic, as most models of timm"));
    } else {
        lines.push(("--recipe imagenet", "ImageNet's mean and deviation"));
        lines.push((
            "--recipe mmdetection",
            "the same, image fitted into the input",
        ));
    }
    lines.push(("--recipe unit", "pixels of 0 to 1"));
    lines.push(("--recipe symmetric", "pixels of -1 to 1"));
    lines.push((
        "--recipe pixels",
        "pixels of 0 to 255, as many models of Keras take",
    ));
    lines.push((
        "--set input.mean=123.675,116.28,103.53 --set input.scale=58.395,57.12,57.375",
        "any other numbers, for pixels of 0 to 255",
    ));
    evidence.undecided(
        "input.mean, input.scale",
        "neither the file nor the graph says how its pixels are normalised, and the numbers differ",
        &lines,
    )
}
