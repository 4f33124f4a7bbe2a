use std::path::{Path, PathBuf};

use crate::ElementType;

/// One size of a tensor's shape; `None` when it is only known at inference.
pub type Dimension = Option<usize>;

/// Name, type and shape of a model's input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, or `#` and its index when the model gives it none.
    pub name: String,
    /// Type of its values.
    pub element: ElementType,
    /// Its shape; empty for a scalar or an unknown rank.
    pub shape: Vec<Dimension>,
}

impl TensorInfo {
    /// Its shape as people write it, such as `[?, 3, 224, 224]`.
    pub fn shape_text(&self) -> String {
        let size = |size: &Dimension| size.map_or_else(|| "?".to_owned(), |size| size.to_string());
        let sizes: Vec<String> = self.shape.iter().map(size).collect();
        format!("[{}]", sizes.join(", "))
    }
}

/// How precisely a device computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floating point: numbers can be compared with those of other machines.
    #[default]
    F32,
    /// Whatever the device is fastest with (bf16 on CPUs with AMX, f16 on GPUs); logits may be
    /// off by 0.1.
    Device,
}

/// What a compiled model is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hint {
    /// One image as soon as possible: all cores work on it.
    #[default]
    Latency,
    /// As many images a second as possible: several at once, each on few cores.
    Throughput,
}

impl Hint {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "LATENCY",
            Self::Throughput => "THROUGHPUT",
        }
    }
}

/// How a model is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileOptions {
    /// OpenVINO's name of the device: `CPU`, `GPU`, `GPU.1`, `NPU`, `AUTO`, `AUTO:GPU,CPU`, ...
    pub device: String,
    /// Precision of the arithmetic.
    pub precision: Precision,
    /// Latency or throughput.
    pub hint: Hint,
    /// Inferences that may run at once; 0 leaves it to the device.
    pub requests: usize,
    /// Threads of the CPU device; 0 leaves it to OpenVINO.
    pub threads: usize,
    /// Folder in which compiled models are kept, so that the next start is fast; `None` keeps none.
    pub cache: Option<PathBuf>,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self {
            device: "CPU".to_owned(),
            precision: Precision::default(),
            hint: Hint::default(),
            requests: 0,
            threads: 0,
            cache: None,
        }
    }
}

impl CompileOptions {
    /// OpenVINO's properties for these options, in the order in which they are set.
    pub(crate) fn properties(&self) -> Vec<(&'static str, String)> {
        let mut properties = vec![("PERFORMANCE_HINT", self.hint.as_str().to_owned())];
        if self.requests > 0 {
            properties.push(("PERFORMANCE_HINT_NUM_REQUESTS", self.requests.to_string()));
        }
        if self.precision == Precision::F32 {
            properties.push(("INFERENCE_PRECISION_HINT", "f32".to_owned()));
        }
        if self.threads > 0 {
            properties.push(("INFERENCE_NUM_THREADS", self.threads.to_string()));
        }
        properties
    }

    /// The device without a list of candidates: what properties are set for.
    pub(crate) fn property_device(&self) -> &str {
        self.device.split(':').next().unwrap_or(&self.device)
    }
}

/// The order of a model's image axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Batch, channels, rows, columns.
    Nchw,
    /// Batch, rows, columns, channels.
    Nhwc,
}

impl Layout {
    /// Its name, `NCHW` or `NHWC`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nchw => "NCHW",
            Self::Nhwc => "NHWC",
        }
    }
}

/// Pre-processing of an image input that runs inside the model.
///
/// The compiled input then takes pixels, N x H x W x C; each value `p` becomes
/// `(p - mean[c]) / scale[c]` as f32, after the channels were reversed if asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInput {
    /// Type of the pixels, u8 or f32.
    pub element: ElementType,
    /// The model's own layout.
    pub layout: Layout,
    /// Whether the model wants its channels in the opposite order of the pixels.
    pub reverse_channels: bool,
    /// Subtracted from each channel, in the model's order of channels; empty for none.
    pub mean: Vec<f32>,
    /// Each channel is divided by it, in the model's order of channels; empty for none.
    pub scale: Vec<f32>,
}

impl ImageInput {
    /// Multiplies mean and scale, so that they act on values that were not divided by `factor`.
    pub fn multiply(&mut self, factor: f32) {
        #[allow(
            clippy::float_cmp,
            reason = "only the exact neutral value may be left out"
        )]
        if factor == 1.0 {
            return;
        }
        if self.scale.is_empty() {
            self.scale = vec![1.0; 3];
        }
        for value in self.mean.iter_mut().chain(&mut self.scale) {
            *value *= factor;
        }
    }

    /// Whether mean or scale do anything.
    pub fn changes_values(&self) -> bool {
        let differs = |values: &[f32], neutral: f32| {
            values
                .iter()
                .any(|value| value.to_bits() != neutral.to_bits())
        };
        differs(&self.mean, 0.0) || differs(&self.scale, 1.0)
    }
}

/// A model file and what is built into it before it is compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSource {
    /// The model: IR (`.xml`), ONNX or `TFLite`.
    pub path: PathBuf,
    /// Weights of an IR; `None` for `model.bin` beside `model.xml`, and for other formats.
    pub weights: Option<PathBuf>,
    /// Pre-processing of input 0; `None` leaves the input as it is.
    pub image_input: Option<ImageInput>,
}

impl ModelSource {
    /// A model file as it is.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            weights: None,
            image_input: None,
        }
    }

    /// Builds pre-processing into input 0.
    #[must_use]
    pub fn with_image_input(mut self, image: ImageInput) -> Self {
        self.image_input = Some(image);
        self
    }

    /// Whether the file's name ends in `.xml`.
    pub(crate) fn is_ir(&self) -> bool {
        has_extension(&self.path, "xml")
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_s_own_precision_sets_no_hint() {
        let keys = |options: CompileOptions| -> Vec<_> {
            options
                .properties()
                .into_iter()
                .map(|(key, _)| key)
                .collect()
        };
        assert!(keys(CompileOptions::default()).contains(&"INFERENCE_PRECISION_HINT"));
        let own = CompileOptions {
            precision: Precision::Device,
            ..CompileOptions::default()
        };
        assert_eq!(keys(own), ["PERFORMANCE_HINT"]);
    }

    #[test]
    fn properties_go_to_the_device_itself() {
        let device = |name: &str| {
            let options = CompileOptions {
                device: name.to_owned(),
                ..CompileOptions::default()
            };
            options.property_device().to_owned()
        };
        assert_eq!(device("AUTO:GPU,CPU"), "AUTO");
        assert_eq!(device("GPU.1"), "GPU.1");
    }
}
