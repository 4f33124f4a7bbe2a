//! Runs a case as a deployment does, with the fixture's outputs in place of an engine.

use straylight_core::Prediction;
use straylight_tasks::{
    ChainRunner, Geometry, OutputTensor, Outputs, PostProcessor, Size, TaskConfig, TaskError,
    TensorData, Tile, TileRunner, add_empty_label, post_processor, predict_chain, predict_tiled,
};

use crate::case::{Case, Kind, Number, Task, Tensor};

/// The elements of an output in their own type.
enum Owned {
    F32(Vec<f32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
}

impl Owned {
    fn new(tensor: &Tensor) -> Self {
        let values = tensor.data.iter().map(Number::value);
        match tensor.kind {
            Kind::F32 => Self::F32(values.map(|value| value as f32).collect()),
            Kind::I64 => Self::I64(values.map(|value| value as i64).collect()),
            Kind::U8 => Self::U8(values.map(|value| value as u8).collect()),
        }
    }

    fn data(&self) -> TensorData<'_> {
        match self {
            Self::F32(data) => TensorData::F32(data),
            Self::I64(data) => TensorData::I64(data),
            Self::U8(data) => TensorData::U8(data),
        }
    }
}

/// A task that is ready to be run.
struct Ready<'a> {
    task: &'a Task,
    config: TaskConfig,
    post: Box<dyn PostProcessor>,
    data: Vec<Owned>,
}

impl<'a> Ready<'a> {
    fn new(task: &'a Task) -> Result<Self, TaskError> {
        let config = TaskConfig::from_model_info(&task.model_info)?;
        let post = post_processor(task.kind, &config, &task.labels)?;
        let data = task.outputs.iter().map(Owned::new).collect();
        Ok(Self {
            task,
            config,
            post,
            data,
        })
    }

    fn with_outputs<T>(
        &self,
        image: Size,
        use_them: impl FnOnce(&Outputs<'_>, &Geometry) -> T,
    ) -> T {
        let tensors = self
            .task
            .outputs
            .iter()
            .zip(&self.data)
            .map(|(tensor, data)| OutputTensor {
                name: &tensor.name,
                shape: &tensor.shape,
                data: data.data(),
            });
        let outputs = Outputs::new(tensors.collect()).unwrap();
        let (width, height) = self.task.network;
        let network = Size::new(width, height);
        use_them(
            &outputs,
            &Geometry {
                image,
                network,
                resize: self.config.resize,
            },
        )
    }

    fn predict(&self, image: Size) -> Result<Prediction, TaskError> {
        match self.config.tiling {
            Some(tiling) => predict_tiled(self.post.as_ref(), &tiling, image, &mut Tiles(self)),
            None => self.with_outputs(image, |outputs, geometry| {
                self.post.predict(outputs, geometry)
            }),
        }
    }
}

struct Tiles<'r, 'a>(&'r Ready<'a>);

impl TileRunner for Tiles<'_, '_> {
    type Error = TaskError;

    fn run(
        &mut self,
        tile: Tile,
        take: &mut dyn FnMut(&Outputs<'_>, &Geometry) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        self.0
            .with_outputs(tile.size, |outputs, geometry| take(outputs, geometry))
    }
}

struct Chain<'r, 'a>(&'r [Ready<'a>]);

impl ChainRunner for Chain<'_, '_> {
    type Error = TaskError;

    fn run(&mut self, task: usize, part: Tile) -> Result<Prediction, TaskError> {
        self.0[task].predict(part.size)
    }
}

pub(crate) fn run(case: &Case) -> Result<Prediction, TaskError> {
    let image = Size::new(case.image.0, case.image.1);
    let tasks = case
        .tasks
        .iter()
        .map(Ready::new)
        .collect::<Result<Vec<_>, _>>()?;
    let kinds: Vec<_> = tasks.iter().map(|ready| ready.task.kind).collect();
    let mut prediction = predict_chain(&kinds, image, &mut Chain(&tasks))?;
    let empty = tasks[0].task.labels.iter().find(|label| label.is_empty);
    add_empty_label(&mut prediction, empty, image);
    if case.maps.is_some() {
        prediction.saliency_maps = tasks[0].with_outputs(image, |outputs, geometry| {
            tasks[0].post.saliency_maps(outputs, geometry)
        })?;
    }
    Ok(prediction)
}
