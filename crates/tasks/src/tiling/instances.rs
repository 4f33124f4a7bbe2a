use straylight_core::{Prediction, Shape};

use super::detection::{across_tiles, moved};
use super::{MeanFeatures, Tile, TileMerger};
use crate::detection::suppress_by;
use crate::instances::{Instance, Instances};
use crate::raster::Mask;
use crate::{Geometry, Outputs, Size, TaskError, TilingConfig};

/// Merges the objects with masks of tiles; masks are pasted only when the tiles are merged.
pub(crate) struct InstanceMerger<'a> {
    instances: &'a Instances,
    tiling: TilingConfig,
    image: Size,
    shapes: fn(&Mask) -> Vec<Shape>,
    found: Vec<Instance>,
    features: MeanFeatures,
}

impl<'a> InstanceMerger<'a> {
    pub(crate) fn new(
        instances: &'a Instances,
        tiling: TilingConfig,
        image: Size,
        shapes: fn(&Mask) -> Vec<Shape>,
    ) -> Self {
        let (found, features) = (Vec::new(), MeanFeatures::default());
        Self {
            instances,
            tiling,
            image,
            shapes,
            found,
            features,
        }
    }
}

impl TileMerger for InstanceMerger<'_> {
    fn add(
        &mut self,
        tile: Tile,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<(), TaskError> {
        for mut instance in self.instances.find(outputs, geometry)? {
            instance.found = moved(instance.found, tile);
            instance.frame = tile;
            self.found.push(instance);
        }
        self.features.add(outputs);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Prediction, TaskError> {
        let rule = across_tiles(&self.tiling);
        let kept = suppress_by(self.found, Some(&rule), |instance| instance.found);
        let mut prediction = self.instances.annotate(&kept, self.image, self.shapes)?;
        prediction.activations = self.features.activations();
        Ok(prediction)
    }
}
