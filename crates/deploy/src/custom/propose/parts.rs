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
    if let Some(boxes) = evidence.output(&boxes) {
        coordinates(evidence, draft, boxes, Coordinates::Fractions);
    }
    draft.outputs.boxes = Some(boxes);
    draft.outputs.scores = Some(scores);
    draft.outputs.classes = Some(classes.clone());
    draft.outputs.count = named("num_detections");
    draft.outputs.box_format = BoxFormat::CornersYx;
    draft.option("nms_execute", false);
    draft.say(
        "outputs",
        Origin::Graph,
        "names of TensorFlow Object Detection: y before x",
    );
    draft.say(
        "input.channels",
        Origin::Graph,
        "TensorFlow Object Detection: red first",
    );
    let why = "TensorFlow Object Detection numbers classes from 1";
    let scores = draft.outputs.scores.clone();
    first_class(
        evidence,
        draft,
        (&classes, scores.as_deref()),
        Some((1, why)),
    )?;
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
    let scores = found.scores.map(|output| output.name.as_str());
    let classes = (found.classes.name.as_str(), scores);
    // Where class 0 is found, it is no background.
    let zero = range(evidence, classes).is_some_and(|(low, _)| low < 0.5);
    let torchvision = found.boxes.shape.len() == 2 && scores.is_some() && !zero;
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
    check_corners(evidence, found.boxes, scores)?;
    coordinates(evidence, draft, found.boxes, Coordinates::Pixels);
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
    first_class(evidence, draft, classes, expected)?;
    Ok(true)
}

/// Scores up to here are those of unused rows.
const UNUSED: f32 = 0.01;

/// The values of an output for all made-up images, with those of its scores in the same places.
fn scored<'a>(
    evidence: &'a Evidence<'_>,
    values: &str,
    scores: Option<&str>,
) -> Vec<(&'a [f32], Option<&'a [f32]>)> {
    let place = |name: &str| {
        evidence
            .outputs
            .iter()
            .position(|output| output.name == name)
    };
    let (Some(probe), Some(values)) = (evidence.probe(), place(values)) else {
        return Vec::new();
    };
    let mut scores = scores.and_then(place).map(|place| probe.all(place));
    let all = probe.all(values).map(|tensor| {
        let scores = scores.as_mut().and_then(Iterator::next);
        (
            tensor.values.as_slice(),
            scores.map(|tensor| tensor.values.as_slice()),
        )
    });
    all.collect()
}

/// The least and the greatest class of the rows that are used: those with a score, if there are
/// scores.
fn range(evidence: &Evidence<'_>, (classes, scores): (&str, Option<&str>)) -> Option<(f32, f32)> {
    let mut range: Option<(f32, f32)> = None;
    // For an image in which nothing is, OpenVINO may give a row of what was in the memory before.
    let several = |(classes, _): &(&[f32], Option<&[f32]>)| classes.len() > 1;
    for (classes, scores) in scored(evidence, classes, scores)
        .into_iter()
        .filter(several)
    {
        for (row, &class) in classes.iter().enumerate() {
            let score = scores.map(|scores| scores.get(row).copied().unwrap_or(0.0));
            if score.is_none_or(|score| score > UNUSED) {
                let (low, high) = range.unwrap_or((class, class));
                range = Some((low.min(class), high.max(class)));
            }
        }
    }
    range
}

/// Asks when boxes that are used cannot be corners: the right edge is left of the left one.
fn check_corners(
    evidence: &Evidence<'_>,
    boxes: &TensorInfo,
    scores: Option<&str>,
) -> Result<(), DeployError> {
    let width = boxes.shape.last().copied().flatten().unwrap_or(4);
    let crossed = |(values, scores): (&[f32], Option<&[f32]>)| {
        values.chunks_exact(width).enumerate().any(|(row, edges)| {
            let score = match scores {
                Some(scores) => scores.get(row).copied(),
                None => edges.get(4).copied(),
            };
            score.is_some_and(|score| score > UNUSED)
                && (edges[2] < edges[0] || edges[3] < edges[1])
        })
    };
    let mut all = scored(evidence, &boxes.name, scores).into_iter();
    if !all.any(crossed) {
        return Ok(());
    }
    Err(evidence.undecided(
        "outputs.box_format",
        format!(
            "`{}` does not hold left, upper, right and lower edges: some would be crossed",
            boxes.name
        ),
        &[
            (
                "--set outputs.box_format=centre",
                "column and row of the centre, width, height",
            ),
            (
                "--set outputs.box_format=left_top_size",
                "left and upper edge, width, height",
            ),
            ("--set outputs.box_format=corners", "edges all the same"),
        ],
    ))
}

/// Whether boxes are pixels or fractions: by the numbers that the graph gives, else what is usual.
fn coordinates(evidence: &Evidence<'_>, draft: &mut Draft, boxes: &TensorInfo, usual: Coordinates) {
    let place = evidence
        .outputs
        .iter()
        .position(|output| output.name == boxes.name);
    let width = boxes.shape.last().copied().flatten().unwrap_or(4);
    let (Some(probe), Some(place)) = (evidence.probe(), place) else {
        draft.outputs.coordinates = usual;
        draft.say("outputs.coordinates", Origin::Guess, "as usual");
        return;
    };
    let edges = probe
        .all(place)
        .flat_map(|tensor| tensor.values.chunks_exact(width));
    let largest = edges
        .flat_map(|row| row.iter().take(4))
        .fold(0.0_f32, |a, &b| a.max(b.abs()));
    draft.say_coordinates(largest, usual);
}

/// Whether classes count from 0 or from 1.
///
/// The numbers that the graph gives decide, then the number of labels, then what is usual for the
/// family; else the user must say.
fn first_class(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    classes: (&str, Option<&str>),
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
    let range = range(evidence, classes);
    let labels = evidence.labels.as_ref().map(Vec::len);
    let reaches = |count: usize| range.is_some_and(|(_, high)| high >= count as f32);
    let (first, origin, why) = match (labels, range, expected) {
        (Some(count), _, _) if reaches(count) => (
            1,
            Origin::Graph,
            "the graph gives a class as high as the labels' number",
        ),
        (_, Some((low, _)), _) if low < 0.5 => (0, Origin::Graph, "the graph gives class 0"),
        (_, _, Some((first, why))) => (first, Origin::Graph, why),
        _ => {
            return Err(evidence.undecided(
                "outputs.first_class",
                format!("`{}` may number the labels from 0 or from 1", classes.0),
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
