//! Detectors with boxes, scores and classes in outputs of their own.
//!
//! TensorFlow Object Detection, torchvision, `MMDeploy`, RT-DETR and D-FINE behind their own
//! post-processing.

use straylight_core::TaskType;
use straylight_engine::TensorInfo;

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, core, is_integer};
use crate::DeployError;
use crate::custom::{BoxFormat, Coordinates, MaskArea};

/// `detection_boxes`, `detection_scores`, `detection_classes`, `num_detections`.
pub(super) fn tensorflow(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let named = |word: &str| evidence.ending(word).map(|output| output.name.clone());
    let (Some(boxes), Some(scores), Some(classes)) = (
        named("detection_boxes"),
        named("detection_scores"),
        named("detection_classes"),
    ) else {
        return Ok(false);
    };
    draft.task = Some(TaskType::Detection);
    draft.outputs.boxes = Some(boxes);
    draft.outputs.scores = Some(scores);
    draft.outputs.classes = Some(classes.clone());
    draft.outputs.count = named("num_detections");
    draft.outputs.box_format = BoxFormat::CornersYx;
    draft.outputs.coordinates = Coordinates::Fractions;
    draft.option("nms_execute", false);
    draft.say(
        "outputs",
        Origin::Graph,
        "names of TensorFlow Object Detection: y before x, fractions",
    );
    draft.say(
        "input.channels",
        Origin::Graph,
        "TensorFlow Object Detection: red first",
    );
    let why = "TensorFlow Object Detection numbers classes from 1";
    first_class(evidence, draft, &classes, Some((1, why)))?;
    Ok(true)
}

/// What each output looks like.
struct Found<'a> {
    boxes: &'a TensorInfo,
    scores: Option<&'a TensorInfo>,
    classes: &'a TensorInfo,
    masks: Option<&'a TensorInfo>,
}

impl<'a> Found<'a> {
    /// One table of boxes, one list of whole numbers, and one list of scores if boxes have none.
    fn of(evidence: &'a Evidence<'_>) -> Option<Self> {
        let width = |output: &&TensorInfo| {
            matches!(core(&output.shape, 2), [_, Some(4 | 5)]) && !is_integer(output)
        };
        let boxes = only(evidence, width)?;
        let is_list = |output: &TensorInfo| {
            output.shape.len() <= 2
                && core(&output.shape, 1).len() == 1
                && output.name != boxes.name
        };
        let named_class = |output: &TensorInfo| {
            let name = output.name.to_lowercase();
            ["label", "class"].iter().any(|word| name.contains(word))
        };
        // Classes may be floating point numbers; then their name tells.
        let classes = only(evidence, |output| is_list(output) && is_integer(output))
            .or_else(|| only(evidence, |output| is_list(output) && named_class(output)))?;
        let scores = only(evidence, |output| {
            is_list(output) && !is_integer(output) && output.name != classes.name
        });
        let masks = only(evidence, |output| {
            output.shape.len() >= 3 && output.name.to_lowercase().contains("mask")
        });
        let five = boxes.shape.last() == Some(&Some(5));
        (five != scores.is_some()).then_some(Self {
            boxes,
            scores,
            classes,
            masks,
        })
    }
}

fn only<'a>(
    evidence: &'a Evidence<'_>,
    fits: impl Fn(&&'a TensorInfo) -> bool,
) -> Option<&'a TensorInfo> {
    let mut found = evidence.outputs.iter().filter(fits);
    found.next().filter(|_| found.next().is_none())
}

/// Boxes, classes and maybe scores, told by their types and shapes.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let Some(found) = Found::of(evidence) else {
        return Ok(false);
    };
    draft.task = Some(TaskType::Detection);
    draft.outputs.boxes = Some(found.boxes.name.clone());
    draft.outputs.scores = found.scores.map(|output| output.name.clone());
    draft.outputs.classes = Some(found.classes.name.clone());
    draft.option("nms_execute", false);
    // torchvision's lists have no batch axis.
    let torchvision = found.boxes.shape.len() == 2 && found.scores.is_some();
    let expected = if torchvision {
        draft.pixels(
            &[],
            &[255.0],
            Origin::Graph,
            "torchvision's detectors take 0 to 1 and normalise",
        );
        draft.say("input.channels", Origin::Graph, "torchvision: red first");
        Some((1, "torchvision numbers classes from 1, 0 is the background"))
    } else if found.boxes.shape.last() == Some(&Some(5)) {
        Some((0, "MMDeploy numbers classes from 0"))
    } else {
        None
    };
    let kind = if torchvision {
        "torchvision"
    } else {
        "boxes and classes"
    };
    draft.say(
        "outputs",
        Origin::Graph,
        format!("{kind}, by types and shapes"),
    );
    coordinates(evidence, draft, found.boxes);
    if let Some(masks) = found.masks {
        draft.task = Some(TaskType::InstanceSegmentation);
        draft.outputs.masks = Some(masks.name.clone());
        let whole = masks.shape.last() == evidence.input.shape.last() || torchvision;
        draft.outputs.mask_area = if whole {
            MaskArea::Input
        } else {
            MaskArea::Box
        };
    }
    first_class(evidence, draft, &found.classes.name, expected)?;
    Ok(true)
}

/// Whether boxes are pixels or fractions: by the numbers that the graph gives.
fn coordinates(evidence: &Evidence<'_>, draft: &mut Draft, boxes: &TensorInfo) {
    let place = evidence
        .outputs
        .iter()
        .position(|output| output.name == boxes.name);
    let width = boxes.shape.last().copied().flatten().unwrap_or(4);
    let (Some(probe), Some(place)) = (evidence.probe(), place) else {
        draft.say("outputs.coordinates", Origin::Guess, "pixels");
        return;
    };
    let edges = probe
        .all(place)
        .flat_map(|tensor| tensor.values.chunks_exact(width));
    let largest = edges
        .flat_map(|row| row.iter().take(4))
        .fold(0.0_f32, |a, &b| a.max(b.abs()));
    draft.say_coordinates(largest);
}

/// Whether classes count from 0 or from 1.
///
/// The numbers that the graph gives decide, then the number of labels, then what is usual for the
/// family; else the user must say.
fn first_class(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    classes: &str,
    expected: Option<(i64, &str)>,
) -> Result<(), DeployError> {
    let background = evidence.labels.iter().flatten().next();
    let background = background.map(|name| name.trim_matches('_').to_lowercase());
    if background.as_deref() == Some("background") {
        draft.say(
            "outputs.first_class",
            Origin::File,
            "labels.txt begins with the background",
        );
        return Ok(());
    }
    let place = evidence
        .outputs
        .iter()
        .position(|output| output.name == classes);
    let seen =
        |place| {
            let all = evidence
                .probe()
                .into_iter()
                .flat_map(move |probe| probe.all(place));
            all.flat_map(|tensor| tensor.values.iter().copied())
                .fold(None, |range, value| match range {
                    None => Some((value, value)),
                    Some((low, high)) => Some((value.min(low), value.max(high))),
                })
        };
    let range: Option<(f32, f32)> = place.and_then(seen);
    let labels = evidence.labels.as_ref().map(Vec::len);
    let reaches = |count: usize| range.is_some_and(|(_, high)| high >= count as f32);
    let (first, origin, why) = match (labels, range, expected) {
        (Some(count), _, _) if reaches(count) => (
            1,
            Origin::Graph,
            "the graph gives a class as high as the labels' number",
        ),
        // Unused rows are filled with zeros, so that a zero tells nothing where 1 is usual.
        (_, _, Some((first, why))) => (first, Origin::Graph, why),
        (_, Some((low, _)), None) if low < 0.5 => (0, Origin::Graph, "the graph gives class 0"),
        _ => {
            return Err(evidence.undecided(
                "outputs.first_class",
                format!("`{classes}` may number the labels from 0 or from 1"),
                &[
                    ("--set outputs.first_class=0", "the first label is class 0"),
                    (
                        "--set outputs.first_class=1",
                        "the first label is class 1, 0 is the background",
                    ),
                ],
            ));
        }
    };
    draft.outputs.first_class = first;
    draft.say("outputs.first_class", origin, format!("{first}: {why}"));
    Ok(())
}
