//! One task's model: compiled, with its pre- and post-processing.

use std::path::{Path, PathBuf};

use serde_json::Value;
use straylight_core::{Activations, Prediction, RgbImage, Task};
use straylight_engine::graph::{HeadWeights, IrModel};
use straylight_engine::{CompileOptions, CompiledModel, ModelSource, Runtime};

use crate::DeployError;
use crate::config::Config;
use crate::folder;
use crate::preprocess::{Placement, Preprocess};
use crate::task::{self, FEATURE_VECTOR, Keep, PostProcess};
use crate::tensor::{self, Tensor, Tensors};

/// A task's model, ready to infer from any number of threads.
#[derive(Debug)]
pub(crate) struct TaskModel {
    title: String,
    path: PathBuf,
    compiled: CompiledModel,
    outputs: Vec<String>,
    preprocess: Preprocess,
    post: Box<dyn PostProcess>,
}

impl TaskModel {
    /// Loads the model of a task from the task's folder.
    pub(crate) fn load(
        task: &Task,
        folder: &Path,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<Self, DeployError> {
        let path = folder.join("model/model.xml");
        let ir = IrModel::read(&path)?;
        let config = Config::new(&path, ir.info(), &beside(&path)?);
        let model = runtime.read(&ModelSource::file(&path))?;
        let no_input = || DeployError::model(&path, "has no input");
        let input = model.inputs().first().ok_or_else(no_input)?;
        let preprocess = Preprocess::new(&config, input, ir.input_layout())?;
        let outputs: Vec<String> = model
            .outputs()
            .iter()
            .map(|info| info.name.clone())
            .collect();
        let post = task::post_process(&config, task, &outputs)?;
        let compiled = model.compile(preprocess.image_input(), options)?;
        Ok(Self {
            title: task.title.clone(),
            path,
            compiled,
            outputs,
            preprocess,
            post,
        })
    }

    /// Infers one image.
    pub(crate) fn infer(&self, image: &RgbImage, keep: Keep) -> Result<Prediction, DeployError> {
        let mut session = self.compiled.session()?;
        let placement = self.preprocess.write(image, &mut session)?;
        session.run()?;
        let outputs = tensor::outputs_of(&session, &self.outputs)?;
        self.read(&Tensors::view(&outputs)?, &placement, keep)
    }

    fn read(
        &self,
        tensors: &Tensors<'_>,
        placement: &Placement,
        keep: Keep,
    ) -> Result<Prediction, DeployError> {
        let annotations = self.post.annotations(tensors, placement)?;
        let mut activations = Activations::default();
        if keep.logits || keep.probabilities {
            activations = self.post.activations(tensors, keep)?;
        }
        if keep.features {
            let features = tensors.get(FEATURE_VECTOR).map(Tensor::floats);
            activations.features = features.map(|values| values.as_ref().into());
        }
        let mut saliency_maps = Vec::new();
        if keep.saliency_maps {
            let maps = self.post.saliency_maps(tensors, placement)?;
            let missing = || DeployError::NoExplanation {
                task: self.title.clone(),
            };
            saliency_maps = maps.ok_or_else(missing)?;
        }
        Ok(Prediction {
            annotations,
            saliency_maps,
            activations,
        })
    }

    /// How many inferences may run at once.
    pub(crate) fn requests(&self) -> usize {
        self.compiled.requests()
    }

    /// Whether the model gives a feature vector.
    pub(crate) fn has_features(&self) -> bool {
        self.outputs.iter().any(|name| name == FEATURE_VECTOR)
    }

    /// The weights of the model's last linear layer, if the graph ends in one.
    pub(crate) fn head_weights(&self) -> Result<Option<HeadWeights>, DeployError> {
        let Some(scores) = self.outputs.first() else {
            return Ok(None);
        };
        Ok(IrModel::read(&self.path)?.head_weights(scores)?)
    }
}

/// `config.json` beside a model; older exports keep their configuration in it.
fn beside(model: &Path) -> Result<Value, DeployError> {
    let path = model.with_file_name("config.json");
    if path.exists() {
        folder::read_json(&path)
    } else {
        Ok(Value::Null)
    }
}
