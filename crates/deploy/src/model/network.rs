use std::path::Path;

use straylight_core::RgbImage;
use straylight_engine::graph::IrModel;
use straylight_engine::{CompileOptions, CompiledModel, ModelSource, Runtime};
use straylight_tasks::{Geometry, Outputs, ResizeType};

use crate::DeployError;
use crate::config::Config;
use crate::outputs::Results;
use crate::preprocess::Preprocess;

/// A compiled graph that takes an image.
#[derive(Debug)]
pub(super) struct Network {
    compiled: CompiledModel,
    outputs: Vec<String>,
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
        let outputs = compiled
            .outputs()
            .iter()
            .map(|info| info.name.clone())
            .collect();
        Ok(Self {
            compiled,
            outputs,
            preprocess,
        })
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
        take(&results.view()?, &self.preprocess.geometry(image))
    }

    /// How many inferences may run at once.
    pub(super) fn requests(&self) -> usize {
        self.compiled.requests()
    }

    /// The names of the outputs, in the model's order.
    pub(super) fn outputs(&self) -> &[String] {
        &self.outputs
    }
}
