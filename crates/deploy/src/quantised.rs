//! TFLite models whose inputs and outputs are integers that stand for real numbers.
//!
//! OpenVINO drops how they are to be read, so that it is taken from the file.

use std::path::Path;

use straylight_engine::graph::{
    ModelDetail, ModelFacts, ModelFormat, Quantisation, TfliteTensor, TfliteType,
};
use straylight_engine::{ImageInput, TensorInfo};

use crate::DeployError;

/// How real numbers become the integers of an image input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QuantisedInput {
    scale: f32,
    zero_point: f32,
    /// Least and greatest integer.
    least: f32,
    greatest: f32,
    /// Mean and scale of each channel of the image, if the pixels are normalised at all.
    channels: Option<[(f32, f32); 3]>,
}

/// How integers of an output become real numbers: `scale * (integer - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dequantise {
    scale: f32,
    zero_point: f32,
}

/// What a file says of its quantised inputs and outputs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quantised {
    pub(crate) input: Option<QuantisedInput>,
    outputs: Vec<(String, Dequantise)>,
}

impl Quantised {
    /// Reads a model file; nothing is quantised in another format than TFLite.
    pub(crate) fn read(path: &Path) -> Result<Self, DeployError> {
        if ModelFormat::of(path) != Some(ModelFormat::Tflite) {
            return Ok(Self::default());
        }
        let ModelDetail::Tflite(model) = ModelFacts::read(path)?.detail else {
            return Ok(Self::default());
        };
        let input = model
            .inputs
            .first()
            .map(|input| QuantisedInput::of(input, path));
        let outputs = model.outputs.iter().map(|output| {
            let dequantise = one_pair(output, path)?;
            Ok::<_, DeployError>(dequantise.map(|pair| (output.name.clone(), pair)))
        });
        Ok(Self {
            input: input.transpose()?.flatten(),
            outputs: outputs
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?,
        })
    }

    /// How the integers of an output are read; `None` when they are no more than integers.
    pub(crate) fn output(&self, info: &TensorInfo) -> Option<Dequantise> {
        let mut outputs = self.outputs.iter();
        outputs
            .find(|(name, _)| *name == info.name)
            .map(|(_, pair)| *pair)
    }
}

impl Dequantise {
    /// The real numbers.
    pub(crate) fn apply(self, integers: &[f32]) -> Vec<f32> {
        let real = |integer: &f32| (integer - self.zero_point) * self.scale;
        integers.iter().map(real).collect()
    }
}

impl QuantisedInput {
    fn of(input: &TfliteTensor, path: &Path) -> Result<Option<Self>, DeployError> {
        let Some(Dequantise { scale, zero_point }) = one_pair(input, path)? else {
            return Ok(None);
        };
        let (least, greatest) = match input.element {
            TfliteType::U8 => (0.0, 255.0),
            TfliteType::I8 => (-128.0, 127.0),
            TfliteType::I16 => (-32_768.0, 32_767.0),
            other => {
                let reason = format!("its input `{}` of type {other:?} is no image", input.name);
                return Err(DeployError::model(path, reason));
            }
        };
        Ok(Some(Self {
            scale,
            zero_point,
            least,
            greatest,
            channels: None,
        }))
    }

    /// Takes mean and scale over from the engine, which could only apply them to real numbers.
    pub(crate) fn normalise(&mut self, engine: &mut ImageInput) {
        if engine.changes_values() {
            let mean = std::mem::take(&mut engine.mean);
            let scale = std::mem::take(&mut engine.scale);
            let reverse = engine.reverse_channels;
            self.channels = Some(std::array::from_fn(|channel| {
                // Mean and scale are in the model's order, the image's channels are not yet.
                let place = if reverse { 2 - channel } else { channel };
                let mean = mean.get(place).copied().unwrap_or(0.0);
                (mean, scale.get(place).copied().unwrap_or(1.0))
            }));
        }
        engine.mean.clear();
        engine.scale.clear();
    }

    /// The integer for a pixel's level, 0 to 255, in a channel of the image.
    ///
    /// Without mean and scale a level is the integer itself (for signed integers, less 128): so
    /// do those who feed such models, whatever scale their converter found.
    pub(crate) fn integer(&self, level: f32, channel: usize) -> f32 {
        let integer = match &self.channels {
            Some(channels) => {
                let (mean, scale) = channels[channel.min(2)];
                ((level - mean) / scale / self.scale).round() + self.zero_point
            }
            None if self.least < 0.0 => level - 128.0,
            None => level,
        };
        integer.clamp(self.least, self.greatest)
    }
}

/// Scale and zero point of a tensor of integers; `None` when it is not quantised.
fn one_pair(tensor: &TfliteTensor, path: &Path) -> Result<Option<Dequantise>, DeployError> {
    let Some(Quantisation {
        scale, zero_point, ..
    }) = &tensor.quantisation
    else {
        return Ok(None);
    };
    if !tensor.element.is_integer() {
        return Ok(None);
    }
    match (scale.as_slice(), zero_point.as_slice()) {
        ([scale], [zero_point]) if scale.is_finite() && *scale > 0.0 => Ok(Some(Dequantise {
            scale: *scale,
            zero_point: *zero_point as f32,
        })),
        _ => {
            let reason = format!(
                "`{}` is quantised in a way that is not understood (scales {scale:?}, zero points \
                 {zero_point:?}); export it with float inputs and outputs",
                tensor.name
            );
            Err(DeployError::model(path, reason))
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers have exact values")]
mod tests {
    use straylight_engine::{ElementType, Layout};

    use super::*;

    fn input(channels: bool, reverse: bool) -> QuantisedInput {
        let mut input = QuantisedInput {
            scale: 1.0 / 128.0,
            zero_point: -1.0,
            least: -128.0,
            greatest: 127.0,
            channels: None,
        };
        let mut engine = ImageInput {
            element: ElementType::U8,
            layout: Layout::Nhwc,
            reverse_channels: reverse,
            mean: if channels {
                vec![127.5, 0.0, 0.0]
            } else {
                Vec::new()
            },
            scale: if channels {
                vec![127.5, 255.0, 255.0]
            } else {
                Vec::new()
            },
        };
        input.normalise(&mut engine);
        assert!(!engine.changes_values());
        input
    }

    #[test]
    fn levels_become_integers() {
        let normalised = input(true, false);
        assert_eq!(
            [0.0, 255.0].map(|level| normalised.integer(level, 0)),
            [-128.0, 127.0]
        );
        // 51 / 255 = 0.2 is 25.6 steps of 1 / 128: 26, and one less.
        assert_eq!(normalised.integer(51.0, 1), 25.0);
        assert_eq!(input(true, true).integer(255.0, 2), 127.0);
        let plain = input(false, false);
        assert_eq!(
            [0.0, 255.0].map(|level| plain.integer(level, 1)),
            [-128.0, 127.0]
        );
    }

    #[test]
    fn outputs_become_real_numbers() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models/uint8.tflite");
        let quantised = Quantised::read(&path).unwrap();
        assert_eq!(quantised.outputs.len(), 1);
        assert_eq!(quantised.outputs[0].1.apply(&[0.0, 64.0]), [0.0, 0.25]);
        assert!(quantised.input.is_some());
    }
}
