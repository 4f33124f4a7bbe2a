//! Key points: the place of each named point of an object, by `SimCC`.
//!
//! The first output says for each point how likely each half pixel of the input's width is, the
//! second the same for its height (Y. Li et al., "`SimCC`: a Simple Coordinate Classification
//! Perspective for Human Pose Estimation", ECCV 2022, section 3). The most likely ones are the
//! coordinates; the lesser of both scores, after a softmax sharpened by 150 x 6 if
//! `apply_softmax` is set, is the probability. A point whose raw score is not above 0 has no
//! place: it lies at -1.

use straylight_core::{Annotation, Label, Prediction, SaliencyMap, Shape};

use crate::numeric::argmax;
use crate::{Geometry, ModelLabels, OutputTensor, Outputs, PostProcessor, TaskConfig, TaskError};

/// Bins per pixel of the network's input.
const SPLIT_RATIO: f32 = 2.0;
/// Sharpness of the softmax: decode beta 150 x sigma 6 of the training's Gaussian labels.
const SHARPNESS: f32 = 150.0 * 6.0;
const SOFTMAX_EPSILON: f32 = 1e-6;

/// Post-processing of a key point model.
#[derive(Debug)]
pub(crate) struct Keypoints {
    labels: ModelLabels,
    softmax: bool,
}

impl Keypoints {
    pub(crate) fn new(config: &TaskConfig, labels: ModelLabels) -> Self {
        Self {
            labels,
            softmax: config.apply_softmax,
        }
    }

    /// Bin and score along one axis, for each point.
    fn decode(&self, tensor: &OutputTensor<'_>) -> Result<Vec<Peak>, TaskError> {
        let &[points, bins] = tensor.core_shape(2) else {
            return Err(tensor.unfit("wanted 1 x points x bins"));
        };
        if points == 0 || bins == 0 {
            return Err(tensor.unfit("wanted at least one point and one bin"));
        }
        let values = tensor.data.to_f32();
        tensor.finite(&values)?;
        Ok(values
            .chunks_exact(bins)
            .filter_map(|row| self.peak(row))
            .collect())
    }

    fn peak(&self, scores: &[f32]) -> Option<Peak> {
        let (bin, raw) = argmax(scores.iter().copied())?;
        let score = if self.softmax {
            // The greatest element's share; its own power is 1. Subtracted before it is scaled: scaled
            // scores may be infinite.
            let powers = scores.iter().map(|score| (SHARPNESS * (score - raw)).exp());
            1.0 / (powers.sum::<f32>() + SOFTMAX_EPSILON)
        } else {
            raw
        };
        Some(Peak {
            bin: bin as f32,
            raw,
            score,
        })
    }
}

struct Peak {
    bin: f32,
    raw: f32,
    score: f32,
}

impl PostProcessor for Keypoints {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let mut results = outputs.results();
        let (Some(across), Some(down)) = (results.next(), results.next()) else {
            return Err(outputs.unfit("key points", "one output for each axis"));
        };
        let (columns, rows) = (self.decode(across)?, self.decode(down)?);
        if columns.len() != rows.len() {
            return Err(down.unfit(format!("the first output has {} points", columns.len())));
        }
        let mapping = geometry.mapping();
        let pairs = columns.into_iter().zip(rows).enumerate();
        let annotations = pairs.map(|(point, (column, row))| {
            let found = column.raw.min(row.raw) > 0.0;
            let place = |axis: usize, bin: f32| {
                let bin = if found { bin } else { -1.0 };
                f64::from(
                    mapping
                        .coordinate(axis, bin / SPLIT_RATIO)
                        .round_ties_even(),
                )
            };
            let shape = Shape::Keypoint {
                x: place(0, column.bin),
                y: place(1, row.bin),
                is_visible: true,
            };
            let probability = column.score.min(row.score);
            let label = self.labels.scored(point as i64, probability)?;
            Ok(Annotation {
                shape,
                labels: vec![label],
            })
        });
        let annotations = annotations.collect::<Result<_, _>>()?;
        Ok(Prediction {
            annotations,
            ..Prediction::default()
        })
    }

    /// None: key point models have no such output.
    fn saliency_maps(&self, _: &Outputs<'_>, _: &Geometry) -> Result<Vec<SaliencyMap>, TaskError> {
        Ok(Vec::new())
    }

    fn labels(&self) -> &[Label] {
        self.labels.all()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::label;

    #[test]
    fn a_score_that_is_huge_has_a_probability() {
        let config = TaskConfig::from_model_info(&BTreeMap::new()).unwrap();
        let labels = ModelLabels::new(&config, &[label("1", "nose")]);
        let keypoints = Keypoints {
            softmax: true,
            ..Keypoints::new(&config, labels)
        };
        for scores in [[f32::MAX, 1.0], [f32::MAX, f32::MIN], [-f32::MAX, -1.0]] {
            let peak = keypoints.peak(&scores).unwrap();
            assert!(
                (0.99..=1.0).contains(&peak.score),
                "{scores:?}: {}",
                peak.score
            );
        }
    }
}
