//! Classifiers: one score for each class, or one for two.

use straylight_core::TaskType;
use straylight_engine::graph::ModelDetail;
use straylight_engine::{Dimension, TensorInfo};
use straylight_tasks::SALIENCY_MAP;

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, is_integer};
use crate::DeployError;
use crate::custom::Activation;

/// Words in the names of outputs that hold class scores.
const SCORES: [&str; 5] = ["logit", "prob", "score", "softmax", "class"];
/// Words in the names of outputs that hold feature vectors.
const FEATURES: [&str; 4] = ["feature", "embed", "pool", "hidden"];

pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    // A detector of no known form is no classifier, whatever shapes its outputs have.
    let finds = |output: &TensorInfo| {
        let name = output.name.to_lowercase();
        name.contains("box") || name.contains("detection")
    };
    if evidence.outputs.iter().any(finds) {
        return Ok(false);
    }
    let tflite = matches!(evidence.facts.detail, ModelDetail::Tflite(_));
    let is_plain_integer =
        |output: &&TensorInfo| is_integer(output) && !evidence.is_quantised(&output.name);
    if let (true, Some(output)) = (tflite, evidence.outputs.iter().find(is_plain_integer)) {
        return Err(evidence.refused(format!(
            "its output `{}` holds integers, and the file does not say for which numbers they stand: \
             export it with floating point output",
            output.name
        )));
    }
    let vectors = evidence.outputs.iter().filter(|one| !is_plain_integer(one));
    let names = evidence
        .labels
        .as_ref()
        .or(draft.labels.as_ref())
        .map(Vec::len);
    let open = |output: &TensorInfo| names.filter(|_| matches!(output.shape.as_slice(), [_, None]));
    let mut vectors: Vec<(&TensorInfo, usize)> = vectors
        .filter_map(|output| Some((output, width(&output.shape).or_else(|| open(output))?)))
        .collect();
    // Named scores first, named features last, and of equals the narrower first.
    vectors.sort_by_key(|(output, width)| (has(output, &FEATURES), !has(output, &SCORES), *width));
    let Some(&(scores, count)) = vectors.first() else {
        return Ok(false);
    };
    draft.task = Some(TaskType::Classification);
    draft.outputs.scores = Some(scores.name.clone());
    let named = has(scores, &SCORES) || vectors.len() == 1;
    let origin = if named { Origin::Graph } else { Origin::Guess };
    draft.say(
        "outputs.scores",
        origin,
        format!("`{}` {}", scores.name, scores.shape_text()),
    );
    if let Some((features, _)) = vectors.get(1) {
        draft.outputs.features = Some(features.name.clone());
        let origin = if has(features, &FEATURES) {
            Origin::Graph
        } else {
            Origin::Guess
        };
        let why = format!("`{}` {}", features.name, features.shape_text());
        draft.say("outputs.features", origin, why);
    }
    let saliency = evidence.output(SALIENCY_MAP);
    draft.outputs.saliency_map = saliency.map(|output| output.name.clone());
    if count == 1 {
        return one_score(evidence, draft, scores);
    }
    draft.classes = Some(count);
    several(evidence, draft, scores)?;
    Ok(true)
}

fn has(output: &TensorInfo, words: &[&str]) -> bool {
    let name = output.name.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

/// The length of a vector: a shape with one dimension that is not 1 or unknown, the last ones
/// may be 1.
fn width(shape: &[Dimension]) -> Option<usize> {
    match shape {
        // The last is a hidden state of one place.
        [_, Some(width)] | [_, Some(width), Some(1), Some(1)] | [_, Some(1), Some(width)] => {
            Some(*width)
        }
        _ => None,
    }
}

/// The least and the greatest value that the graph gave.
fn range(evidence: &Evidence<'_>, output: &TensorInfo) -> Option<(f32, f32)> {
    let place = evidence
        .outputs
        .iter()
        .position(|other| other.name == output.name)?;
    let values = evidence
        .probe()?
        .all(place)
        .flat_map(|tensor| tensor.values.iter());
    let range = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    (range.0 <= range.1).then_some(range)
}

/// One score for two labels.
fn one_score(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    scores: &TensorInfo,
) -> Result<bool, DeployError> {
    let sigmoid = evidence
        .last_node(&scores.name)
        .map(|kind| kind == "Sigmoid");
    let inside = range(evidence, scores).is_some_and(|(low, high)| low >= 0.0 && high <= 1.0);
    draft.outputs.one_score = true;
    draft.classes = Some(2);
    let (activation, why) = match sigmoid {
        Some(true) => (
            Activation::None,
            "one score behind a sigmoid: that of the second label",
        ),
        None if inside => (
            Activation::None,
            "one score of 0 to 1: that of the second label",
        ),
        Some(false) if inside && evidence.linear_layers() == 0 => {
            return Err(evidence.undecided(
                "outputs.activation",
                "its one score lies in 0 to 1 without a sigmoid in the graph: is it a probability or a logit?",
                &[
                    ("--set outputs.activation=none", "a probability"),
                    ("--set outputs.activation=sigmoid", "a logit"),
                ],
            ));
        }
        _ => (Activation::Sigmoid, "one logit: that of the second label"),
    };
    draft.outputs.activation = Some(activation);
    draft.say("outputs.activation", Origin::Graph, why);
    Ok(true)
}

/// A score for each class.
fn several(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    scores: &TensorInfo,
) -> Result<(), DeployError> {
    match evidence.last_node(&scores.name) {
        Some("Softmax") => {
            draft.outputs.activation = Some(Activation::None);
            draft.say(
                "outputs.activation",
                Origin::Graph,
                "probabilities: the graph ends in a softmax",
            );
        }
        Some("Sigmoid") => {
            draft.outputs.activation = Some(Activation::None);
            draft.option("multilabel", true);
            draft.say(
                "outputs.activation",
                Origin::Graph,
                "the graph ends in a sigmoid: several labels at once",
            );
        }
        Some("LogSoftmax") => {
            draft.outputs.activation = Some(Activation::Softmax);
            draft.say(
                "outputs.activation",
                Origin::Graph,
                "logarithms of probabilities",
            );
        }
        last => by_numbers(evidence, draft, scores, last.is_some())?,
    }
    Ok(())
}

/// Where no node tells: the sums of the scores.
fn by_numbers(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    scores: &TensorInfo,
    is_known: bool,
) -> Result<(), DeployError> {
    let place = evidence
        .outputs
        .iter()
        .position(|other| other.name == scores.name);
    let rows: Vec<&[f32]> = evidence
        .probe()
        .zip(place)
        .into_iter()
        .flat_map(|(probe, place)| probe.all(place))
        .map(|tensor| tensor.values.as_slice())
        .collect();
    let inside = |row: &&[f32]| row.iter().all(|value| (0.0..=1.0).contains(value));
    let adds_up = |row: &&[f32]| (row.iter().sum::<f32>() - 1.0).abs() < 0.01;
    let all_inside = !rows.is_empty() && rows.iter().all(inside);
    if all_inside && rows.iter().all(adds_up) {
        draft.outputs.activation = Some(Activation::None);
        draft.say(
            "outputs.activation",
            Origin::Graph,
            "probabilities: they add up to 1",
        );
    } else if all_inside && !is_known {
        return Err(evidence.undecided(
            "outputs.activation",
            "its scores lie in 0 to 1 and do not add up to 1",
            &[
                (
                    "--set outputs.activation=none --set options.multilabel=true",
                    "probabilities of several labels at once",
                ),
                (
                    "--set outputs.activation=softmax",
                    "logits of one label of all",
                ),
            ],
        ));
    } else {
        draft.outputs.activation = Some(Activation::Softmax);
        draft.say(
            "outputs.activation",
            Origin::Guess,
            "logits of classes that exclude each other",
        );
    }
    Ok(())
}
