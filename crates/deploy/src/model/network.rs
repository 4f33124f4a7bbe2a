use std::path::{Path, PathBuf};

use straylight_core::RgbImage;
use straylight_engine::graph::IrModel;
use straylight_engine::{CompileOptions, CompiledModel, ModelSource, Runtime};
use straylight_tasks::{Geometry, Outputs, Reading, ResizeType};

use crate::DeployError;
use crate::config::Config;
use crate::outputs::Results;
use crate::preprocess::Preprocess;

/// Which outputs of a graph are used, and what post-processing calls them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adapter {
    /// An output's own name and its new one; empty for all outputs under their own names.
    pub(crate) names: Vec<(String, String)>,
    /// How post-processing reads them.
    pub(crate) reading: Reading,
}

impl Default for Adapter {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            reading: Reading::Usual,
        }
    }
}

/// A compiled graph that takes an image.
#[derive(Debug)]
pub(super) struct Network {
    path: PathBuf,
    compiled: CompiledModel,
    /// Index and name of each output that is used.
    outputs: Vec<(usize, String)>,
    preprocess: Preprocess,
}

impl Network {
    /// Reads and compiles a model; its pre-processing follows its configuration.
    pub(super) fn load(
        path: &Path,
        config: &Config,
        resize: ResizeType,
        ir: Option<&IrModel>,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<Self, DeployError> {
        let model = runtime.read(&ModelSource::file(path))?;
        let input = model.inputs().first();
        let input = input.ok_or_else(|| DeployError::model(path, "has no input"))?;
        let stated = config
            .text("input_layout")
            .or_else(|| ir.and_then(IrModel::input_layout));
        let preprocess = Preprocess::new(config, resize, input, stated)?;
        let compiled = model.compile(preprocess.image_input(), options)?;
        let names = compiled.outputs().iter().map(|info| info.name.clone());
        let outputs = names.enumerate().collect();
        Ok(Self {
            path: path.to_owned(),
            compiled,
            outputs,
            preprocess,
        })
    }

    /// Uses the outputs that an adapter names, under their new names.
    pub(super) fn adapted(mut self, adapter: Adapter) -> Result<Self, DeployError> {
        if adapter.names.is_empty() {
            return Ok(self);
        }
        let all = std::mem::take(&mut self.outputs);
        for (own, name) in adapter.names {
            let Some(index) = self.compiled.output_index(&own) else {
                let have: Vec<&str> = all.iter().map(|(_, output)| output.as_str()).collect();
                let reason = format!("has no output `{own}`; it has {}", have.join(", "));
                return Err(DeployError::model(&self.path, reason));
            };
            self.outputs.push((index, name));
        }
        Ok(self)
    }

    /// Infers one image and hands the results, still in the engine's memory, to `take`.
    pub(super) fn run<T>(
        &self,
        image: &RgbImage,
        take: impl FnOnce(&Outputs<'_>, &Geometry) -> Result<T, DeployError>,
    ) -> Result<T, DeployError> {
        let mut session = self.compiled.session()?;
        self.preprocess.write(image, &mut session)?;
        session.run()?;
        let results = Results::of(&session, &self.outputs)?;
        let geometry = self.preprocess.geometry(image);
        take(&results.view()?, &geometry)
    }

    /// How many inferences may run at once.
    pub(super) fn requests(&self) -> usize {
        self.compiled.requests()
    }

    /// The names of the outputs, in the model's order.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(_, name)| name.as_str())
    }

    /// The graph's own name for the output that is called `name`.
    pub(super) fn own_name(&self, name: &str) -> Option<&str> {
        let (index, _) = self.outputs.iter().find(|(_, output)| output == name)?;
        self.compiled
            .outputs()
            .get(*index)
            .map(|info| info.name.as_str())
    }
}
