//! Models of Ultralytics: `YOLOv5`, v8, v9, v10, 11, 12, 26 in all tasks.
//!
//! Their exports say `task`, `names`, `imgsz`, `stride` and `author` in their metadata. Raw
//! outputs are `1 x (4 + classes + ...) x candidates` (v5 by its old exporter:
//! `1 x candidates x (5 + classes)`); those of `nms=True` and of end-to-end models are
//! `1 x 300 x (6 + ...)`.

use straylight_core::TaskType;
use straylight_engine::TensorInfo;

use super::Origin;
use super::draft::Draft;
use super::evidence::{Evidence, core};
use super::yolo::are_cells;
use crate::DeployError;
use crate::custom::{Activation, Axis, Column, Coordinates, Interpolation};

/// Names of COCO's key points, which Ultralytics' pose models are trained with.
const COCO_POINTS: [&str; 17] = [
    "nose",
    "left eye",
    "right eye",
    "left ear",
    "right ear",
    "left shoulder",
    "right shoulder",
    "left elbow",
    "right elbow",
    "left wrist",
    "right wrist",
    "left hip",
    "right hip",
    "left knee",
    "right knee",
    "left ankle",
    "right ankle",
];

/// Reads a model whose metadata are those of Ultralytics.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<bool, DeployError> {
    let Some(names) = evidence
        .metadata("names")
        .filter(|_| evidence.metadata("stride").is_some())
    else {
        return Ok(false);
    };
    // YOLOv5's own exporter writes no task.
    let task = evidence.metadata("task").unwrap_or("detect");
    let Some(names) = listed(names) else {
        return Err(evidence.refused(format!(
            "its metadata are those of Ultralytics, but its names are neither a dictionary from 0 on \
             nor a list: {names}"
        )));
    };
    check_channels(evidence)?;
    let count = evidence.labels.as_ref().map_or(names.len(), Vec::len);
    draft.labels = Some(names);
    draft.classes = Some(count);
    draft.pixels(&[], &[255.0], Origin::File, "Ultralytics: pixels of 0 to 1");
    draft.say("input.channels", Origin::File, "Ultralytics: red first");
    size(evidence, draft);
    if task == "classify" {
        return Ok(classify(evidence, draft));
    }
    // `cv2.resize` with INTER_LINEAR.
    draft.input.interpolation = Interpolation::OpencvBilinear;
    if is_rt_detr(evidence) {
        draft.resize(
            "stretch",
            0,
            Origin::File,
            "Ultralytics: RT-DETR, stretched",
        );
    } else {
        let why = "Ultralytics: letterbox, grey 114";
        draft.resize("letterbox", 114, Origin::File, why);
    }
    least_padding(evidence, draft);
    objects(evidence, draft, task, count)
}

/// Whether it is RT-DETR, which shares nothing but the metadata with the YOLO models.
///
/// Exports of before 8.4 do not name their head, but their description names the model.
fn is_rt_detr(evidence: &Evidence<'_>) -> bool {
    match evidence.metadata("head") {
        Some(head) => head == "RTDETRDecoder",
        None => evidence
            .metadata("description")
            .is_some_and(|text| text.to_lowercase().contains("rtdetr")),
    }
}

/// Grey and multispectral models.
fn check_channels(evidence: &Evidence<'_>) -> Result<(), DeployError> {
    match evidence.metadata("channels") {
        None | Some("3") => Ok(()),
        Some(other) => Err(evidence.refused(format!(
            "its metadata say {other} channels; only models of RGB images are run"
        ))),
    }
}

/// For an open size (`dynamic=True`) Ultralytics pads images no more than the stride asks for.
fn least_padding(evidence: &Evidence<'_>, draft: &mut Draft) {
    let stride = evidence.metadata("stride").map(numbers);
    let letterbox = draft.input.resize.as_deref() == Some("letterbox");
    if let (true, true, Some(&[stride])) =
        (draft.input.size.is_some(), letterbox, stride.as_deref())
    {
        draft.input.padding_multiple = Some(stride);
        let why = format!("Ultralytics: an open size, padded to multiples of {stride}");
        draft.say("input.padding_multiple", Origin::File, why);
    }
}

/// The size of an input that is left open.
fn size(evidence: &Evidence<'_>, draft: &mut Draft) {
    let open = evidence.input.shape.iter().skip(1).any(Option::is_none);
    let sides = evidence.metadata("imgsz").map(numbers).unwrap_or_default();
    if let (true, &[height, width]) = (open, sides.as_slice()) {
        draft.input.size = Some([width, height]);
        draft.say("input.size", Origin::File, "imgsz of the metadata");
    }
}

fn numbers(text: &str) -> Vec<u32> {
    let words = text.split(|character: char| !character.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

fn classify(evidence: &Evidence<'_>, draft: &mut Draft) -> bool {
    let Some(output) = evidence.outputs.first() else {
        return false;
    };
    draft.task = Some(TaskType::Classification);
    draft.outputs.scores = Some(output.name.clone());
    draft.outputs.activation = Some(Activation::None);
    let [height, width] = [2, 3].map(|axis| evidence.input.shape.get(axis).copied().flatten());
    let sides = height.zip(width);
    let sides = sides.map(|(height, width)| [width as u32, height as u32]);
    match sides.or(draft.input.size) {
        Some([width, height]) if width != height => {
            let why = "Ultralytics: stretched, as its input is no square";
            draft.resize("stretch", 0, Origin::File, why);
        }
        sides => {
            let why = "Ultralytics: shorter side, middle cut out";
            draft.resize("crop", 0, Origin::File, why);
            draft.input.shorter_side = sides.map(|[side, _]| side);
        }
    }
    draft.input.interpolation = Interpolation::PillowBilinear;
    draft.say(
        "outputs.scores",
        Origin::File,
        "task classify: probabilities",
    );
    true
}

/// Boxes with what the task adds to them.
fn objects(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    task: &str,
    count: usize,
) -> Result<bool, DeployError> {
    let points = numbers(evidence.metadata("kpt_shape").unwrap_or_default());
    let prototypes = evidence
        .outputs
        .iter()
        .find(|output| output.shape.len() == 4);
    let (kind, extra) = match (task, prototypes, points.as_slice()) {
        ("detect", _, _) => (TaskType::Detection, None),
        ("obb", _, _) => (TaskType::RotatedDetection, Some((Column::Angle, 1))),
        ("segment", Some(prototypes), _) => {
            let planes = prototypes.shape.get(1).copied().flatten().unwrap_or(32);
            draft.outputs.prototypes = Some(prototypes.name.clone());
            (
                TaskType::InstanceSegmentation,
                Some((Column::MaskCoefficients, planes)),
            )
        }
        ("pose", _, &[points, values]) => {
            let column = if values == 3 {
                Column::KeyPoints
            } else {
                Column::KeyPointsWithoutScore
            };
            draft.outputs.key_points = point_names(evidence, points as usize);
            let width = points as usize * values as usize;
            (TaskType::KeypointDetection, Some((column, width)))
        }
        _ => {
            return Err(evidence.refused(format!(
                "its metadata say task `{task}`, which is not known: {}",
                evidence.listed()
            )));
        }
    };
    draft.task = Some(kind);
    let rows = evidence
        .outputs
        .iter()
        .find(|output| output.shape.len() == 3);
    let Some(rows) = rows else {
        return Err(evidence.refused(format!(
            "it has no output of candidates: {}",
            evidence.listed()
        )));
    };
    if is_rt_detr(evidence) {
        queries(evidence, draft, rows, count)?;
    } else {
        table(evidence, draft, rows, count, extra)?;
    }
    Ok(true)
}

/// The names of the key points: those of the metadata (`{0: ['nose', ...]}`), else COCO's.
fn point_names(evidence: &Evidence<'_>, count: usize) -> Vec<String> {
    let said = evidence.metadata("kpt_names").and_then(first_list);
    if let Some(names) = said.filter(|names| names.len() == count) {
        return names;
    }
    if count == COCO_POINTS.len() {
        return COCO_POINTS.map(str::to_owned).to_vec();
    }
    (0..count).map(|point| format!("point {point}")).collect()
}

/// RT-DETR: centre and size as fractions, and a score and a class, or a score for each class.
fn queries(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    rows: &TensorInfo,
    count: usize,
) -> Result<(), DeployError> {
    use Column::{Class, ClassScores, Height, Score, Width, X, Y};
    let columns: &[Column] = match rows.shape.last().copied().flatten() {
        // Of two classes both are six wide: exports since 8.4 name their head, and are ready.
        Some(6) if count != 2 || evidence.metadata("head").is_some() => {
            &[X, Y, Width, Height, Score, Class]
        }
        Some(width) if width == 4 + count => &[X, Y, Width, Height, ClassScores],
        _ => {
            return Err(evidence.refused(format!(
                "`{}` {} is not what RT-DETR gives for {count} classes",
                rows.name,
                rows.shape_text()
            )));
        }
    };
    draft.outputs.detections = Some(rows.name.clone());
    draft.outputs.columns = columns.to_vec();
    draft.outputs.candidates = Some(Axis::Rows);
    draft.outputs.coordinates = Coordinates::Fractions;
    draft.option("confidence_threshold", 0.25);
    draft.option("nms_execute", false);
    draft.option("nms_max_predictions", 300);
    let why = format!("metadata of Ultralytics: RT-DETR, {}", rows.shape_text());
    draft.say("outputs.columns", Origin::File, why);
    draft.say(
        "options",
        Origin::Guess,
        "those of Ultralytics' predict: 0.25, 300 objects",
    );
    Ok(())
}

/// What the columns of the candidates are.
fn table(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    rows: &TensorInfo,
    count: usize,
    extra: Option<(Column, usize)>,
) -> Result<(), DeployError> {
    use Column::{
        Bottom, Class, ClassScores, Height, Left, Objectness, Right, Score, Top, Width, X, Y,
    };
    let more = extra.map_or(0, |(_, width)| width);
    let &[first, second] = core(&rows.shape, 2) else {
        return Err(evidence.refused(format!("`{}` {} is no table", rows.name, rows.shape_text())));
    };
    let is = |side: Option<usize>, width: usize| side == Some(width);
    let (raw, objectness, ready) = (4 + count + more, 5 + count + more, 6 + more);
    // Widths may agree (4 + 2 classes = 6); then it is ready if the graph sorts its candidates, or
    // if they are not as many as its grids have cells.
    let sorted = evidence
        .kinds()
        .keys()
        .any(|kind| matches!(*kind, "TopK" | "NonMaxSuppression"));
    let said = evidence
        .metadata("end2end")
        .is_some_and(|said| said == "True")
        || evidence
            .metadata("args")
            .is_some_and(|args| args.contains("'nms': True"));
    let looks_raw = is(second, raw) || is(second, objectness);
    let not_cells = are_cells(evidence, first) == Some(false);
    let is_ready = is(second, ready) && (said || sorted || !looks_raw || not_cells);
    let turned = evidence.metadata("task") == Some("obb") && is_ready && !said && !sorted;
    draft.outputs.detections = Some(rows.name.clone());
    let extra = extra.map(|(column, _)| column);
    let with = |columns: &[Column]| columns.iter().copied().chain(extra).collect::<Vec<_>>();
    let mut own_nms = true;
    if is_ready && !turned {
        let boxes = if extra == Some(Column::Angle) {
            [X, Y, Width, Height, Score, Class]
        } else {
            [Left, Top, Right, Bottom, Score, Class]
        };
        draft.outputs.columns = with(&boxes);
        draft.outputs.candidates = Some(Axis::Rows);
        own_nms = false;
    } else if is(first, raw) || is(second, raw) {
        draft.outputs.columns = with(&[X, Y, Width, Height, ClassScores]);
        draft.outputs.candidates = Some(if is(first, raw) {
            Axis::Columns
        } else {
            Axis::Rows
        });
    } else if is(second, objectness) || is(first, objectness) {
        draft.outputs.columns = with(&[X, Y, Width, Height, Objectness, ClassScores]);
        draft.outputs.candidates = Some(if is(second, objectness) {
            Axis::Rows
        } else {
            Axis::Columns
        });
    } else {
        return Err(evidence.undecided(
            "labels",
            format!(
                "`{}` {} does not fit {count} classes: wanted {raw} values for each candidate, \
                 {objectness} with objectness, or {ready} behind NMS",
                rows.name,
                rows.shape_text()
            ),
            &[("--set labels=NAME,NAME", "the names of all classes")],
        ));
    }
    draft.option("confidence_threshold", 0.25);
    draft.option("nms_execute", own_nms);
    if own_nms {
        draft.option("iou_threshold", 0.7);
        draft.option("nms_max_predictions", 300);
    }
    let nms = if own_nms {
        "suppressed here"
    } else {
        "suppressed in the graph"
    };
    draft.say(
        "outputs.columns",
        Origin::File,
        format!("metadata of Ultralytics and {}; {nms}", rows.shape_text()),
    );
    draft.say(
        "options",
        Origin::Guess,
        "thresholds of Ultralytics' predict: 0.25, IoU 0.7, 300 objects",
    );
    Ok(())
}

/// The values of a dictionary as Python writes it, `{0: 'person', 1: "bird's nest"}`, by key.
pub(super) fn dictionary(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut entries: Vec<(usize, String)> = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once(':')?;
        let key = key.trim().trim_matches(['"', '\'']).parse().ok()?;
        let (name, after) = quoted(after.trim_start())?;
        entries.push((key, name));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    entries.sort_by_key(|(key, _)| *key);
    let in_order = entries
        .iter()
        .enumerate()
        .all(|(place, (key, _))| place == *key);
    (in_order && !entries.is_empty()).then(|| entries.into_iter().map(|(_, name)| name).collect())
}

/// Names of classes as a dictionary from 0 on or a list, as Python or JSON writes them.
pub(super) fn listed(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') {
        return dictionary(text);
    }
    let names = first_list(text)?;
    (!names.is_empty()).then_some(names)
}

/// The texts of the first list in a value of Python.
fn first_list(text: &str) -> Option<Vec<String>> {
    let (_, inner) = text.split_once('[')?;
    let mut rest = inner.trim_start();
    let mut names = Vec::new();
    while !rest.starts_with(']') {
        let (name, after) = quoted(rest)?;
        names.push(name);
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Some(names)
}

/// A quoted text, and what comes after it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.char_indices();
    let (_, quote) = characters
        .next()
        .filter(|(_, first)| matches!(first, '\'' | '"'))?;
    let mut name = String::new();
    while let Some((place, character)) = characters.next() {
        match character {
            '\\' => name.push(characters.next()?.1),
            _ if character == quote => return text.get(place + 1..).map(|rest| (name, rest)),
            _ => name.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_of_python_and_json_are_read() {
        let names = |text| dictionary(text);
        assert_eq!(names("{0: 'a', 1: \"b's, c\"}").unwrap(), ["a", "b's, c"]);
        assert_eq!(names(r#"{"1": "b", "0": "a"}"#).unwrap(), ["a", "b"]);
        assert_eq!(names(r"{0: 'it\'s'}").unwrap(), ["it's"]);
        let points = first_list("{0: ['nose', 'left_eye'], 1: ['x']}").unwrap();
        assert_eq!(points, ["nose", "left_eye"]);
        for wrong in ["{}", "", "{0: 'a', 2: 'c'}", "{0: 'a", "['a']"] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
        assert_eq!(listed(r#" ["a", 'b'] "#).unwrap(), ["a", "b"]);
        assert_eq!(listed("{0: 'a'}").unwrap(), ["a"]);
        for wrong in ["[]", "a,b", "['a', 3]", "['a'"] {
            assert_eq!(listed(wrong), None, "{wrong}");
        }
    }
}
