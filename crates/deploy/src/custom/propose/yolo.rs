//! One output of candidates without metadata: `YOLOv5`, v8 and their kin, YOLOX, `DetectionOutput`.
//!
//! What tells them apart: the number of candidates (cells of the grids of stride 8, 16 and 32;
//! three times as many with anchors), the number of labels, and the numbers that the graph gives.

use straylight_core::TaskType;
use straylight_engine::TensorInfo;

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, core, is_integer};
use super::probe::Probe;
use crate::DeployError;
use crate::custom::{Axis, Channels, Column, Coordinates, GridDescription, Interpolation};

/// Sets of strides that detectors have.
const STRIDES: [&[usize]; 4] = [
    &[8, 16, 32],
    &[8, 16, 32, 64],
    &[16, 32, 64],
    &[4, 8, 16, 32],
];

/// The table of candidates as its axes allow it to be read.
struct Table<'a> {
    output: &'a TensorInfo,
    /// Candidates and values of each, as rows and as columns.
    rows: (Option<usize>, Option<usize>),
}

pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let [output] = evidence.outputs.as_slice() else {
        return Ok(false);
    };
    if is_integer(output) || !(3..=4).contains(&output.shape.len()) {
        return Ok(false);
    }
    let &[first, second] = core(&output.shape, 2) else {
        return Ok(false);
    };
    let is_detection_output = output.shape.len() == 4 && second == Some(7);
    if output.shape.len() != 3 && !is_detection_output {
        return Ok(false);
    }
    draft.task = Some(TaskType::Detection);
    draft.outputs.detections = Some(output.name.clone());
    if is_detection_output {
        detection_output(draft);
        return Ok(true);
    }
    let table = Table {
        output,
        rows: (first, second),
    };
    let found = grids(evidence, first).or_else(|| grids(evidence, second));
    if let Some((_, anchors)) = found {
        let turned = grids(evidence, first).is_none();
        return raw(evidence, draft, &table, turned, anchors);
    }
    let two = evidence
        .labels
        .as_ref()
        .is_some_and(|labels| labels.len() == 2);
    if second == Some(6) && (!two || is_ready(evidence, output)) {
        return end_to_end(evidence, draft, output);
    }
    // A table that is much longer one way: candidates are many, values few.
    match (first, second) {
        (Some(a), Some(b)) if a.max(b) >= 100 && a.min(b) >= 5 => {
            raw(evidence, draft, &table, b > a, 0)
        }
        _ => Err(unknown(evidence, output)),
    }
}

fn detection_output(draft: &mut Draft) {
    use Column::{Bottom, Class, Left, Other, Right, Score, Top};
    draft.outputs.columns = vec![Other, Class, Score, Left, Top, Right, Bottom];
    draft.outputs.coordinates = Coordinates::Fractions;
    draft.option("nms_execute", false);
    draft.say(
        "outputs.columns",
        Origin::Graph,
        "[1, 1, N, 7] is OpenVINO's DetectionOutput",
    );
    draft.say("outputs.first_class", Origin::Guess, "0");
}

/// Strides and anchors of a number of candidates.
fn grids(evidence: &Evidence<'_>, count: Option<usize>) -> Option<(&'static [usize], usize)> {
    let count = count?;
    let [height, width] = sides(evidence)?;
    STRIDES.into_iter().find_map(|strides| {
        let cells: usize = strides
            .iter()
            .map(|stride| (height / stride) * (width / stride))
            .sum();
        [1, 3]
            .into_iter()
            .find(|anchors| cells > 0 && cells * anchors == count)
            .map(|anchors| (strides, anchors))
    })
}

/// Whether a number of candidates is that of the cells of the usual grids, with or without anchors;
/// `None` when the number or the input's size is open.
pub(super) fn are_cells(evidence: &Evidence<'_>, count: Option<usize>) -> Option<bool> {
    sides(evidence)?;
    Some(grids(evidence, Some(count?)).is_some())
}

fn sides(evidence: &Evidence<'_>) -> Option<[usize; 2]> {
    match *evidence.input.shape.as_slice() {
        [_, Some(3), height, width] | [_, height, width, Some(3)] => Some([height?, width?]),
        _ => None,
    }
}

/// Candidates of all cells.
fn raw(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    table: &Table<'_>,
    turned: bool,
    anchors: usize,
) -> Result<bool, DeployError> {
    use Column::{ClassScores, Height, Objectness, Width, X, Y};
    let width = if turned { table.rows.0 } else { table.rows.1 };
    let Some(width) = width.filter(|&width| width > 4) else {
        return Err(unknown(evidence, table.output));
    };
    let labels = evidence.labels.as_ref().map(Vec::len);
    // Without objectness an anchor-free head has 4 + classes; with it, 5 + classes.
    let objectness = match labels {
        Some(count) if count + 4 == width => false,
        Some(count) if count + 5 == width => true,
        Some(count) => {
            let reason = format!(
                "`{}` has {width} values for each candidate, which fits neither 4 nor 5 and {count} labels",
                table.output.name
            );
            return Err(evidence.undecided(
                "labels",
                reason,
                &[("--set labels=NAME,NAME", "the names of all classes")],
            ));
        }
        None if anchors == 3 => true,
        None if turned => false,
        None => return Err(objectness_unknown(evidence, table.output, width)),
    };
    draft.classes = Some(width - 4 - usize::from(objectness));
    draft.outputs.columns = if objectness {
        vec![X, Y, Width, Height, Objectness, ClassScores]
    } else {
        vec![X, Y, Width, Height, ClassScores]
    };
    draft.outputs.candidates = Some(if turned { Axis::Columns } else { Axis::Rows });
    draft.option("nms_execute", true);
    draft.option("nms_max_predictions", 300);
    if objectness && anchors == 1 && !turned {
        yolox(evidence, draft, table.output);
        return Ok(true);
    }
    draft.option("confidence_threshold", 0.25);
    draft.option("iou_threshold", if objectness { 0.45 } else { 0.7 });
    let family = if objectness {
        "YOLOv5"
    } else {
        "YOLOv8 and later"
    };
    let why = format!("{family}: {width} values for each of the cells' candidates");
    draft.say("outputs.columns", Origin::Graph, why);
    draft.say(
        "options",
        Origin::Guess,
        "thresholds of Ultralytics' predict",
    );
    ranges(evidence, draft, table.output, turned);
    draft.input.interpolation = Interpolation::OpencvBilinear;
    draft.pixels(
        &[],
        &[255.0],
        Origin::Guess,
        "Ultralytics: pixels of 0 to 1",
    );
    fit(evidence)?;
    Ok(true)
}

/// How images are fitted to a YOLO without metadata: only a graph that does not look at its image
/// is stretched without a question.
fn fit(evidence: &Evidence<'_>) -> Result<(), DeployError> {
    if evidence.probe().is_some_and(Probe::is_constant) {
        return Ok(());
    }
    Err(evidence.undecided(
        "input.resize",
        "without the metadata of its exporter it is not known how images were fitted to its input",
        &[
            (
                "--set input.resize=letterbox --set input.pad_value=114",
                "proportions kept, grey around it, as Ultralytics does",
            ),
            ("--set input.resize=stretch", "stretched"),
        ],
    ))
}

/// YOLOX: blue first, pixels as they are, fitted into the upper left.
fn yolox(evidence: &Evidence<'_>, draft: &mut Draft, output: &TensorInfo) {
    draft.option("confidence_threshold", 0.25);
    draft.option("iou_threshold", 0.45);
    draft.input.channels = Channels::Bgr;
    draft.input.interpolation = Interpolation::OpencvBilinear;
    draft.say("input.channels", Origin::Guess, "YOLOX: blue first");
    draft.pixels(
        &[],
        &[],
        Origin::Guess,
        "YOLOX: pixels as they are (since 0.1.1)",
    );
    draft.resize(
        "fit",
        114,
        Origin::Guess,
        "YOLOX: fitted into the upper left, grey 114",
    );
    draft.say(
        "options",
        Origin::Guess,
        "thresholds of YOLOX's demo: 0.25, IoU 0.45",
    );
    let decoded = evidence.kinds().contains_key("Exp");
    let sides = sides(evidence).unwrap_or([640; 2]);
    let largest = largest(evidence, output, false, 0);
    // Raw centres are parts of cells, decoded ones reach over the input.
    let looks_decoded = largest.map(|value| value > 0.25 * sides[1] as f32);
    let is_decoded = decoded || looks_decoded == Some(true);
    if !is_decoded {
        let strides = grids(evidence, output.shape.get(1).copied().flatten());
        let strides = strides.map_or(STRIDES[0], |(strides, _)| strides);
        draft.outputs.grid = Some(GridDescription {
            strides: strides.iter().map(|&stride| stride as u32).collect(),
            anchors: Vec::new(),
        });
    }
    let how = if is_decoded {
        "decoded"
    } else {
        "relative to its grids"
    };
    draft.say(
        "outputs.columns",
        Origin::Graph,
        format!("YOLOX, {how}, by the numbers that the graph gives"),
    );
}

/// The largest value of a column of the candidates.
fn largest(
    evidence: &Evidence<'_>,
    output: &TensorInfo,
    turned: bool,
    column: usize,
) -> Option<f32> {
    let place = evidence
        .outputs
        .iter()
        .position(|other| other.name == output.name)?;
    let mut largest = None;
    for tensor in evidence.probe()?.all(place) {
        let &[.., rows, columns] = tensor.shape.as_slice() else {
            return None;
        };
        let values: Vec<f32> = if turned {
            tensor
                .values
                .iter()
                .copied()
                .skip(column * columns)
                .take(columns)
                .collect()
        } else {
            tensor
                .values
                .iter()
                .copied()
                .skip(column)
                .step_by(columns.max(1))
                .take(rows)
                .collect()
        };
        let highest = values.into_iter().fold(f32::NEG_INFINITY, f32::max);
        largest = Some(largest.map_or(highest, |other: f32| other.max(highest)));
    }
    largest
}

/// Pixels or fractions.
fn ranges(evidence: &Evidence<'_>, draft: &mut Draft, output: &TensorInfo, turned: bool) {
    let highest = (0..4).filter_map(|column| largest(evidence, output, turned, column));
    let highest = highest.fold(f32::NEG_INFINITY, f32::max);
    draft.say_coordinates(highest, Coordinates::Pixels);
}

/// Whether rows of six are edges, score and class by their numbers: the last is whole, and right
/// and lower edges come after left and upper ones.
fn is_ready(evidence: &Evidence<'_>, output: &TensorInfo) -> bool {
    let place = evidence
        .outputs
        .iter()
        .position(|other| other.name == output.name);
    let Some((probe, place)) = evidence.probe().zip(place) else {
        return false;
    };
    let rows: Vec<&[f32; 6]> = probe
        .all(place)
        .flat_map(|tensor| tensor.values.as_chunks::<6>().0)
        .collect();
    let is_whole = |value: f32| (value - value.round()).abs() < f32::EPSILON;
    let fits = |row: &&[f32; 6]| row[2] >= row[0] && row[3] >= row[1] && is_whole(row[5]);
    rows.iter().any(|row| row[5] >= 1.0) && rows.iter().all(fits)
}

/// Rows of six behind NMS.
fn end_to_end(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    output: &TensorInfo,
) -> Result<bool, DeployError> {
    use Column::{Bottom, Class, Left, Right, Score, Top};
    let looks = |column: usize| largest(evidence, output, false, column);
    let (score, class) = (looks(4), looks(5));
    let is_score = |value: Option<f32>| value.is_some_and(|value| (0.0..=1.0).contains(&value));
    let swapped = is_score(class) && !is_score(score);
    draft.outputs.columns = if swapped {
        vec![Left, Top, Right, Bottom, Class, Score]
    } else {
        vec![Left, Top, Right, Bottom, Score, Class]
    };
    draft.outputs.candidates = Some(Axis::Rows);
    draft.option("nms_execute", false);
    draft.option("confidence_threshold", 0.25);
    let origin = if is_score(score) && !is_score(class) || swapped {
        Origin::Graph
    } else {
        Origin::Guess
    };
    draft.say("outputs.columns", origin, "six values: edges, score, class");
    ranges(evidence, draft, output, false);
    if evidence.labels.is_none() {
        let reason = "how many classes it has is not known";
        return Err(evidence.undecided(
            "labels",
            reason,
            &[(
                "--set labels=NAME,NAME",
                "or a file labels.txt beside the model, one name a line",
            )],
        ));
    }
    Ok(true)
}

fn objectness_unknown(evidence: &Evidence<'_>, output: &TensorInfo, width: usize) -> DeployError {
    let reason = format!(
        "each of its candidates has {width} values: {} classes, or objectness and {} classes; labels decide",
        width - 4,
        width - 5
    );
    let columns = format!(
        "--set outputs.detections={} --set labels=NAME,NAME",
        output.name
    );
    evidence.undecided(
        "outputs.columns",
        reason,
        &[
            (
                "--set labels=NAME,NAME",
                "or a file labels.txt beside the model, one name a line",
            ),
            (
                &format!("{columns} --set outputs.columns=x,y,width,height,class_scores"),
                "without objectness",
            ),
            (
                &format!(
                    "{columns} --set outputs.columns=x,y,width,height,objectness,class_scores"
                ),
                "with it",
            ),
        ],
    )
}

fn unknown(evidence: &Evidence<'_>, output: &TensorInfo) -> DeployError {
    let reason = format!(
        "`{}` {} may be a table of candidates, but what its columns are is not known",
        output.name,
        output.shape_text()
    );
    let columns = format!(
        "--set task=detection --set labels=NAME,NAME --set outputs.detections={} \
         --set outputs.columns=left,top,right,bottom,score,class",
        output.name
    );
    evidence.undecided(
        "outputs.columns",
        reason,
        &[(&columns, "with the columns as they are")],
    )
}
