use straylight_core::{Prediction, Shape};

use super::detection::{across_tiles, moved};
use super::{MeanFeatures, Tile, TileMerger};
use crate::detection::suppress_by;
use crate::instances::{Instances, Objects};
use crate::raster::Mask;
use crate::{Geometry, Outputs, Size, TaskError, TilingConfig};

/// Merges the objects with masks of tiles; masks are pasted only when the tiles are merged.
pub(crate) struct InstanceMerger<'a> {
    instances: &'a Instances,
    tiling: TilingConfig,
    image: Size,
    shapes: fn(&Mask, Option<[f32; 4]>) -> Vec<Shape>,
    found: Objects,
    features: MeanFeatures,
}

impl<'a> InstanceMerger<'a> {
    pub(crate) fn new(
        instances: &'a Instances,
        tiling: TilingConfig,
        image: Size,
        shapes: fn(&Mask, Option<[f32; 4]>) -> Vec<Shape>,
    ) -> Self {
        let (found, features) = (Objects::default(), MeanFeatures::default());
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
        let objects = self.instances.find(outputs, geometry)?;
        self.found.left_out += objects.left_out;
        for mut instance in objects.list {
            instance.found = moved(instance.found, tile);
            instance.frame = tile;
            self.found.list.push(instance);
        }
        self.found.bound();
        self.features.add(outputs);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Prediction, TaskError> {
        let rule = across_tiles(&self.tiling);
        let Objects { list, left_out } = self.found;
        let kept = Objects {
            list: suppress_by(list, Some(&rule), |instance| instance.found),
            left_out,
        };
        let mut prediction = self.instances.annotate(&kept, self.image, self.shapes)?;
        prediction.activations = self.features.activations();
        Ok(prediction)
    }
}
