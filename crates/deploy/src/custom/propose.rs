use std::path::Path;

use straylight_core::TaskType;
use straylight_engine::{Dimension, ModelSource, Runtime, TensorInfo};
use straylight_tasks::SALIENCY_MAP;

use super::{Column, Coordinates, InputDescription, ModelDescription, OutputDescription};
use crate::DeployError;

/// Words in the names of outputs that hold class scores.
const SCORES: [&str; 5] = ["logit", "prob", "score", "softmax", "class"];
/// Words in the names of outputs that hold feature vectors.
const FEATURES: [&str; 3] = ["feature", "embed", "pool"];
/// File beside a model with one label a line.
const LABELS: &str = "labels.txt";

/// A description that fits a model's graph, and what a person should look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The description.
    pub description: ModelDescription,
    /// What was guessed or is missing, one sentence each.
    pub notes: Vec<String>,
}

/// Proposes a description for a model by looking at its inputs and outputs.
///
/// Labels come from `labels.txt` beside the model, if it is there.
///
/// # Errors
///
/// [`DeployError::Engine`] when the model cannot be read, [`DeployError::BareModel`] when it takes
/// no image or has no output that a classifier or a detector has.
pub fn propose(model: &Path, runtime: &Runtime) -> Result<Proposal, DeployError> {
    let read = runtime.read(&ModelSource::file(model))?;
    let labels = read_labels(model)?;
    let mut notes = Vec::new();
    let input = input(model, read.inputs(), &mut notes)?;
    let (task, outputs, classes) = outputs(model, read.outputs(), &mut notes)?;
    if outputs.features.is_none() {
        notes.push(
            "No output looks like a feature vector: OOD detection is better with one.".to_owned(),
        );
    }
    let description = ModelDescription {
        version: 1,
        model: model.file_name().unwrap_or_default().into(),
        name: model
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        task,
        labels: named(labels, classes, &mut notes),
        empty_label: (task == TaskType::Detection).then(|| "No object".to_owned()),
        input,
        outputs,
        options: std::collections::BTreeMap::default(),
    };
    Ok(Proposal { description, notes })
}

fn read_labels(model: &Path) -> Result<Vec<String>, DeployError> {
    let path = model.with_file_name(LABELS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = straylight_files::read_to_string(&path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn named(mut labels: Vec<String>, classes: Option<usize>, notes: &mut Vec<String>) -> Vec<String> {
    let wanted = classes.unwrap_or(labels.len()).max(1);
    if labels.len() != wanted {
        notes.push(format!(
            "The model has {wanted} classes and labels.txt names {}: names were made up.",
            labels.len()
        ));
        labels.truncate(wanted);
        labels.extend((labels.len()..wanted).map(|class| format!("class {class}")));
    }
    labels
}

fn input(
    model: &Path,
    inputs: &[TensorInfo],
    notes: &mut Vec<String>,
) -> Result<InputDescription, DeployError> {
    let Some(first) = inputs.first() else {
        return Err(bare(model, "it has no input".to_owned()));
    };
    let layout = match first.shape.as_slice() {
        [None | Some(1), Some(3), _, _] => "NCHW",
        [None | Some(1), _, _, Some(3)] => "NHWC",
        _ => {
            let (name, shape) = (&first.name, first.shape_text());
            let reason =
                format!("its first input `{name}`, of shape {shape}, is not one RGB image");
            return Err(bare(model, reason));
        }
    };
    notes.push(
        "A graph does not tell how images are normalised: set input.mean, input.scale and \
         input.channels as in the training."
            .to_owned(),
    );
    Ok(InputDescription {
        layout: Some(layout.to_owned()),
        ..InputDescription::default()
    })
}

type Outputs = (TaskType, OutputDescription, Option<usize>);

fn outputs(
    model: &Path,
    outputs: &[TensorInfo],
    notes: &mut Vec<String>,
) -> Result<Outputs, DeployError> {
    let found = detector(outputs, notes).or_else(|| classifier(outputs, notes));
    found.ok_or_else(|| {
        let listed: Vec<String> = outputs
            .iter()
            .map(|output| format!("`{}` {}", output.name, output.shape_text()))
            .collect();
        let reason = format!(
            "no output looks like class scores or boxes: {}",
            listed.join(", ")
        );
        bare(model, reason)
    })
}

fn bare(model: &Path, reason: String) -> DeployError {
    DeployError::BareModel {
        path: model.to_owned(),
        reason,
    }
}

fn detector(outputs: &[TensorInfo], notes: &mut Vec<String>) -> Option<Outputs> {
    use Column::{Bottom, Class, Left, Other, Right, Score, Top};
    let named = |part: &str| outputs.iter().find(|output| output.name.contains(part));
    if let (Some(boxes), Some(labels)) = (named("boxes"), named("labels")) {
        let description = OutputDescription {
            boxes: Some(boxes.name.clone()),
            classes: Some(labels.name.clone()),
            scores: named("scores").map(|output| output.name.clone()),
            ..OutputDescription::default()
        };
        return Some((TaskType::Detection, description, None));
    }
    let rows = outputs.iter().find(|output| {
        matches!(
            output.shape.as_slice(),
            [_, _, Some(6 | 7)] | [_, Some(1), _, Some(7)]
        )
    })?;
    let six = rows.shape.last() == Some(&Some(6));
    let columns = if six {
        vec![Left, Top, Right, Bottom, Score, Class]
    } else {
        vec![Other, Class, Score, Left, Top, Right, Bottom]
    };
    notes.push(format!(
        "The columns of `{}` were guessed: check outputs.columns.",
        rows.name
    ));
    let description = OutputDescription {
        detections: Some(rows.name.clone()),
        columns,
        coordinates: if six {
            Coordinates::Pixels
        } else {
            Coordinates::Fractions
        },
        ..OutputDescription::default()
    };
    Some((TaskType::Detection, description, None))
}

fn classifier(outputs: &[TensorInfo], notes: &mut Vec<String>) -> Option<Outputs> {
    let mut vectors: Vec<(&TensorInfo, usize)> = outputs
        .iter()
        .filter_map(|output| Some((output, width(&output.shape)?)))
        .collect();
    let has = |output: &TensorInfo, words: &[&str]| {
        let name = output.name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    // Named scores first, named features last, and of equals the narrower first.
    vectors.sort_by_key(|(output, width)| (has(output, &FEATURES), !has(output, &SCORES), *width));
    let (scores, classes) = *vectors.first()?;
    let features = vectors.get(1).map(|(output, _)| output.name.clone());
    if let Some(features) = features.as_ref().filter(|_| !has(scores, &SCORES)) {
        notes.push(format!(
            "That `{}` holds the scores and `{features}` the features was guessed: check outputs.",
            scores.name
        ));
    }
    let saliency = outputs.iter().find(|output| output.name == SALIENCY_MAP);
    let description = OutputDescription {
        scores: Some(scores.name.clone()),
        features,
        saliency_map: saliency.map(|output| output.name.clone()),
        ..OutputDescription::default()
    };
    Some((TaskType::Classification, description, Some(classes)))
}

/// The length of a vector: a shape with one dimension that is not 1 or unknown, the last ones
/// may be 1.
fn width(shape: &[Dimension]) -> Option<usize> {
    match shape {
        [_, Some(width)] | [_, Some(width), Some(1), Some(1)] => Some(*width),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use straylight_engine::ElementType;

    use super::*;

    fn tensor(name: &str, shape: &[usize]) -> TensorInfo {
        TensorInfo {
            name: name.to_owned(),
            element: ElementType::F32,
            shape: shape.iter().map(|&size| Some(size)).collect(),
        }
    }

    #[test]
    fn scores_and_features_are_told_apart() {
        struct Case(
            &'static [(&'static str, &'static [usize])],
            &'static str,
            Option<&'static str>,
        );
        for Case(listed, scores, features) in [
            Case(
                &[("features", &[1, 1280]), ("logits", &[1, 10])],
                "logits",
                Some("features"),
            ),
            Case(&[("a", &[1, 512]), ("b", &[1, 4])], "b", Some("a")),
            Case(
                &[("embedding", &[1, 2]), ("x", &[1, 4])],
                "x",
                Some("embedding"),
            ),
            Case(&[("out", &[1, 4, 1, 1])], "out", None),
        ] {
            let tensors: Vec<_> = listed
                .iter()
                .map(|(name, shape)| tensor(name, shape))
                .collect();
            let (task, found, _) = outputs(Path::new("m"), &tensors, &mut Vec::new()).unwrap();
            assert_eq!(task, TaskType::Classification);
            assert_eq!(
                (found.scores.as_deref(), found.features.as_deref()),
                (Some(scores), features)
            );
        }
    }

    #[test]
    fn images_of_one_rgb_picture_are_taken_in_both_layouts() {
        struct Case(&'static [usize], Result<&'static str, &'static str>);
        for Case(shape, expected) in [
            Case(&[1, 3, 8, 8], Ok("NCHW")),
            Case(&[1, 8, 8, 3], Ok("NHWC")),
            Case(&[1, 4, 8, 8], Err("`image`, of shape [1, 4, 8, 8]")),
            Case(&[2, 3, 8, 8], Err("is not one RGB image")),
            Case(&[1, 768], Err("[1, 768]")),
        ] {
            let found = input(Path::new("m"), &[tensor("image", shape)], &mut Vec::new());
            match (found, expected) {
                (Ok(found), Ok(layout)) => assert_eq!(found.layout.as_deref(), Some(layout)),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{error}");
                    assert!(error.hint().contains("straylight.json"), "{}", error.hint());
                    assert!(!error.hint().contains("ownload"), "{}", error.hint());
                }
                (found, _) => assert!(found.is_err() && expected.is_err(), "{shape:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_guess_between_vectors_without_names_is_told() {
        let vectors = [tensor("Identity", &[1, 3]), tensor("Identity_1", &[1, 64])];
        let mut notes = Vec::new();
        let (_, found, _) = outputs(Path::new("m"), &vectors, &mut notes).unwrap();
        assert_eq!(found.scores.as_deref(), Some("Identity"));
        assert!(
            notes[0].contains("`Identity_1` the features was guessed"),
            "{notes:?}"
        );
    }

    #[test]
    fn detectors_are_recognised() {
        let found = outputs(
            Path::new("m"),
            &[tensor("detections", &[1, 100, 6])],
            &mut Vec::new(),
        );
        let (task, found, _) = found.unwrap();
        assert_eq!((task, found.columns.len()), (TaskType::Detection, 6));
        let saliency = [
            tensor("saliency_map", &[1, 4, 7, 7]),
            tensor("scores", &[1, 4]),
        ];
        let (task, found, _) = outputs(Path::new("m"), &saliency, &mut Vec::new()).unwrap();
        assert_eq!(
            (task, found.saliency_map.is_some()),
            (TaskType::Classification, true)
        );
        let listed = [tensor("boxes", &[1, 9, 5]), tensor("labels", &[1, 9])];
        assert!(
            outputs(Path::new("m"), &listed, &mut Vec::new())
                .unwrap()
                .1
                .boxes
                .is_some()
        );
        let error = outputs(
            Path::new("m"),
            &[tensor("map", &[1, 3, 8, 8])],
            &mut Vec::new(),
        );
        assert!(error.unwrap_err().to_string().contains("`map`"));
    }
}
