//! Detectors of any origin, read as a description says.
//!
//! A [`Decoder`] finds the candidates in the outputs, drops those below the threshold, brings
//! their boxes to pixels of the network's input (left, upper, right, lower edge), and suppresses
//! what overlaps if the graph has not done so. Outputs go by their roles: `detections`, or
//! `boxes`, `scores` and `classes`; and `masks`, `prototypes` where objects have masks.
//!
//! Candidates are cut to the [`MOST_CANDIDATES`] best before suppression, and to
//! [`Decoder::limit`] before masks are made.

mod columns;
mod grid;
mod masks;
mod parts;
mod points;
mod rows;
mod turned;

use std::borrow::Cow;

pub use columns::{Column, RowLayout};
pub use grid::Grid;
pub use masks::{MaskArea, Masks};
pub(crate) use points::Poses;
pub(crate) use turned::TurnedBoxes;

use crate::detection::Found;
use crate::numeric::sigmoid;
use crate::{Geometry, OutputTensor, Outputs, Suppression, TaskError};

/// Most candidates that are compared with each other, as in Ultralytics' and `torchvision`'s NMS.
pub const MOST_CANDIDATES: usize = 30_000;

/// What the four numbers of a box are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoxFormat {
    /// Left, upper, right, lower edge.
    #[default]
    Corners,
    /// Upper, left, lower, right edge.
    CornersYx,
    /// Column and row of the centre, width, height.
    Centre,
    /// Left and upper edge, width, height.
    LeftTopSize,
}

/// In what boxes are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoxUnit {
    /// Pixels of the network's input.
    #[default]
    Pixels,
    /// Parts of the sides of the network's input.
    Fractions,
    /// Pixels of the image.
    ImagePixels,
    /// Parts of the sides of the image.
    ImageFractions,
}

/// What has to be done with class scores to get probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing: they are probabilities.
    #[default]
    None,
    /// The sigmoid of each.
    Sigmoid,
    /// The softmax over the classes.
    Softmax,
}

/// Where the candidates are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// One tensor `detections` with all of them.
    Rows(RowLayout),
    /// Tensors `boxes` (N x 4, or N x 5 with the score), `scores` (N, or N x classes) and
    /// `classes` (N).
    Parts(BoxFormat),
}

/// How the outputs of a detector are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoder {
    /// Where the candidates are.
    pub source: Source,
    /// In what boxes are measured.
    pub unit: BoxUnit,
    /// What has to be done with scores.
    pub activation: Activation,
    /// Number of labels.
    pub classes: usize,
    /// Number of the first label in a column or tensor of classes: 1 if 0 is the background.
    pub first_class: i64,
    /// Place of the background among the scores of each candidate.
    pub background: Option<usize>,
    /// Whether a candidate counts for each class above the threshold, not for its best one only.
    pub several: bool,
    /// The grid to which raw boxes refer.
    pub grid: Option<Grid>,
    /// Only scores above it count.
    pub threshold: f32,
    /// How boxes suppress each other; `None` when the graph did it, or nothing overlaps.
    pub suppression: Option<Suppression>,
    /// Most objects of an image.
    pub limit: usize,
    /// Where masks are, for models that have some.
    pub masks: Option<Masks>,
    /// Names of an object's key points.
    pub points: usize,
}

/// An object that a model may have found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// Left, upper, right, lower edge in pixels of the network's input (or of the image, if the
    /// model says so); before it is turned.
    pub(crate) corners: [f32; 4],
    pub(crate) score: f32,
    pub(crate) class: i64,
    /// Clockwise angle in radians.
    pub(crate) angle: f32,
    /// Its place in the outputs.
    pub(crate) place: usize,
}

/// One tensor of candidates: so many, each with so many values.
pub(crate) struct Table<'a> {
    values: Cow<'a, [f32]>,
    pub(crate) count: usize,
    pub(crate) width: usize,
    /// Distance between the values of one candidate, and between candidates.
    steps: [usize; 2],
}

impl<'a> Table<'a> {
    /// Views `rows` x `columns` values; candidates are the columns if `turned`.
    pub(crate) fn new(values: Cow<'a, [f32]>, rows: usize, columns: usize, turned: bool) -> Self {
        let (count, width, steps) = if turned {
            (columns, rows, [columns, 1])
        } else {
            (rows, columns, [1, columns])
        };
        Self {
            values,
            count,
            width,
            steps,
        }
    }

    /// Value `column` of candidate `place`; NaN outside.
    pub(crate) fn at(&self, place: usize, column: usize) -> f32 {
        let index = place * self.steps[1] + column * self.steps[0];
        self.values.get(index).copied().unwrap_or(f32::NAN)
    }

    /// A column as one slice, if its values lie together.
    pub(crate) fn column(&self, column: usize) -> Option<&[f32]> {
        let begin = column * self.steps[0];
        (self.steps[1] == 1)
            .then(|| self.values.get(begin..begin + self.count))
            .flatten()
    }
}

impl Decoder {
    /// The objects of an image by falling score, in pixels of the network's input.
    ///
    /// # Errors
    ///
    /// [`TaskError`] when the outputs are not those of the description, or hold NaN.
    pub(crate) fn decode(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<Candidate>, TaskError> {
        let mut found = match &self.source {
            Source::Rows(layout) => rows::read(self, layout, outputs, geometry)?,
            Source::Parts(format) => parts::read(self, *format, outputs)?,
        };
        for item in &mut found {
            item.corners = self.scaled(item.corners, geometry);
        }
        found.retain(|item| item.corners.iter().all(|edge| !edge.is_nan()));
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(MOST_CANDIDATES);
        let mut found = match &self.suppression {
            Some(rule) => self.suppress(found, rule),
            None => found,
        };
        if self.limit > 0 && found.len() > self.limit {
            found.truncate(self.limit);
        }
        Ok(found)
    }

    fn suppress(&self, found: Vec<Candidate>, rule: &Suppression) -> Vec<Candidate> {
        let turned = matches!(&self.source, Source::Rows(layout) if layout.angle.is_some());
        if turned {
            return turned::suppress(found, rule);
        }
        let boxes: Vec<_> = found.iter().map(|item| item.found().scored_box()).collect();
        let kept = rule.keep(&boxes);
        kept.into_iter()
            .filter_map(|index| found.get(index).copied())
            .collect()
    }

    /// Brings a box to pixels.
    fn scaled(&self, corners: [f32; 4], geometry: &Geometry) -> [f32; 4] {
        let size = match self.unit {
            BoxUnit::Pixels | BoxUnit::ImagePixels => return corners,
            BoxUnit::Fractions => geometry.network,
            BoxUnit::ImageFractions => geometry.image,
        };
        let sides = [size.width as f32, size.height as f32];
        let mut scaled = corners;
        for (index, edge) in scaled.iter_mut().enumerate() {
            *edge *= sides[index % 2];
        }
        scaled
    }

    /// Whether boxes already are those of the image.
    fn is_of_image(&self) -> bool {
        matches!(self.unit, BoxUnit::ImagePixels | BoxUnit::ImageFractions)
    }

    /// A candidate in whole pixels of the image.
    pub(crate) fn in_image(&self, item: &Candidate, geometry: &Geometry) -> Found {
        let corners = if self.is_of_image() {
            let limit = [geometry.image.width as f32, geometry.image.height as f32];
            let mut corners = item.corners;
            for (index, edge) in corners.iter_mut().enumerate() {
                *edge = edge.round_ties_even().clamp(0.0, limit[index % 2]);
            }
            corners
        } else {
            geometry.mapping().to_pixels(item.corners, geometry.image)
        };
        Found {
            corners,
            ..item.found()
        }
    }

    /// The label of a class number that a model gives; `None` for the background.
    fn label_of(&self, class: i64) -> Option<i64> {
        let label = class.saturating_sub(self.first_class);
        (label >= 0).then_some(label)
    }

    /// The label of a place among scores; `None` for the background.
    fn label_at(&self, place: usize) -> Option<i64> {
        match self.background {
            Some(background) if place == background => None,
            Some(background) if place > background => Some(place as i64 - 1),
            _ => Some(place as i64),
        }
    }

    /// How many scores each candidate has.
    fn score_count(&self) -> usize {
        self.classes + usize::from(self.background.is_some())
    }

    fn activate(&self, score: f32) -> f32 {
        match self.activation {
            Activation::Sigmoid => sigmoid(score),
            _ => score,
        }
    }

    /// The labels of one candidate with its scores that are above the threshold.
    ///
    /// `factor` is its objectness.
    fn counting(&self, scores: &[f32], factor: f32) -> Vec<(i64, f32)> {
        let softmaxed;
        let scores = if self.activation == Activation::Softmax {
            softmaxed = crate::numeric::softmax(scores);
            &softmaxed
        } else {
            scores
        };
        let labelled = scores.iter().enumerate().filter_map(|(place, &score)| {
            Some((self.label_at(place)?, self.activate(score) * factor))
        });
        if self.several {
            return labelled
                .filter(|&(_, score)| score > self.threshold)
                .collect();
        }
        let best = labelled.reduce(|best, item| if item.1 > best.1 { item } else { best });
        best.filter(|&(_, score)| score > self.threshold)
            .into_iter()
            .collect()
    }
}

impl Candidate {
    pub(crate) fn found(&self) -> Found {
        Found {
            corners: self.corners,
            score: self.score,
            class: self.class,
        }
    }
}

/// Four numbers of a box as its edges.
pub(crate) fn edges(format: BoxFormat, [a, b, c, d]: [f32; 4]) -> [f32; 4] {
    match format {
        BoxFormat::Corners => [a, b, c, d],
        BoxFormat::CornersYx => [b, a, d, c],
        BoxFormat::Centre => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
        BoxFormat::LeftTopSize => [a, b, a + c, b + d],
    }
}

/// The output of a role.
pub(crate) fn role<'o, 'a>(
    outputs: &'o Outputs<'a>,
    name: &str,
) -> Result<&'o OutputTensor<'a>, TaskError> {
    outputs
        .named(name)
        .ok_or_else(|| outputs.unfit("a described detector", "the outputs of its description"))
}

#[cfg(test)]
mod tests;
