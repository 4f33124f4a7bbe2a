use std::path::{Path, PathBuf};

use straylight_engine::graph::{IrModel, ModelFacts, ModelFormat};
use straylight_engine::{CompileOptions, CompiledModel, ModelSource, Runtime, TensorInfo};
use straylight_image::ScaledSize;
use straylight_tasks::{Geometry, Outputs, Reading, ResizeType};

use crate::DeployError;
use crate::config::Config;
use crate::picture::Picture;
use crate::preprocess::{Preprocess, StatedInput};
use crate::quantised::Quantised;
use crate::session_outputs::{Results, Used};

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
    /// Each output that is used.
    outputs: Vec<Used>,
    preprocess: Preprocess,
}

/// The image. OpenVINO runs a graph although another input was never set, with whatever its memory
/// holds, so that such a graph is refused.
fn only_input<'a>(path: &Path, inputs: &'a [TensorInfo]) -> Result<&'a TensorInfo, DeployError> {
    match inputs {
        [only] => Ok(only),
        [] => Err(DeployError::model(path, "has no input")),
        [_, others @ ..] => {
            let names: Vec<String> = others.iter().map(|i| format!("`{}`", i.name)).collect();
            let reason = format!(
                "has further inputs besides the image ({}): export it with the image as its only input",
                names.join(", ")
            );
            Err(DeployError::model(path, reason))
        }
    }
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
        check_file(path)?;
        let quantised = Quantised::read(path)?;
        let model = runtime.read(&ModelSource::file(path))?;
        let input = only_input(path, model.inputs())?;
        let stated = StatedInput {
            layout: config
                .text("input_layout")
                .or_else(|| ir.and_then(IrModel::input_layout)),
            quantised: quantised.input.clone(),
        };
        let preprocess = Preprocess::new(config, resize, input, stated)?;
        let compiled = model.compile(preprocess.image_input(), options)?;
        let outputs = compiled.outputs().iter().enumerate();
        let outputs = outputs.map(|(index, info)| Used {
            index,
            name: info.name.clone(),
            dequantise: quantised.output(info),
        });
        let outputs = outputs.collect();
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
                let have: Vec<&str> = all.iter().map(|output| output.name.as_str()).collect();
                let reason = format!("has no output `{own}`; it has {}", have.join(", "));
                return Err(DeployError::model(&self.path, reason));
            };
            let dequantise = all.get(index).and_then(|output| output.dequantise);
            self.outputs.push(Used {
                index,
                name,
                dequantise,
            });
        }
        Ok(self)
    }

    /// Infers one image and hands the results, still in the engine's memory, to `take`.
    pub(super) fn run<T>(
        &self,
        picture: Picture<'_>,
        take: impl FnOnce(&Outputs<'_>, &Geometry) -> Result<T, DeployError>,
    ) -> Result<T, DeployError> {
        let mut session = self.compiled.session()?;
        self.preprocess.write(picture, &mut session)?;
        session.run()?;
        let results = Results::of(&session, &self.outputs)?;
        let geometry = self.preprocess.geometry(picture.size);
        take(&results.view()?, &geometry)
    }

    /// To what size images are scaled, when they may be decoded smaller than they are.
    pub(super) fn scaled_size(&self) -> Option<ScaledSize> {
        self.preprocess.scaled_size()
    }

    /// Whether images must have 16 bits a sample.
    pub(super) fn is_deep(&self) -> bool {
        self.preprocess.is_deep()
    }

    /// How many inferences may run at once.
    pub(super) fn requests(&self) -> usize {
        self.compiled.requests()
    }

    /// The names of the outputs, in the model's order.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|output| output.name.as_str())
    }

    /// The graph's own name for the output that is called `name`.
    pub(super) fn own_name(&self, name: &str) -> Option<&str> {
        let used = self.outputs.iter().find(|output| output.name == name)?;
        self.compiled
            .outputs()
            .get(used.index)
            .map(|info| info.name.as_str())
    }
}

/// Checks what the engine says in other words, or not at all: that an ONNX model's external weights
/// are there, and that its nodes are computed as ONNX defines them.
fn check_file(path: &Path) -> Result<(), DeployError> {
    if ModelFormat::of(path) == Some(ModelFormat::Onnx) {
        let facts = ModelFacts::read(path)?;
        facts.check_weights()?;
        if let Some(reason) = facts.miscomputed() {
            return Err(DeployError::model(path, reason));
        }
    }
    Ok(())
}
