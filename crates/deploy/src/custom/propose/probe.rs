use std::path::Path;

use straylight_engine::{
    CompileOptions, CompiledModel, ElementType, ImageInput, Layout, ModelSource, Output, Runtime,
    Session,
};

use super::evidence::Evidence;

/// A side for models that leave theirs open.
const SIDE: usize = 224;

/// The numbers that a graph gives for a few made-up images.
pub(super) struct Probe {
    /// For pixels of 0 to 255, then for 0 to 1: for each image all outputs.
    readings: [Vec<Vec<Tensor>>; 2],
}

/// One output for one image.
#[derive(PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Probe {
    /// Runs the graph; `None` when it cannot be run on such images.
    pub(super) fn run(model: &Path, runtime: &Runtime, evidence: &Evidence<'_>) -> Option<Self> {
        let readings = [1.0, 255.0].map(|scale| reading(model, runtime, evidence, scale));
        let [Some(raw), Some(divided)] = readings else {
            return None;
        };
        Some(Self {
            readings: [raw, divided],
        })
    }

    /// Output `index` for each image, pixels divided by 255 or not.
    pub(super) fn output(&self, index: usize, divided: bool) -> impl Iterator<Item = &Tensor> {
        let reading = &self.readings[usize::from(divided)];
        reading.iter().filter_map(move |outputs| outputs.get(index))
    }

    /// Output `index` for all images and both ranges.
    pub(super) fn all(&self, index: usize) -> impl Iterator<Item = &Tensor> {
        self.output(index, false).chain(self.output(index, true))
    }

    /// Whether the outputs are the same whatever the image is, and not empty.
    pub(super) fn is_constant(&self) -> bool {
        let mut all = self.readings.iter().flatten();
        let Some(first) = all.next() else {
            return false;
        };
        first.iter().any(|tensor| !tensor.values.is_empty()) && all.all(|outputs| outputs == first)
    }

    /// How far the values of output `index` lie apart from image to image, at most.
    pub(super) fn spread(
        &self,
        index: usize,
        divided: bool,
        change: impl Fn(&[f32]) -> Vec<f32>,
    ) -> f32 {
        let rows: Vec<Vec<f32>> = self
            .output(index, divided)
            .map(|tensor| change(&tensor.values))
            .collect();
        let mut spread = 0.0_f32;
        for row in &rows {
            for (a, b) in row.iter().zip(rows.first().into_iter().flatten()) {
                spread = spread.max((a - b).abs());
            }
        }
        spread
    }
}

fn reading(
    model: &Path,
    runtime: &Runtime,
    evidence: &Evidence<'_>,
    scale: f32,
) -> Option<Vec<Vec<Tensor>>> {
    let shape = &evidence.input.shape;
    let last = shape.get(3).copied().flatten();
    let layout = match (shape.get(1)?, last) {
        (Some(3), _) | (None, None) => Layout::Nchw,
        _ => Layout::Nhwc,
    };
    let at = |axis: usize| shape.get(axis).copied().flatten().unwrap_or(SIDE);
    let [height, width] = match layout {
        Layout::Nchw => [at(2), at(3)],
        Layout::Nhwc => [at(1), at(2)],
    };
    let image = ImageInput {
        element: ElementType::U8,
        layout,
        reverse_channels: false,
        mean: Vec::new(),
        scale: vec![scale; 3],
    };
    let read = runtime.read(&ModelSource::file(model)).ok()?;
    let compiled = read
        .compile(Some(&image), &CompileOptions::default())
        .ok()?;
    let open = shape.contains(&None);
    let mut session = compiled.session().ok()?;
    let images = (0..4).map(|kind| {
        if open {
            session.set_input_shape(0, &[1, height, width, 3]).ok()?;
        }
        session
            .write_input(0, |pixels: &mut [u8]| draw(kind, width, pixels))
            .ok()?;
        session.run().ok()?;
        outputs(&compiled, &session, evidence)
    });
    images.collect()
}

/// Black, red, noise, and a slope of colours.
fn draw(kind: usize, width: usize, pixels: &mut [u8]) {
    let mut state = 12345_u32;
    for (index, value) in pixels.iter_mut().enumerate() {
        let (channel, pixel) = (index % 3, index / 3);
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = match kind {
            0 => 0,
            1 => [200, 20, 20][channel],
            2 => (state >> 24) as u8,
            _ => ((pixel % width) * 255 / width.max(1) + channel * 40) as u8,
        };
    }
}

fn outputs(
    compiled: &CompiledModel,
    session: &Session,
    evidence: &Evidence<'_>,
) -> Option<Vec<Tensor>> {
    let all = evidence.outputs.iter().enumerate().map(|(place, info)| {
        let index = compiled.output_index(&info.name).unwrap_or(place);
        tensor(&session.output(index).ok()?)
    });
    all.collect()
}

fn tensor(output: &Output<'_>) -> Option<Tensor> {
    let values = match output.element() {
        ElementType::F32 => output.values::<f32>().ok()?.to_vec(),
        ElementType::U8 => output
            .values::<u8>()
            .ok()?
            .iter()
            .map(|&value| value.into())
            .collect(),
        ElementType::I32 => output
            .values::<i32>()
            .ok()?
            .iter()
            .map(|&value| value as f32)
            .collect(),
        ElementType::I64 => output
            .values::<i64>()
            .ok()?
            .iter()
            .map(|&value| value as f32)
            .collect(),
        ElementType::Boolean => output
            .booleans()
            .ok()?
            .iter()
            .map(|&value| value.into())
            .collect(),
        _ => Vec::new(),
    };
    Some(Tensor {
        shape: output.shape().to_vec(),
        values,
    })
}
