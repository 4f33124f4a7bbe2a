//! Classification: one label, several labels, or a hierarchy of labels for the whole image.
//!
//! - Single label: softmax over the logits (unless the model's output already adds up to 1),
//!   then the `topk` most probable labels.
//! - Multi-label: sigmoid, labels above `confidence_threshold`.
//! - Hierarchical: see [`super::hierarchy`].
//!
//! Without any label the image gets the task's empty label with probability 0, as in the SDK.

use std::borrow::Cow;

use straylight_core::{Activations, Annotation, SaliencyMap, ScoredLabel, Shape};

use super::math::{is_softmaxed, sigmoid, softmax, top_k};
use super::{FEATURE_VECTOR, Keep, PostProcess, SALIENCY_MAP};
use crate::DeployError;
use crate::config::Config;
use crate::labels::TaskLabels;
use crate::preprocess::Placement;
use crate::saliency;
use crate::tensor::{Data, Tensor, Tensors};

#[derive(Debug)]
pub(super) struct Classification {
    labels: TaskLabels,
    kind: Kind,
    /// Name of the output with the scores.
    scores: String,
    model: std::path::PathBuf,
}

#[derive(Debug)]
enum Kind {
    Single { top: usize },
    Multi { threshold: f32 },
}

impl Classification {
    pub(super) fn new(
        config: &Config,
        labels: TaskLabels,
        outputs: &[String],
    ) -> Result<Self, DeployError> {
        let mut scores = outputs.iter().filter(|name| !is_explanation(name));
        let scores = scores
            .next()
            .ok_or_else(|| DeployError::model(config.path(), "has no output with class scores"))?;
        let kind = if config.switch("multilabel", false)? {
            Kind::Multi {
                threshold: config.number("confidence_threshold", 0.5)?,
            }
        } else {
            Kind::Single {
                top: config.number("topk", 1_usize)?.max(1),
            }
        };
        Ok(Self {
            labels,
            kind,
            scores: scores.clone(),
            model: config.path().to_owned(),
        })
    }

    /// The raw scores, one for each label.
    fn raw<'a>(&self, tensors: &'a Tensors<'_>) -> Result<Cow<'a, [f32]>, DeployError> {
        let scores = tensors
            .get(&self.scores)
            .map(Tensor::floats)
            .unwrap_or_default();
        if scores.len() != self.labels.len() {
            let reason = format!(
                "output `{}` has {} scores for {} labels",
                self.scores,
                scores.len(),
                self.labels.len()
            );
            return Err(DeployError::model(&self.model, reason));
        }
        Ok(scores)
    }

    fn probabilities(&self, scores: &[f32]) -> Vec<f32> {
        match self.kind {
            Kind::Single { .. } if is_softmaxed(scores) => scores.to_vec(),
            Kind::Single { .. } => softmax(scores),
            Kind::Multi { .. } => scores.iter().copied().map(sigmoid).collect(),
        }
    }

    fn chosen(&self, probabilities: &[f32]) -> Vec<ScoredLabel> {
        let outputs: Vec<usize> = match self.kind {
            Kind::Single { top } => top_k(probabilities, top),
            Kind::Multi { threshold } => {
                let above = |output: &usize| probabilities[*output] > threshold;
                (0..probabilities.len()).filter(above).collect()
            }
        };
        let scored = outputs
            .iter()
            .map(|&output| self.labels.scored(output, probabilities[output]));
        let labels: Vec<ScoredLabel> = scored.flatten().collect();
        if !labels.is_empty() {
            return labels;
        }
        let empty = self
            .labels
            .empty()
            .map(|label| ScoredLabel::new(label, 0.0));
        empty.into_iter().collect()
    }
}

fn is_explanation(output: &str) -> bool {
    output == SALIENCY_MAP || output == FEATURE_VECTOR
}

impl PostProcess for Classification {
    fn annotations(
        &self,
        tensors: &Tensors<'_>,
        placement: &Placement,
    ) -> Result<Vec<Annotation>, DeployError> {
        let labels = self.chosen(&self.probabilities(&self.raw(tensors)?));
        if labels.is_empty() {
            return Ok(Vec::new());
        }
        let (width, height) = placement.image;
        Ok(vec![Annotation {
            shape: Shape::whole_image(width, height),
            labels,
        }])
    }

    fn activations(&self, tensors: &Tensors<'_>, keep: Keep) -> Result<Activations, DeployError> {
        let scores = self.raw(tensors)?;
        // Scores that already are probabilities are no logits.
        let single = matches!(self.kind, Kind::Single { .. });
        let are_logits = !(single && is_softmaxed(&scores));
        Ok(Activations {
            features: None,
            logits: (keep.logits && are_logits).then(|| scores.as_ref().into()),
            probabilities: keep
                .probabilities
                .then(|| self.probabilities(&scores).into()),
        })
    }

    fn saliency_maps(
        &self,
        tensors: &Tensors<'_>,
        placement: &Placement,
    ) -> Result<Option<Vec<SaliencyMap>>, DeployError> {
        let Some(tensor) = tensors.get(SALIENCY_MAP) else {
            return Ok(None);
        };
        let size = (tensor.axis_from_end(0), tensor.axis_from_end(1));
        let Data::U8(levels) = &tensor.data else {
            return Err(DeployError::model(
                &self.model,
                "output `saliency_map` is not of 8 bits",
            ));
        };
        let maps = levels
            .chunks_exact((size.0 * size.1).max(1))
            .zip(self.labels.iter());
        let enlarge = |(levels, label)| {
            saliency::enlarged(
                label,
                levels,
                (size.0 as u32, size.1 as u32),
                placement.image,
            )
        };
        let maps: Option<Vec<SaliencyMap>> = maps.map(enlarge).collect();
        let wrong = || DeployError::model(&self.model, "output `saliency_map` is empty");
        maps.filter(|maps| maps.len() == self.labels.len())
            .map(Some)
            .ok_or_else(wrong)
    }
}
