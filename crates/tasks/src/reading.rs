//! Outputs that are read as a description says, not as Geti's models give them.

use std::borrow::Cow;

use straylight_core::{Activations, Label, Prediction, SaliencyMap, TaskType};

use crate::classification::Classification;
use crate::decoder::{Activation, Column, Decoder, Poses, Source, TurnedBoxes};
use crate::detection::Detection;
use crate::instance_segmentation::InstanceSegmentation;
use crate::instances::Instances;
use crate::numeric::{sigmoid, softmax};
use crate::{
    Geometry, ModelLabels, OutputTensor, Outputs, PostProcessor, TaskConfig, TaskError, TensorData,
    post_processor,
};

/// What a description says of a model's outputs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reading {
    /// As Geti's models give them; scores are found out to be logits or probabilities.
    Usual,
    /// Scores of a classifier.
    Scores(Scores),
    /// Candidates of a detector.
    Detector(Box<Decoder>),
    /// Scores or classes of each pixel.
    Planes(Planes),
}

/// What a classifier's scores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// What has to be done to get probabilities; without it a softmax, unless they are
    /// probabilities already.
    pub activation: Option<Activation>,
    /// Whether there is one score for two labels: that of the second.
    pub one_of_two: bool,
}

impl Scores {
    /// Both scores, where there is one for two labels.
    pub(crate) fn of_two<'a>(
        self,
        tensor: &OutputTensor<'_>,
        scores: Cow<'a, [f32]>,
    ) -> Result<Cow<'a, [f32]>, TaskError> {
        if !self.one_of_two {
            return Ok(scores);
        }
        let &[score] = scores.as_ref() else {
            return Err(tensor.unfit("its description says one score for two labels"));
        };
        let other = match self.activation {
            None | Some(Activation::None) => 1.0 - score,
            // The softmax of 0 and x is the sigmoid of x.
            _ => 0.0,
        };
        Ok(Cow::Owned(vec![other, score]))
    }

    /// The probabilities; `None` when it is not said how scores become such.
    pub(crate) fn probabilities(self, scores: &[f32]) -> Option<Vec<f32>> {
        Some(match self.activation {
            None if self.one_of_two => scores.to_vec(),
            None => return None,
            Some(Activation::None) => scores.to_vec(),
            Some(Activation::Sigmoid) if !self.one_of_two => {
                scores.iter().map(|&score| sigmoid(score)).collect()
            }
            Some(_) => softmax(scores),
        })
    }

    /// Whether scores are no logits; `None` when that is not said.
    pub(crate) fn are_probabilities(self) -> Option<bool> {
        match self.activation {
            None => self.one_of_two.then_some(true),
            Some(activation) => Some(activation == Activation::None),
        }
    }
}

/// What a segmentation model gives for each pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planes {
    /// What has to be done to get probabilities; with one plane of scores the sigmoid.
    pub activation: Activation,
    /// The class that is the background; `None` when every class has a label.
    pub background: Option<usize>,
    /// Whether the output holds classes, no scores.
    pub classes: bool,
    /// Number of labels.
    pub labels: usize,
}

impl Planes {
    /// Brings an output to what post-processing knows: background first, then the labels.
    fn prepared(&self, tensor: &OutputTensor<'_>) -> Result<(Vec<usize>, Vec<f32>), TaskError> {
        let &[.., height, width] = tensor.shape else {
            return Err(tensor.unfit("wanted 1 x classes x height x width"));
        };
        let area = height * width;
        let values = tensor.data.to_f32();
        if area == 0 || !values.len().is_multiple_of(area) {
            return Err(tensor.unfit("wanted at least one pixel"));
        }
        tensor.finite(&values)?;
        if self.classes {
            let numbers = values
                .iter()
                .map(|&class| self.number(class as usize) as f32);
            return Ok((vec![1, height, width], numbers.collect()));
        }
        let planes = values.len() / area;
        let wanted = self.labels + usize::from(self.background.is_some());
        let one = planes == 1 && self.labels == 1;
        if planes != wanted && !one {
            return Err(tensor.unfit(format!(
                "wanted {wanted} planes, for {} labels{}",
                self.labels,
                if self.background.is_some() {
                    " and the background"
                } else {
                    ""
                }
            )));
        }
        let shape = vec![1, self.labels + 1, height, width];
        if one {
            let score = |&value: &f32| match self.activation {
                Activation::None => value,
                _ => sigmoid(value),
            };
            let second: Vec<f32> = values.iter().map(score).collect();
            let first = second.iter().map(|score| 1.0 - score);
            return Ok((shape, first.chain(second.iter().copied()).collect()));
        }
        Ok((shape, self.ordered(&values, planes, area)))
    }

    /// The number of a class with the background as 0.
    fn number(&self, class: usize) -> usize {
        match self.background {
            None => class + 1,
            Some(background) if class == background => 0,
            Some(background) if class < background => class + 1,
            Some(_) => class,
        }
    }

    /// Probabilities of all planes, the background's first (0 everywhere if there is none).
    fn ordered(&self, values: &[f32], planes: usize, area: usize) -> Vec<f32> {
        let mut ordered = vec![0.0; (self.labels + 1) * area];
        let mut scores = vec![0.0; planes];
        for pixel in 0..area {
            for (plane, score) in scores.iter_mut().enumerate() {
                *score = values.get(plane * area + pixel).copied().unwrap_or(0.0);
            }
            let probabilities = match self.activation {
                Activation::None => scores.clone(),
                Activation::Sigmoid => scores.iter().map(|&score| sigmoid(score)).collect(),
                Activation::Softmax => softmax(&scores),
            };
            for (plane, probability) in probabilities.into_iter().enumerate() {
                let index = self.number(plane) * area + pixel;
                if let Some(place) = ordered.get_mut(index) {
                    *place = probability;
                }
            }
        }
        ordered
    }
}

/// Post-processing behind a change of the first output.
#[derive(Debug)]
struct Prepared {
    planes: Planes,
    inner: Box<dyn PostProcessor>,
}

impl Prepared {
    fn with<T>(
        &self,
        outputs: &Outputs<'_>,
        take: impl FnOnce(&Outputs<'_>) -> Result<T, TaskError>,
    ) -> Result<T, TaskError> {
        let first = outputs.results().next().ok_or_else(|| {
            outputs.unfit("segmentation", "one output of scores, and maybe features")
        })?;
        let (shape, values) = self.planes.prepared(first)?;
        let prepared = OutputTensor {
            name: first.name,
            shape: &shape,
            data: TensorData::F32(&values),
        };
        let others = outputs
            .all()
            .iter()
            .filter(|tensor| tensor.name != first.name);
        take(&Outputs::new(
            std::iter::once(prepared).chain(others.copied()).collect(),
        )?)
    }
}

impl PostProcessor for Prepared {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        self.with(outputs, |outputs| self.inner.predict(outputs, geometry))
    }

    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        self.with(outputs, |outputs| {
            self.inner.saliency_maps(outputs, geometry)
        })
    }

    fn activations(&self, outputs: &Outputs<'_>) -> Result<Activations, TaskError> {
        self.inner.activations(outputs)
    }

    fn labels(&self) -> &[Label] {
        self.inner.labels()
    }
}

/// Makes the post-processor of a described model.
///
/// Fails as [`post_processor`] does.
pub fn described_post_processor(
    task: TaskType,
    config: &TaskConfig,
    task_labels: &[Label],
    reading: Reading,
) -> Result<Box<dyn PostProcessor>, TaskError> {
    let labels = || ModelLabels::new(config, task_labels);
    Ok(match reading {
        Reading::Usual => post_processor(task, config, task_labels)?,
        Reading::Scores(scores) => {
            Box::new(Classification::new(config, labels()).described(scores))
        }
        Reading::Planes(planes) => Box::new(Prepared {
            planes,
            inner: post_processor(task, config, task_labels)?,
        }),
        Reading::Detector(decoder) => detector(config, labels(), *decoder),
    })
}

fn detector(config: &TaskConfig, labels: ModelLabels, decoder: Decoder) -> Box<dyn PostProcessor> {
    let turned = matches!(&decoder.source, Source::Rows(layout) if layout.has(Column::Angle));
    if decoder.masks.is_some() {
        let instances = Instances::new(config, labels).described(decoder);
        return Box::new(InstanceSegmentation(instances));
    }
    if turned {
        return Box::new(TurnedBoxes { labels, decoder });
    }
    if decoder.points > 0 {
        return Box::new(Poses { labels, decoder });
    }
    Box::new(Detection::new(config, labels).described(decoder))
}
