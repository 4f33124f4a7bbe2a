//! One task's model: compiled, with its pre- and post-processing.

mod load;
mod network;
mod tiles;

use std::path::{Path, PathBuf};

use straylight_core::{Label, Prediction, TaskType};
use straylight_engine::graph::{HeadWeights, IrModel, ModelFacts, ModelFormat};
use straylight_image::ScaledSize;
use straylight_tasks::{
    FEATURE_VECTOR, Geometry, Outputs, PostProcessor, SALIENCY_MAP, TaskError, TilingConfig,
};

use crate::picture::Picture;
use crate::{DeployError, Keep};
pub(crate) use network::Adapter;
use network::Network;
use tiles::TileClassifier;

/// A task's model, ready to infer from any number of threads.
#[derive(Debug)]
pub(crate) struct TaskModel {
    title: String,
    task_type: TaskType,
    path: PathBuf,
    network: Network,
    post: Box<dyn PostProcessor>,
    empty: Option<Label>,
    tiling: Option<TilingConfig>,
    tile_classifier: Option<TileClassifier>,
}

impl TaskModel {
    /// The files that decide what the model computes: graph, weights, configuration, tile classifier.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, DeployError> {
        let mut files = match ModelFormat::of(&self.path) {
            Some(ModelFormat::Onnx) => ModelFacts::read(&self.path)?.files(),
            _ => self.graph_and_weights(),
        };
        let others = ["config.json", "tile_classifier.xml", "tile_classifier.bin"];
        files.extend(others.iter().filter_map(|name| beside(&self.path, name)));
        Ok(files)
    }

    /// The model file, and the weights of an IR.
    pub(crate) fn graph_and_weights(&self) -> Vec<PathBuf> {
        let weights = self.path.with_extension("bin");
        let mut files = vec![self.path.clone()];
        files.extend(weights.exists().then_some(weights));
        files
    }

    /// To what size images are scaled, when they may be decoded smaller than they are.
    pub(crate) fn scaled_size(&self) -> Option<ScaledSize> {
        // A tile is made of every pixel.
        self.tiling.is_none().then(|| self.network.scaled_size())?
    }

    /// Whether images must have 16 bits a sample.
    pub(crate) fn is_deep(&self) -> bool {
        self.network.is_deep()
    }

    /// Infers one image, in tiles if the model wants them.
    pub(crate) fn infer(
        &self,
        picture: Picture<'_>,
        keep: Keep,
    ) -> Result<Prediction, DeployError> {
        let mut prediction = match &self.tiling {
            Some(tiling) => self.infer_tiles(tiling, picture, keep)?,
            None => self.network.run(picture, |outputs, geometry| {
                self.of_result(self.read(outputs, geometry, keep))
            })?,
        };
        if !keep.activations {
            prediction.activations = straylight_core::Activations::default();
        }
        if keep.saliency_maps && prediction.saliency_maps.is_empty() {
            return Err(DeployError::NoExplanation {
                task: self.title.clone(),
            });
        }
        Ok(prediction)
    }

    fn read(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
        keep: Keep,
    ) -> Result<Prediction, TaskError> {
        let mut prediction = self.post.predict(outputs, geometry)?;
        if keep.activations {
            prediction.activations = self.post.activations(outputs)?;
        }
        if keep.saliency_maps {
            prediction.saliency_maps = self.post.saliency_maps(outputs, geometry)?;
        }
        Ok(prediction)
    }

    /// Names the model in an error of its post-processing.
    fn of_result<T>(&self, result: Result<T, TaskError>) -> Result<T, DeployError> {
        result.map_err(|source| DeployError::Task {
            path: self.path.clone(),
            source,
        })
    }

    /// What the task does.
    pub(crate) fn task_type(&self) -> TaskType {
        self.task_type
    }

    /// How many inferences may run at once.
    pub(crate) fn requests(&self) -> usize {
        self.network.requests()
    }

    /// Whether the model gives a feature vector.
    pub(crate) fn has_features(&self) -> bool {
        self.network.outputs().any(|name| name == FEATURE_VECTOR)
    }

    /// Whether the model gives saliency maps.
    pub(crate) fn has_saliency(&self) -> bool {
        self.network.outputs().any(|name| name == SALIENCY_MAP)
    }

    /// The labels in the order of the model's classes.
    pub(crate) fn classes(&self) -> &[Label] {
        self.post.labels()
    }

    /// The task's label that says that nothing is there.
    pub(crate) fn empty_label(&self) -> Option<&Label> {
        self.empty.as_ref()
    }

    /// The weights of the model's last linear layer, if the graph ends in one.
    pub(crate) fn head_weights(&self) -> Result<Option<HeadWeights>, DeployError> {
        let explains = |name: &&str| *name != SALIENCY_MAP && *name != FEATURE_VECTOR;
        let scores = self.network.outputs().find(explains);
        let Some(scores) = scores.and_then(|name| self.network.own_name(name)) else {
            return Ok(None);
        };
        if self
            .path
            .extension()
            .is_none_or(|extension| extension != "xml")
        {
            return Ok(None);
        }
        Ok(IrModel::read(&self.path)?.head_weights(scores)?)
    }
}

/// Whether a file beside the model is there.
fn beside(model: &Path, name: &str) -> Option<PathBuf> {
    let path = model.with_file_name(name);
    path.exists().then_some(path)
}
