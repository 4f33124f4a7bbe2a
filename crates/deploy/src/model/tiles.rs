//! Large images in tiles.
//!
//! How tiles are cut and merged is decided in [`straylight_tasks`]; here the model is run on
//! them, and the optional tile classifier (`tile_classifier.xml` beside the model, output
//! `tile_prob`) says which of them are worth it. Saliency maps come from one more inference of
//! the whole image: the SDK's merged maps are those of boxes, not of the image.

use std::path::Path;

use straylight_core::Prediction;
use straylight_engine::graph::IrModel;
use straylight_engine::{CompileOptions, Runtime};
use straylight_tasks::{
    Geometry, Outputs, TaskConfig, TaskError, Tile, TileRunner, TilingConfig, predict_tiled,
};

use super::network::Network;
use super::{TaskModel, beside};
use crate::config::Config;
use crate::picture::Picture;
use crate::{DeployError, Keep};

/// Name of the tile classifier's file, beside the model.
const FILE: &str = "tile_classifier.xml";
/// Name of its output.
const OUTPUT: &str = "tile_prob";

/// Says how probable it is that a tile shows an object.
#[derive(Debug)]
pub(super) struct TileClassifier(Network);

impl TileClassifier {
    /// Loads the classifier beside a model, if there is one.
    pub(super) fn load(
        model: &Path,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<Option<Self>, DeployError> {
        let Some(path) = beside(model, FILE) else {
            return Ok(None);
        };
        let ir = IrModel::read(&path)?;
        let config = Config::new(&path, ir.info(), &serde_json::Value::Null);
        config.check_keys()?;
        let task = TaskConfig::from_model_info(config.entries());
        let task = task.map_err(|source| DeployError::Task {
            path: path.clone(),
            source,
        })?;
        let network = Network::load(&path, &config, task.resize, Some(&ir), runtime, options)?;
        if !network.outputs().any(|name| name == OUTPUT) {
            return Err(DeployError::model(&path, "has no output `tile_prob`"));
        }
        Ok(Some(Self(network)))
    }

    fn probability(&self, tile: Picture<'_>) -> Result<f32, DeployError> {
        self.0.run(tile, |outputs, _| {
            let probability = outputs.named(OUTPUT).map(|tensor| tensor.data.to_f32());
            Ok(probability
                .and_then(|values| values.first().copied())
                .unwrap_or(1.0))
        })
    }
}

impl TaskModel {
    /// Infers an image tile by tile.
    pub(super) fn infer_tiles(
        &self,
        tiling: &TilingConfig,
        picture: Picture<'_>,
        keep: Keep,
    ) -> Result<Prediction, DeployError> {
        let mut tiles = Tiles {
            model: self,
            tiling,
            picture,
            seen: 0,
        };
        let merged = predict_tiled(self.post.as_ref(), tiling, picture.size, &mut tiles);
        let mut prediction = merged.map_err(|error| match error {
            TileError::Deploy(error) => error,
            TileError::Task(source) => DeployError::Task {
                path: self.path.clone(),
                source,
            },
        })?;
        if keep.saliency_maps {
            prediction.saliency_maps = self.network.run(picture, |outputs, geometry| {
                self.of_result(self.post.saliency_maps(outputs, geometry))
            })?;
        }
        Ok(prediction)
    }
}

struct Tiles<'a> {
    model: &'a TaskModel,
    tiling: &'a TilingConfig,
    picture: Picture<'a>,
    seen: usize,
}

enum TileError {
    Deploy(DeployError),
    Task(TaskError),
}

impl From<TaskError> for TileError {
    fn from(error: TaskError) -> Self {
        Self::Task(error)
    }
}

impl TileRunner for Tiles<'_> {
    type Error = TileError;

    fn run(
        &mut self,
        tile: Tile,
        take: &mut dyn FnMut(&Outputs<'_>, &Geometry) -> Result<(), TaskError>,
    ) -> Result<(), TileError> {
        let place = self.seen;
        self.seen += 1;
        let Some(part) = self.picture.cut(tile) else {
            return Ok(());
        };
        if let Some(classifier) = &self.model.tile_classifier {
            let probability = classifier
                .probability(part.picture())
                .map_err(TileError::Deploy)?;
            if !self.tiling.is_worth_it(place, probability) {
                return Ok(());
            }
        }
        let model = self.model;
        let run = model.network.run(part.picture(), |outputs, geometry| {
            model.of_result(take(outputs, geometry))
        });
        run.map_err(TileError::Deploy)
    }
}
