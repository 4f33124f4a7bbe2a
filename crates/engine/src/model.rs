use std::path::Path;

use crate::ffi::{self, Core, Preprocessor};
use crate::graph::IrModel;
use crate::{
    CompileOptions, CompiledModel, Dimension, EngineError, ImageInput, Layout, ModelSource,
    TensorInfo, Version,
};

/// A model that was read and can be compiled.
#[derive(Debug)]
pub struct Model {
    handle: ffi::Model,
    core: Core,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
}

impl Model {
    pub(crate) fn read(
        source: &ModelSource,
        runtime: Option<Version>,
    ) -> Result<Self, EngineError> {
        let core = Core::new()?;
        check_readable(&source.path)?;
        let beside = || source.is_ir().then(|| source.path.with_extension("bin"));
        let weights = source.weights.clone().or_else(beside);
        if let Some(weights) = &weights {
            check_readable(weights)?;
        }
        let handle = core
            .read_model(&source.path, weights.as_deref())
            .map_err(|error| explain(error, source, runtime))?;
        let (inputs, outputs) = (handle.inputs()?, handle.outputs()?);
        Ok(Self {
            handle,
            core,
            inputs,
            outputs,
        })
    }

    /// The inputs, as the file describes them.
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    /// The outputs, as the file describes them.
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    /// Builds pre-processing into input 0 and compiles the model for a device.
    ///
    /// Outputs of other floating point types, and of small integers but u8, become f32.
    ///
    /// # Errors
    ///
    /// [`EngineError::OpenVino`] for all that the device refuses.
    pub fn compile(
        self,
        image_input: Option<&ImageInput>,
        options: &CompileOptions,
    ) -> Result<CompiledModel, EngineError> {
        let Self {
            handle,
            core,
            inputs,
            outputs,
        } = self;
        if let (Some(image), [only]) = (image_input, inputs.as_slice()) {
            close_channels(&handle, image, &only.shape)?;
        }
        let device = options.property_device();
        if let Some(cache) = &options.cache {
            core.set_property(device, "CACHE_DIR", &cache.to_string_lossy())?;
        }
        for (key, value) in options.properties() {
            core.set_property(device, key, &value)?;
        }
        let handle = prepare(handle, &outputs, image_input)?;
        let compiled = core.compile(&handle, &options.device)?;
        let (inputs, outputs) = (handle.inputs()?, handle.outputs()?);
        Ok(CompiledModel::new(
            core,
            compiled,
            inputs,
            outputs,
            options.requests,
        ))
    }
}

/// Opens the file once, so that a missing file or right has the system's own words.
fn check_readable(path: &Path) -> Result<(), EngineError> {
    std::fs::File::open(path).map_err(EngineError::io("read", path))?;
    Ok(())
}

/// Says that the runtime is too old, when that is why a model cannot be read.
fn explain(error: EngineError, source: &ModelSource, runtime: Option<Version>) -> EngineError {
    let EngineError::OpenVino { reason, .. } = error else {
        return error;
    };
    let path = source.path.clone();
    let written_by = source
        .is_ir()
        .then(|| IrModel::read(&path).ok()?.written_by())
        .flatten();
    match (written_by, runtime) {
        (Some(written_by), Some(runtime)) if written_by > runtime => EngineError::RuntimeTooOld {
            path,
            written_by,
            runtime,
            reason,
        },
        _ => EngineError::Model { path, reason },
    }
}

/// Gives an open axis of channels its three, which pre-processing channel by channel needs.
fn close_channels(
    handle: &ffi::Model,
    image: &ImageInput,
    shape: &[Dimension],
) -> Result<(), EngineError> {
    let axis = match image.layout {
        Layout::Nchw => 1,
        Layout::Nhwc => 3,
    };
    let mut shape = shape.to_vec();
    match shape.get_mut(axis) {
        Some(channels @ None) => *channels = Some(3),
        _ => return Ok(()),
    }
    handle.reshape(&shape)
}

fn prepare(
    handle: ffi::Model,
    outputs: &[TensorInfo],
    image_input: Option<&ImageInput>,
) -> Result<ffi::Model, EngineError> {
    let other_floats = outputs
        .iter()
        .enumerate()
        .filter(|(_, info)| info.element.is_given_as_f32());
    let mut other_floats = other_floats.map(|(index, _)| index).peekable();
    if image_input.is_none() && other_floats.peek().is_none() {
        return Ok(handle);
    }
    let preprocessor = Preprocessor::new(&handle)?;
    if let Some(image) = image_input {
        preprocessor.image_input(0, image)?;
    }
    for index in other_floats {
        preprocessor.output_as_f32(index)?;
    }
    preprocessor.build()
}
