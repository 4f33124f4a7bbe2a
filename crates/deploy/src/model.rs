//! One task's model: compiled, with its pre- and post-processing.

use std::path::{Path, PathBuf};

use serde_json::Value;
use straylight_core::{Label, Prediction, RgbImage, Task};
use straylight_engine::graph::{HeadWeights, IrModel};
use straylight_engine::{CompileOptions, CompiledModel, ModelSource, Runtime};
use straylight_tasks::{
    FEATURE_VECTOR, Outputs, PostProcessor, SALIENCY_MAP, TaskConfig, TaskError, post_processor,
};

use crate::config::Config;
use crate::outputs::Results;
use crate::preprocess::Preprocess;
use crate::{DeployError, Keep, folder};

/// A task's model, ready to infer from any number of threads.
#[derive(Debug)]
pub(crate) struct TaskModel {
    title: String,
    path: PathBuf,
    compiled: CompiledModel,
    outputs: Vec<String>,
    preprocess: Preprocess,
    post: Box<dyn PostProcessor>,
    empty: Option<Label>,
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
        check_described(&config)?;
        let failed = |source| DeployError::Task {
            path: path.clone(),
            source,
        };
        let task_config = TaskConfig::from_model_info(config.entries()).map_err(failed)?;
        let post = post_processor(task.task_type, &task_config, &task.labels).map_err(failed)?;
        let model = runtime.read(&ModelSource::file(&path))?;
        let no_input = || DeployError::model(&path, "has no input");
        let input = model.inputs().first().ok_or_else(no_input)?;
        let preprocess = Preprocess::new(&config, task_config.resize, input, ir.input_layout())?;
        let outputs = model
            .outputs()
            .iter()
            .map(|info| info.name.clone())
            .collect();
        let compiled = model.compile(preprocess.image_input(), options)?;
        let empty = task.labels.iter().find(|label| label.is_empty).cloned();
        Ok(Self {
            title: task.title.clone(),
            path,
            compiled,
            outputs,
            preprocess,
            post,
            empty,
        })
    }

    /// Infers one image.
    pub(crate) fn infer(&self, image: &RgbImage, keep: Keep) -> Result<Prediction, DeployError> {
        if keep.saliency_maps && !self.has_output(SALIENCY_MAP) {
            return Err(DeployError::NoExplanation {
                task: self.title.clone(),
            });
        }
        let mut session = self.compiled.session()?;
        self.preprocess.write(image, &mut session)?;
        session.run()?;
        let results = Results::of(&session, &self.outputs)?;
        let prediction = results
            .view()?
            .and_then(|outputs| self.read(&outputs, image, keep));
        prediction.map_err(|source| DeployError::Task {
            path: self.path.clone(),
            source,
        })
    }

    fn read(
        &self,
        outputs: &Outputs<'_>,
        image: &RgbImage,
        keep: Keep,
    ) -> Result<Prediction, TaskError> {
        let geometry = self.preprocess.geometry(image);
        let mut prediction = self.post.predict(outputs, &geometry)?;
        if keep.activations {
            prediction.activations = self.post.activations(outputs)?;
        }
        if keep.saliency_maps {
            prediction.saliency_maps = self.post.saliency_maps(outputs, &geometry)?;
        }
        Ok(prediction)
    }

    /// How many inferences may run at once.
    pub(crate) fn requests(&self) -> usize {
        self.compiled.requests()
    }

    /// Whether the model gives a feature vector.
    pub(crate) fn has_features(&self) -> bool {
        self.has_output(FEATURE_VECTOR)
    }

    /// The task's label that says that nothing is there.
    pub(crate) fn empty_label(&self) -> Option<&Label> {
        self.empty.as_ref()
    }

    /// The weights of the model's last linear layer, if the graph ends in one.
    pub(crate) fn head_weights(&self) -> Result<Option<HeadWeights>, DeployError> {
        let explains = |name: &&String| *name != SALIENCY_MAP && *name != FEATURE_VECTOR;
        let Some(scores) = self.outputs.iter().find(explains) else {
            return Ok(None);
        };
        Ok(IrModel::read(&self.path)?.head_weights(scores)?)
    }

    fn has_output(&self, name: &str) -> bool {
        self.outputs.iter().any(|output| output == name)
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

/// Refuses a model that neither names its type nor its labels: its outputs could mean anything.
fn check_described(config: &Config) -> Result<(), DeployError> {
    if config.text("labels").is_some() || config.text("model_type").is_some() {
        return Ok(());
    }
    let reason = "has no rt_info/model_info, and config.json beside it says neither `model_type` nor \
                  `labels`: what its outputs mean is not known";
    Err(DeployError::model(config.path(), reason))
}
