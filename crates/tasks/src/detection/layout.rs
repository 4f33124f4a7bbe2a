//! Where detectors of type SSD put boxes, scores and classes.
//!
//! | outputs | boxes |
//! |---|---|
//! | one, ... x 7: image, class, score, left, upper, right, lower | parts of the input's sides |
//! | `bboxes` N x 4, `scores` N, `labels` N (names contain these words) | parts of the input's sides |
//! | N x 5: left, upper, right, lower, score; and maybe `labels` N | pixels of the input |
//! | `boxes` N x 4, `scores` N, `labels` N | pixels of the input |
//!
//! A leading batch extent of 1 may stand before each. The last layout is not `ModelAPI`'s; it
//! is the N x 5 layout with the scores apart.

use super::{Found, suppress};
use crate::geometry::Mapping;
use crate::{Geometry, OutputTensor, Outputs, Size, Suppression, TaskError};

const WANTED: &str = "one output of 7 columns; or `bboxes`, `scores` and `labels`; or N x 5 boxes \
                      and `labels`; or `boxes`, `scores` and `labels`";

/// The boxes of the image in the model's order (after NMS, by falling score).
pub(super) fn read(
    outputs: &Outputs<'_>,
    geometry: &Geometry,
    suppression: Option<&Suppression>,
) -> Result<Vec<Found>, TaskError> {
    let network = geometry.network;
    let found = if let Some(rows) = seven_columns(outputs) {
        seven(rows)
    } else if let Some(parts) = Parts::find(outputs, "bboxes") {
        parts.read()?
    } else if let Some(boxes) = five_columns(outputs) {
        relative(five(boxes, outputs.only_containing("labels"))?, network)
    } else if let Some(parts) = Parts::find(outputs, "boxes") {
        relative(parts.read()?, network)
    } else {
        return Err(outputs.unfit("detection", WANTED));
    };
    Ok(to_image(suppress(found, suppression), geometry))
}

/// Divides pixels by the sides of the input, so that all layouts are alike from here on.
fn relative(mut found: Vec<Found>, network: Size) -> Vec<Found> {
    let sides = [network.width as f32, network.height as f32];
    for item in &mut found {
        for (index, value) in item.corners.iter_mut().enumerate() {
            *value /= sides[index % 2];
        }
    }
    found
}

/// From parts of the input's sides to whole pixels of the image, clipped to it.
fn to_image(mut found: Vec<Found>, geometry: &Geometry) -> Vec<Found> {
    let sides = [
        geometry.network.width as f32,
        geometry.network.height as f32,
    ];
    let mapping: Mapping = geometry.mapping();
    for item in &mut found {
        for (index, value) in item.corners.iter_mut().enumerate() {
            *value *= sides[index % 2];
        }
        item.corners = mapping.to_pixels(item.corners, geometry.image);
    }
    found
}

/// The only output, if it has seven columns.
fn seven_columns<'o, 'a>(outputs: &'o Outputs<'a>) -> Option<&'o OutputTensor<'a>> {
    match outputs.all() {
        [only] if only.last() == 7 => Some(only),
        _ => None,
    }
}

fn seven(tensor: &OutputTensor<'_>) -> Vec<Found> {
    let values = tensor.data.to_f32();
    let (rows, _) = values.as_chunks::<7>();
    rows.iter()
        .map(|&[_, class, score, left, upper, right, lower]| Found {
            corners: [left, upper, right, lower],
            score,
            class: if class.is_nan() { -1 } else { class as i64 },
        })
        .collect()
}

/// The only output of two or three dimensions with five columns.
///
/// Five labels in a row have the same shape, so names count as well.
fn five_columns<'o, 'a>(outputs: &'o Outputs<'a>) -> Option<&'o OutputTensor<'a>> {
    let has_rows = |tensor: &&OutputTensor<'_>| {
        matches!(tensor.rank(), 2 | 3)
            && tensor.last() == 5
            && !["labels", "scores"]
                .iter()
                .any(|word| tensor.name.contains(word))
    };
    let mut found = outputs.results().filter(has_rows);
    found.next().filter(|_| found.next().is_none())
}

fn five(
    boxes: &OutputTensor<'_>,
    labels: Option<&OutputTensor<'_>>,
) -> Result<Vec<Found>, TaskError> {
    let values = boxes.data.to_f32();
    let (rows, _) = values.as_chunks::<5>();
    let classes = match labels {
        Some(labels) => classes(labels, rows.len())?,
        None => vec![0; rows.len()],
    };
    let pairs = rows.iter().zip(classes);
    let found = pairs.map(|(&[left, upper, right, lower, score], class)| Found {
        corners: [left, upper, right, lower],
        score,
        class,
    });
    Ok(found.collect())
}

/// One class for each of `count` boxes.
fn classes(labels: &OutputTensor<'_>, count: usize) -> Result<Vec<i64>, TaskError> {
    let classes = labels.data.to_classes();
    if classes.len() == count {
        return Ok(classes);
    }
    Err(labels.unfit(format!("{} labels for {count} boxes", classes.len())))
}

/// Boxes, scores and labels in three outputs.
struct Parts<'o, 'a> {
    boxes: &'o OutputTensor<'a>,
    scores: &'o OutputTensor<'a>,
    labels: &'o OutputTensor<'a>,
}

impl<'o, 'a> Parts<'o, 'a> {
    fn find(outputs: &'o Outputs<'a>, boxes: &str) -> Option<Self> {
        Some(Self {
            boxes: outputs
                .only_containing(boxes)
                .filter(|tensor| tensor.last() == 4)?,
            scores: outputs.only_containing("scores")?,
            labels: outputs.only_containing("labels")?,
        })
    }

    fn read(&self) -> Result<Vec<Found>, TaskError> {
        let values = self.boxes.data.to_f32();
        let (rows, _) = values.as_chunks::<4>();
        let scores = self.scores.data.to_f32();
        if scores.len() != rows.len() {
            let reason = format!("{} scores for {} boxes", scores.len(), rows.len());
            return Err(self.scores.unfit(reason));
        }
        let classes = classes(self.labels, rows.len())?;
        let all = rows.iter().zip(scores.iter()).zip(classes);
        let found = all.map(|((&corners, &score), class)| Found {
            corners,
            score,
            class,
        });
        Ok(found.collect())
    }
}
