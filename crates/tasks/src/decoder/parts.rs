//! Boxes, scores and classes in tensors of their own.

use super::rows::not_finite;
use super::{BoxFormat, Candidate, Decoder, edges, role};
use crate::{OutputTensor, Outputs, TaskError};

/// The candidates above the threshold, boxes as edges in the model's unit.
pub(super) fn read(
    decoder: &Decoder,
    format: BoxFormat,
    outputs: &Outputs<'_>,
) -> Result<Vec<Candidate>, TaskError> {
    let boxes = role(outputs, "boxes")?;
    let values = boxes.data.to_f32();
    let width = boxes.last();
    if !matches!(width, 4 | 5) {
        return Err(boxes.unfit("wanted N x 4, or N x 5 with the score"));
    }
    let all = values.len() / width;
    let count = valid(outputs, all);
    let scores = scores(decoder, outputs, &values, all)?;
    let mut found = Vec::new();
    for (place, row) in values.chunks_exact(width).take(count).enumerate() {
        let &[a, b, c, d, ..] = row else { continue };
        for (class, score) in scores.of(decoder, place)? {
            found.push(Candidate {
                corners: edges(format, [a, b, c, d]),
                score,
                class,
                angle: 0.0,
                place,
            });
        }
    }
    Ok(found)
}

/// How many of the boxes count: what `count` says, at most all.
fn valid(outputs: &Outputs<'_>, all: usize) -> usize {
    let count = outputs.named("count").map(|tensor| tensor.data.to_f32());
    let count = count.and_then(|values| values.first().copied());
    count.map_or(all, |count| (count.max(0.0) as usize).min(all))
}

/// Where the scores of a box are.
struct Scores<'o, 'a> {
    tensor: &'o OutputTensor<'a>,
    values: Vec<f32>,
    classes: Option<Vec<i64>>,
}

fn scores<'o, 'a>(
    decoder: &Decoder,
    outputs: &'o Outputs<'a>,
    boxes: &[f32],
    count: usize,
) -> Result<Scores<'o, 'a>, TaskError> {
    let (tensor, values) = if let Some(tensor) = outputs.named("scores") {
        (tensor, tensor.data.to_f32().into_owned())
    } else {
        let tensor = role(outputs, "boxes")?;
        if tensor.last() != 5 {
            return Err(tensor.unfit("there are no scores: wanted N x 5, or an output `scores`"));
        }
        let (rows, _) = boxes.as_chunks::<5>();
        (tensor, rows.iter().map(|row| row[4]).collect())
    };
    let classes = outputs.named("classes").map(|classes| {
        let numbers = classes.data.to_classes();
        if numbers.len() == count {
            return Ok(numbers);
        }
        Err(classes.unfit(format!("{} classes for {count} boxes", numbers.len())))
    });
    let classes = classes.transpose()?;
    let each = if classes.is_some() || values.len() == count {
        1
    } else {
        decoder.score_count()
    };
    if values.len() != count * each {
        let reason = format!("{} scores for {count} boxes of {each} scores", values.len());
        return Err(tensor.unfit(reason));
    }
    Ok(Scores {
        tensor,
        values,
        classes,
    })
}

impl Scores<'_, '_> {
    /// Labels and scores of a box.
    fn of(&self, decoder: &Decoder, place: usize) -> Result<Vec<(i64, f32)>, TaskError> {
        let each = match &self.classes {
            None if decoder.score_count() > 1 => decoder.score_count(),
            _ => 1,
        };
        let begin = place * each;
        let scores = self.values.get(begin..begin + each).unwrap_or_default();
        if scores.iter().any(|score| score.is_nan()) {
            return Err(not_finite(self.tensor, begin));
        }
        let Some(classes) = &self.classes else {
            return Ok(decoder.counting(scores, 1.0));
        };
        let class = classes.get(place).copied().unwrap_or(-1);
        let score = decoder.activate(scores.first().copied().unwrap_or(f32::NAN));
        let label = decoder
            .label_of(class)
            .filter(|_| score > decoder.threshold);
        Ok(label.map(|label| (label, score)).into_iter().collect())
    }
}
