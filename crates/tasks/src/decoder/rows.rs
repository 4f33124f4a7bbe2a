//! Candidates in one tensor: rows of columns, or columns of rows.

use super::columns::Widths;
use super::{Candidate, Column, Decoder, RowLayout, Table, edges, role};
use crate::{Activation, Geometry, OutputTensor, Outputs, TaskError};

/// The candidates above the threshold, boxes as edges in the model's unit.
pub(super) fn read(
    decoder: &Decoder,
    layout: &RowLayout,
    outputs: &Outputs<'_>,
    geometry: &Geometry,
) -> Result<Vec<Candidate>, TaskError> {
    let tensor = role(outputs, "detections")?;
    let widths = decoder.widths(outputs);
    let table = table(tensor, layout, widths)?;
    let cells = match &decoder.grid {
        Some(grid) => Some(
            grid.cells(geometry.network, table.count)
                .map_err(|reason| tensor.unfit(reason))?,
        ),
        None => None,
    };
    let reader = Reader::new(decoder, layout, widths, &table);
    let mut found = Vec::new();
    reader.each(tensor, |place, class, score| {
        let numbers = layout
            .place
            .map(|index| table.at(place, layout.start_of(index, widths)));
        let numbers = match &cells {
            Some(cells) => cells.decoded(place, numbers),
            None => numbers,
        };
        found.push(Candidate {
            corners: edges(layout.format, numbers),
            score,
            class,
            angle: reader.angle.map_or(0.0, |column| table.at(place, column)),
            place,
        });
    })?;
    Ok(found)
}

impl Decoder {
    /// How wide the words are that stand for several columns.
    pub(crate) fn widths(&self, outputs: &Outputs<'_>) -> Widths {
        let prototypes = outputs.named("prototypes");
        let planes = prototypes.and_then(|tensor| tensor.core_shape(3).first().copied());
        Widths {
            scores: self.score_count(),
            prototypes: planes.unwrap_or(0),
            points: self.points,
        }
    }
}

/// The tensor as a table of candidates.
pub(super) fn table<'a>(
    tensor: &OutputTensor<'a>,
    layout: &RowLayout,
    widths: Widths,
) -> Result<Table<'a>, TaskError> {
    let width = layout.width(widths);
    let &[rows, columns] = tensor.core_shape(2) else {
        return Err(tensor.unfit(format!("wanted candidates of {width} values")));
    };
    // Without a word of the description the axis of the right length decides; of two, the last.
    let turned = layout.turned.unwrap_or(columns != width && rows == width);
    let table = Table::new(tensor.data.to_f32(), rows, columns, turned);
    if table.width != width {
        let reason = format!(
            "its description says {width} values for each candidate, the output has {}",
            table.width
        );
        return Err(tensor.unfit(reason));
    }
    Ok(table)
}

/// Reads scores and classes of the candidates of a table.
struct Reader<'t, 'a> {
    decoder: &'t Decoder,
    table: &'t Table<'a>,
    score: Option<usize>,
    class: Option<usize>,
    objectness: Option<usize>,
    scores: Option<usize>,
    angle: Option<usize>,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn new(decoder: &'t Decoder, layout: &RowLayout, widths: Widths, table: &'t Table<'a>) -> Self {
        let start = |column| layout.start(column, widths);
        Self {
            decoder,
            table,
            score: start(Column::Score),
            class: start(Column::Class),
            objectness: start(Column::Objectness),
            scores: start(Column::ClassScores),
            angle: start(Column::Angle),
        }
    }

    /// Hands over place, label and score of all that count.
    fn each(
        &self,
        tensor: &OutputTensor<'_>,
        mut take: impl FnMut(usize, i64, f32),
    ) -> Result<(), TaskError> {
        match self.scores {
            Some(first) if self.can_scan(first) => self.scan(tensor, first, take),
            Some(first) => self.many(tensor, first, take),
            None => {
                for place in 0..self.table.count {
                    let Some(score) = self.single(tensor, place)? else {
                        continue;
                    };
                    let class = self.class.map_or(self.decoder.first_class, |column| {
                        self.table.at(place, column) as i64
                    });
                    if let Some(label) = self.decoder.label_of(class) {
                        take(place, label, score);
                    }
                }
                Ok(())
            }
        }
    }

    /// The score of a candidate with one score, if it is above the threshold.
    fn single(&self, tensor: &OutputTensor<'_>, place: usize) -> Result<Option<f32>, TaskError> {
        let at = |column: Option<usize>| column.map_or(1.0, |column| self.table.at(place, column));
        let score = self.decoder.activate(match self.score {
            Some(_) => at(self.score),
            None => at(self.objectness),
        });
        let factor = if self.score.is_some() {
            at(self.objectness)
        } else {
            1.0
        };
        let score = score * factor;
        if score.is_nan() {
            return Err(not_finite(tensor, place));
        }
        Ok((score > self.decoder.threshold).then_some(score))
    }

    /// Candidates with a score for each class.
    fn many(
        &self,
        tensor: &OutputTensor<'_>,
        first: usize,
        mut take: impl FnMut(usize, i64, f32),
    ) -> Result<(), TaskError> {
        let count = self.decoder.score_count();
        let mut scores = vec![0.0; count];
        for place in 0..self.table.count {
            for (offset, score) in scores.iter_mut().enumerate() {
                *score = self.table.at(place, first + offset);
            }
            let factor = self.objectness.map_or(1.0, |column| {
                self.decoder.activate(self.table.at(place, column))
            });
            if factor.is_nan() || scores.iter().any(|score| score.is_nan()) {
                return Err(not_finite(tensor, place));
            }
            for (label, score) in self.decoder.counting(&scores, factor) {
                take(place, label, score);
            }
        }
        Ok(())
    }

    /// Whether all candidates can be scanned class by class: only the best class counts, and
    /// whatever is done with scores keeps their order.
    fn can_scan(&self, first: usize) -> bool {
        let decoder = self.decoder;
        !decoder.several
            && decoder.background.is_none()
            && decoder.activation != Activation::Softmax
            && self.table.column(first).is_some()
    }

    /// As [`Self::many`], over columns of scores that lie together: loops that vectorise, over parts of
    /// the candidates that stay in the nearest cache. Which class it is counts for few of them.
    fn scan(
        &self,
        tensor: &OutputTensor<'_>,
        first: usize,
        mut take: impl FnMut(usize, i64, f32),
    ) -> Result<(), TaskError> {
        const PART: usize = 1024;
        let count = self.table.count;
        let columns = first..first + self.decoder.score_count();
        let scores: Vec<&[f32]> = columns
            .map(|column| self.table.column(column).unwrap_or_default())
            .collect();
        for begin in (0..count).step_by(PART) {
            let mut best = [f32::NEG_INFINITY; PART];
            let best = &mut best[..PART.min(count - begin)];
            let end = begin + best.len();
            let mut is_nan = false;
            for class in &scores {
                let part = class.get(begin..end).unwrap_or_default();
                for (best, &score) in best.iter_mut().zip(part) {
                    is_nan |= score.is_nan();
                    *best = if score > *best { score } else { *best };
                }
            }
            if is_nan {
                return Err(not_finite(tensor, first * count));
            }
            for (place, &highest) in (begin..end).zip(&*best) {
                let factor = self.objectness.map_or(1.0, |column| {
                    self.decoder.activate(self.table.at(place, column))
                });
                let score = self.decoder.activate(highest) * factor;
                if score > self.decoder.threshold {
                    let is_best = |class: &&[f32]| class.get(place) == Some(&highest);
                    let label = scores.iter().position(is_best).unwrap_or_default();
                    take(place, label as i64, score);
                }
            }
        }
        Ok(())
    }
}

pub(super) fn not_finite(tensor: &OutputTensor<'_>, position: usize) -> TaskError {
    TaskError::NotFinite {
        output: tensor.name.to_owned(),
        position,
        value: f32::NAN,
    }
}
