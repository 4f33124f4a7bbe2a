use std::fmt;
use std::sync::Arc;

use straylight_core::{Activations, Label, Prediction, SaliencyMap, TaskType};

use crate::anomaly::Anomaly;
use crate::classification::Classification;
use crate::detection::Detection;
use crate::instance_segmentation::InstanceSegmentation;
use crate::instances::Instances;
use crate::keypoint::Keypoints;
use crate::rotated_detection::RotatedDetection;
use crate::segmentation::Segmentation;
use crate::tiling::TileMerger;
use crate::{
    FEATURE_VECTOR, Geometry, ModelLabels, Outputs, Size, TaskConfig, TaskError, TilingConfig,
};

/// Turns the outputs of one task's model into a prediction.
///
/// Made once for a model by [`post_processor`], then shared: no call changes it, so that any
/// number of threads may use it at the same time. Whoever calls guarantees that the outputs
/// belong to one image (batch 1) and that the geometry is that of its pre-processing. The
/// outputs are only borrowed; what is returned owns its data.
///
/// Nothing is added for an image without objects: a caller that runs a single task does that
/// with [`add_empty_label`](crate::add_empty_label), a task chain only at its end.
pub trait PostProcessor: fmt::Debug + Send + Sync {
    /// What the model says about the image, in pixels of the image.
    ///
    /// An error says that the outputs do not fit the task; the same model will then fail for
    /// every image, except for [`TaskError::NotFinite`] and [`TaskError::NoSuchLabel`].
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError>;

    /// How much each place of the image spoke for each label, at the size of the image.
    ///
    /// One map for each label that is not empty, in the order of the model's classes; none at
    /// all if the model has no such output.
    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError>;

    /// Feature vector, logits and probabilities, as far as the model gives them.
    ///
    /// The feature vector is the output `feature_vector` as it is; only classifiers have logits
    /// and probabilities. Everything is copied.
    fn activations(&self, outputs: &Outputs<'_>) -> Result<Activations, TaskError> {
        Ok(Activations {
            features: features(outputs),
            ..Activations::default()
        })
    }

    /// The labels in the order of the model's classes.
    fn labels(&self) -> &[Label];

    /// What merges the results of an image's tiles; `None` if the task is not run on tiles.
    fn tile_merger(&self, _: &TilingConfig, _: Size) -> Option<Box<dyn TileMerger + '_>> {
        None
    }
}

/// A copy of the output `feature_vector`.
///
/// Feature maps `[1, C, h, w]` are pooled to their means over all places, as the models that give
/// a vector do themselves.
pub(crate) fn features(outputs: &Outputs<'_>) -> Option<Arc<[f32]>> {
    let tensor = outputs.named(FEATURE_VECTOR)?;
    let values = tensor.data.to_f32();
    let places = match *tensor.shape {
        [1, _, height, width] => height * width,
        _ => 1,
    };
    if places <= 1 {
        return (!values.is_empty()).then(|| Arc::from(values.as_ref()));
    }
    let maps = values.chunks_exact(places);
    Some(
        maps.map(|map| map.iter().sum::<f32>() / places as f32)
            .collect(),
    )
}

/// Makes the post-processor of a task from its model's configuration and the project's labels.
///
/// Fails if the configuration or the labels do not suffice for the task.
pub fn post_processor(
    task: TaskType,
    config: &TaskConfig,
    task_labels: &[Label],
) -> Result<Box<dyn PostProcessor>, TaskError> {
    let labels = ModelLabels::new(config, task_labels);
    Ok(match task {
        TaskType::Classification => Box::new(Classification::new(config, labels)),
        TaskType::Detection => Box::new(Detection::new(config, labels)),
        TaskType::RotatedDetection => Box::new(RotatedDetection(Instances::new(config, labels))),
        TaskType::InstanceSegmentation => {
            Box::new(InstanceSegmentation(Instances::new(config, labels)))
        }
        TaskType::Segmentation => Box::new(Segmentation::new(config, labels)),
        TaskType::AnomalyClassification
        | TaskType::AnomalyDetection
        | TaskType::AnomalySegmentation
        | TaskType::Anomaly => Box::new(Anomaly::new(task, config, task_labels)?),
        TaskType::KeypointDetection => Box::new(Keypoints::new(config, labels)),
        other => {
            return Err(TaskError::Unsupported(format!(
                "{other:?} has no model to be run"
            )));
        }
    })
}
