use straylight_core::Prediction;

use super::{MeanFeatures, Tile, TileMerger};
use crate::detection::{Detection, Found, suppress_by};
use crate::{Geometry, Outputs, Suppression, TaskError, TilingConfig};

/// Merges the boxes of tiles.
pub(crate) struct DetectionMerger<'a> {
    detection: &'a Detection,
    tiling: TilingConfig,
    found: Vec<Found>,
    features: MeanFeatures,
}

impl<'a> DetectionMerger<'a> {
    pub(crate) fn new(detection: &'a Detection, tiling: TilingConfig) -> Self {
        Self {
            detection,
            tiling,
            found: Vec::new(),
            features: MeanFeatures::default(),
        }
    }
}

/// A box of a tile in the pixels of the image.
pub(super) fn moved(mut found: Found, tile: Tile) -> Found {
    let origin = [tile.left as f32, tile.top as f32];
    for (index, value) in found.corners.iter_mut().enumerate() {
        *value += origin[index % 2];
    }
    found
}

/// The rule by which objects of different tiles suppress each other.
pub(super) fn across_tiles(tiling: &TilingConfig) -> Suppression {
    Suppression {
        iou_threshold: tiling.iou_threshold,
        limit: tiling.max_pred_number,
        agnostic: false,
        include_edges: false,
    }
}

impl TileMerger for DetectionMerger<'_> {
    fn add(
        &mut self,
        tile: Tile,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<(), TaskError> {
        let found = self.detection.find(outputs, geometry)?;
        self.found
            .extend(found.into_iter().map(|item| moved(item, tile)));
        self.features.add(outputs);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Prediction, TaskError> {
        let rule = across_tiles(&self.tiling);
        let kept = suppress_by(self.found, Some(&rule), |item| *item);
        let mut prediction = self.detection.annotate(&kept)?;
        prediction.activations = self.features.activations();
        Ok(prediction)
    }
}
