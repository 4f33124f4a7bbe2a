//! The arguments that say how models are run.

use clap::{Args, ValueEnum};
use straylight::LoadOptions;
use straylight::engine::Precision;

/// How models are run.
#[derive(Debug, Args)]
pub(crate) struct EngineArguments {
    /// OpenVINO's name of the device: CPU, GPU, AUTO, ...
    #[arg(long, default_value = "CPU")]
    pub(crate) device: String,
    /// Arithmetic of the model.
    #[arg(long, default_value = "f32")]
    pub(crate) precision: PrecisionArgument,
}

/// The arithmetic of a model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PrecisionArgument {
    /// Single precision: the same numbers on every machine.
    F32,
    /// What the device prefers, often bf16: faster, less exact.
    Device,
}

impl EngineArguments {
    /// The options with which deployments are loaded.
    pub(crate) fn load_options(&self) -> LoadOptions {
        LoadOptions {
            devices: vec![self.device.clone()],
            precision: match self.precision {
                PrecisionArgument::F32 => Precision::F32,
                PrecisionArgument::Device => Precision::Device,
            },
            ..LoadOptions::default()
        }
    }
}
