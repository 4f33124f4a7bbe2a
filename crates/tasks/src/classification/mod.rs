//! Classification: one or more labels for the whole image.
//!
//! The first output that is neither saliency map nor feature vector holds the scores, one for
//! each class. Single-label models name the `topk` best of a softmax (which is left out if the
//! scores already are probabilities), multi-label models all whose sigmoid is above the
//! threshold, hierarchical models what their tree leaves (see `hierarchical`). If nothing is
//! left, the empty label stands, with probability 0; a task without one then has no
//! annotation (where the SDK returns one without labels).

mod hierarchical;

use std::borrow::Cow;

use straylight_core::{Activations, Annotation, Label, Prediction, SaliencyMap, Shape};

use crate::config::Hierarchy;
use crate::labels::scored;
use crate::numeric::{is_softmaxed, probabilities, sigmoid};
use crate::post::features;
use crate::reading::Scores;
use crate::{
    Geometry, ModelLabels, OutputTensor, Outputs, PostProcessor, TaskConfig, TaskError, saliency,
};

/// Post-processing of a classifier.
#[derive(Debug)]
pub(crate) struct Classification {
    labels: ModelLabels,
    names: Vec<String>,
    head: Head,
    described: Option<Scores>,
}

#[derive(Debug)]
enum Head {
    Single {
        topk: usize,
    },
    Multi {
        threshold: f32,
    },
    Hierarchical {
        hierarchy: Hierarchy,
        threshold: f32,
    },
}

/// A class and its probability.
type Scored = (usize, f32);

impl Classification {
    pub(crate) fn new(config: &TaskConfig, labels: ModelLabels) -> Self {
        let threshold = config.confidence_threshold;
        // ModelAPI asks for `multilabel` first.
        let head = match (&config.hierarchy, config.multilabel) {
            (_, true) => Head::Multi { threshold },
            (Some(hierarchy), false) => Head::Hierarchical {
                hierarchy: hierarchy.clone(),
                threshold,
            },
            (None, false) => Head::Single { topk: config.topk },
        };
        Self {
            labels,
            names: config.labels.clone(),
            head,
            described: None,
        }
    }

    /// Takes scores for what a description says that they are.
    pub(crate) fn described(mut self, scores: Scores) -> Self {
        self.described = Some(scores);
        self
    }

    /// The raw scores, one for each class; refuses NaN and infinity.
    fn scores<'a>(&self, outputs: &Outputs<'a>) -> Result<Cow<'a, [f32]>, TaskError> {
        let tensor = outputs
            .results()
            .next()
            .ok_or_else(|| outputs.unfit("classification", "one output with a score per class"))?;
        let mut scores = tensor.data.to_f32();
        if let Some(described) = self.described {
            scores = described.of_two(tensor, scores)?;
        }
        self.check_count(tensor, scores.len())?;
        tensor.finite(&scores)?;
        Ok(scores)
    }

    fn check_count(&self, tensor: &OutputTensor<'_>, count: usize) -> Result<(), TaskError> {
        let labels = self.labels.all().len();
        let fits = match self.head {
            Head::Hierarchical { .. } => true,
            // A label of Geti's may stand for no class.
            _ if self.described.is_none() => (1..=labels).contains(&count),
            _ => count == labels,
        };
        if fits {
            return Ok(());
        }
        Err(tensor.unfit(format!("{count} scores for {labels} labels")))
    }

    fn classes(&self, scores: &[f32]) -> Result<Vec<Scored>, TaskError> {
        match &self.head {
            Head::Single { topk } => Ok(best(&self.probabilities(scores)?, *topk)),
            Head::Multi { threshold } => Ok(above(&self.probabilities(scores)?, *threshold)),
            Head::Hierarchical {
                hierarchy,
                threshold,
            } => hierarchical::resolve(hierarchy, scores, *threshold),
        }
    }

    fn probabilities(&self, scores: &[f32]) -> Result<Vec<f32>, TaskError> {
        let described = self.described.and_then(|one| one.probabilities(scores));
        if let Some(probabilities) = described {
            return Ok(probabilities);
        }
        match &self.head {
            Head::Single { .. } => Ok(probabilities(scores)),
            Head::Multi { .. } => Ok(scores.iter().map(|&score| sigmoid(score)).collect()),
            Head::Hierarchical { hierarchy, .. } => hierarchical::probabilities(hierarchy, scores),
        }
    }
}

impl PostProcessor for Classification {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let classes = self.classes(&self.scores(outputs)?)?;
        let labelled = classes
            .into_iter()
            .map(|(class, probability)| self.labels.scored(class as i64, probability));
        let mut labels = labelled.collect::<Result<Vec<_>, _>>()?;
        if labels.is_empty() {
            labels.extend(self.labels.empty().map(|label| scored(label, 0.0)));
        }
        let mut prediction = Prediction::default();
        if !labels.is_empty() {
            let shape = Shape::whole_image(geometry.image.width, geometry.image.height);
            prediction.annotations.push(Annotation { shape, labels });
        }
        Ok(prediction)
    }

    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        saliency::enlarged(
            outputs,
            self.labels.all(),
            geometry.image,
            |class| match &self.head {
                Head::Hierarchical { hierarchy, .. } => {
                    let name = self.names.get(class)?;
                    hierarchy.logit_order.iter().position(|other| other == name)
                }
                _ => Some(class),
            },
        )
    }

    fn activations(&self, outputs: &Outputs<'_>) -> Result<Activations, TaskError> {
        let scores = self.scores(outputs)?;
        let probabilities = self.probabilities(&scores)?;
        let single = matches!(self.head, Head::Single { .. });
        // What the model already normalised are no logits.
        let normalised = self.described.and_then(Scores::are_probabilities);
        let logits = !normalised.unwrap_or_else(|| single && is_softmaxed(&scores));
        Ok(Activations {
            features: features(outputs),
            logits: logits.then(|| scores.as_ref().into()),
            probabilities: Some(probabilities.into()),
        })
    }

    fn labels(&self) -> &[Label] {
        self.labels.all()
    }
}

/// The `count` most probable classes, the best first; of equals the one that comes first.
///
/// NumPy's `argpartition`, which `ModelAPI` uses, takes any of equals, depending on the CPU.
fn best(probabilities: &[f32], count: usize) -> Vec<Scored> {
    let mut classes: Vec<Scored> = probabilities.iter().copied().enumerate().collect();
    classes.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    classes.truncate(count);
    classes
}

/// The classes whose probability is above the threshold, in the model's order.
fn above(probabilities: &[f32], threshold: f32) -> Vec<Scored> {
    let probabilities = probabilities.iter().copied().enumerate();
    probabilities
        .filter(|&(_, probability)| probability > threshold)
        .collect()
}
