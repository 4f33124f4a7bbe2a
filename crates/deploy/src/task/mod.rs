//! Post-processing: one file for each kind of task.
//!
//! Everything follows OpenVINO ModelAPI 0.4 and the result conversion of geti-sdk 2.13; where
//! a file differs on purpose, it says so.

mod classification;
mod math;

use straylight_core::{Activations, Annotation, SaliencyMap, Task, TaskType};

use crate::DeployError;
use crate::config::Config;
use crate::labels::TaskLabels;
use crate::preprocess::Placement;
use crate::tensor::Tensors;

/// Name of the output with one saliency map a label.
pub(crate) const SALIENCY_MAP: &str = "saliency_map";
/// Name of the output with the feature vector.
pub(crate) const FEATURE_VECTOR: &str = "feature_vector";

/// What a prediction shall hold besides its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// The feature vector.
    pub features: bool,
    /// Raw class scores.
    pub logits: bool,
    /// Class probabilities.
    pub probabilities: bool,
    /// A saliency map for each label.
    pub saliency_maps: bool,
}

impl Keep {
    /// Annotations only.
    pub const NOTHING: Self = Self {
        features: false,
        logits: false,
        probabilities: false,
        saliency_maps: false,
    };

    /// All activations that the model gives, without saliency maps.
    pub const ACTIVATIONS: Self = Self {
        features: true,
        logits: true,
        probabilities: true,
        saliency_maps: false,
    };

    /// All activations and saliency maps.
    pub const EVERYTHING: Self = Self {
        saliency_maps: true,
        ..Self::ACTIVATIONS
    };

    /// What is kept by either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            features: self.features || other.features,
            logits: self.logits || other.logits,
            probabilities: self.probabilities || other.probabilities,
            saliency_maps: self.saliency_maps || other.saliency_maps,
        }
    }
}

/// Turns the results of a model into a prediction.
pub(crate) trait PostProcess: Send + Sync + std::fmt::Debug {
    /// The annotations of an image, in absolute pixels.
    fn annotations(
        &self,
        tensors: &Tensors<'_>,
        placement: &Placement,
    ) -> Result<Vec<Annotation>, DeployError>;

    /// Class scores of the image, as far as the model gives them and `keep` asks for them.
    ///
    /// The feature vector is added by the caller, it is the same for all tasks.
    fn activations(&self, tensors: &Tensors<'_>, keep: Keep) -> Result<Activations, DeployError> {
        let _ = (tensors, keep);
        Ok(Activations::default())
    }

    /// A saliency map for each label, as large as the image; `None` when the model has none.
    fn saliency_maps(
        &self,
        tensors: &Tensors<'_>,
        placement: &Placement,
    ) -> Result<Option<Vec<SaliencyMap>>, DeployError>;
}

/// The post-processing of a task.
pub(crate) fn post_process(
    config: &Config,
    task: &Task,
    outputs: &[String],
) -> Result<Box<dyn PostProcess>, DeployError> {
    let labels = TaskLabels::new(config, task)?;
    match task.task_type {
        TaskType::Classification => Ok(Box::new(classification::Classification::new(
            config, labels, outputs,
        )?)),
        other => {
            let reason = format!("tasks of type {other:?} cannot be deployed");
            Err(DeployError::model(config.path(), reason))
        }
    }
}
