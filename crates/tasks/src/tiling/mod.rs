//! Large images in tiles: how they are cut, and how the tiles' results become one prediction.
//!
//! Tiles are cut as `ModelAPI` does: the whole image first, then squares from left to right,
//! within each column from top to bottom, cut off at the right and lower edge. Objects of all
//! tiles compete in one NMS by class, so that what two tiles saw is there once.

mod detection;
mod instances;
mod segmentation;

use std::sync::Arc;

use straylight_core::{Activations, Prediction};

pub(crate) use detection::DetectionMerger;
pub(crate) use instances::InstanceMerger;
pub(crate) use segmentation::SegmentationMerger;

use crate::post::features;
use crate::{Geometry, Outputs, PostProcessor, Size, TaskError, TilingConfig};

/// A part of an image in pixels; the right and lower edge do not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Extent, at least one pixel each way.
    pub size: Size,
}

/// A tile classifier's probability above which a tile is worth looking at.
const OBJECTNESS_THRESHOLD: f32 = 0.35;

impl TilingConfig {
    /// All tiles of an image, in the order in which their results are merged.
    pub fn tiles(&self, image: Size) -> Vec<Tile> {
        let whole = Tile {
            left: 0,
            top: 0,
            size: image,
        };
        let mut tiles = Vec::new();
        if self.with_full_image {
            tiles.push(whole);
        }
        let step = (f64::from(self.tile_size) * (1.0 - self.tiles_overlap)) as usize;
        let step = step.max(1);
        for left in (0..image.width).step_by(step) {
            tiles.extend((0..image.height).step_by(step).map(|top| {
                let width = self.tile_size.min(image.width - left);
                let height = self.tile_size.min(image.height - top);
                Tile {
                    left,
                    top,
                    size: Size::new(width, height),
                }
            }));
        }
        tiles
    }

    /// Whether a tile is looked at, given what a tile classifier (`tile_prob`) says of it.
    ///
    /// `place` is its place in [`tiles`](Self::tiles); the first one always is.
    pub fn is_worth_it(&self, place: usize, probability: f32) -> bool {
        place == 0 || probability > OBJECTNESS_THRESHOLD
    }
}

/// Collects the results of tiles.
///
/// Made by [`PostProcessor::tile_merger`] for one image; tiles are added in the order of
/// [`TilingConfig::tiles`] (some may be left out), then `finish` gives the prediction.
pub trait TileMerger {
    /// Adds a tile's outputs; the geometry's image is the tile.
    fn add(
        &mut self,
        tile: Tile,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<(), TaskError>;

    /// The prediction for the whole image; its feature vector is the mean of the tiles'.
    fn finish(self: Box<Self>) -> Result<Prediction, TaskError>;
}

/// Runs a model on parts of an image.
pub trait TileRunner {
    /// Why a tile could not be run.
    type Error: From<TaskError>;

    /// Cuts the tile out, infers it, and hands the outputs (whose geometry has the tile as its
    /// image) to `take`.
    fn run(
        &mut self,
        tile: Tile,
        take: &mut dyn FnMut(&Outputs<'_>, &Geometry) -> Result<(), TaskError>,
    ) -> Result<(), Self::Error>;
}

/// Runs all tiles of an image and merges them.
pub fn predict_tiled<R: TileRunner>(
    post: &dyn PostProcessor,
    tiling: &TilingConfig,
    image: Size,
    runner: &mut R,
) -> Result<Prediction, R::Error> {
    let mut merger = post.tile_merger(tiling, image).ok_or_else(|| {
        TaskError::Unsupported("models of this task cannot be run on tiles".to_owned())
    })?;
    for tile in tiling.tiles(image) {
        runner.run(tile, &mut |outputs, geometry| {
            merger.add(tile, outputs, geometry)
        })?;
    }
    Ok(merger.finish()?)
}

/// The mean of the tiles' feature vectors.
#[derive(Debug, Default)]
pub(crate) struct MeanFeatures {
    sums: Vec<f64>,
    count: u32,
}

impl MeanFeatures {
    fn add(&mut self, outputs: &Outputs<'_>) {
        let Some(features) = features(outputs) else {
            return;
        };
        self.sums.resize(features.len().max(self.sums.len()), 0.0);
        for (sum, &value) in self.sums.iter_mut().zip(features.iter()) {
            *sum += f64::from(value);
        }
        self.count += 1;
    }

    fn activations(&self) -> Activations {
        let mean = |sum: &f64| (sum / f64::from(self.count)) as f32;
        let features = (self.count > 0).then(|| self.sums.iter().map(mean).collect::<Arc<[f32]>>());
        Activations {
            features,
            ..Activations::default()
        }
    }
}

#[cfg(test)]
mod tests;
