//! The arguments that say how models are run.

use clap::{Args, ValueEnum};
use straylight::engine::Precision;
use straylight::{JpegDecoding, LoadOptions};

/// How models are run.
#[derive(Debug, Args)]
pub(crate) struct EngineArguments {
    /// OpenVINO's name of the device: CPU, GPU, AUTO, ...
    #[arg(long, default_value = "CPU")]
    pub(crate) device: String,
    /// Arithmetic of the model.
    #[arg(long, default_value = "f32")]
    pub(crate) precision: PrecisionArgument,
    /// How large JPEG files are decoded [default: as for the OOD model, else scaled].
    #[arg(long)]
    decoding: Option<DecodingArgument>,
}

/// How JPEG files are decoded that are far larger than what the network sees of them.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DecodingArgument {
    /// With no more than about three times the pixels a side that the network sees: faster.
    Scaled,
    /// With all pixels: the same predictions as with other programs.
    Whole,
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
            jpeg_decoding: self.decoding.map(|decoding| match decoding {
                DecodingArgument::Scaled => JpegDecoding::Scaled,
                DecodingArgument::Whole => JpegDecoding::Whole,
            }),
            ..LoadOptions::default()
        }
    }
}
