//! Instance segmentation: objects as polygons, or as ellipses in their boxes.
//!
//! Each separate part of a mask gives a polygon of its own; holes are lost, and so are parts of
//! less than one square pixel or three corners.

use straylight_core::{Label, Point, Prediction, SaliencyMap, Shape};

use crate::instances::Instances;
use crate::raster::{self, Mask, Pixel, contours, corners_of};
use crate::tiling::{InstanceMerger, TileMerger};
use crate::{Geometry, Outputs, PostProcessor, Size, TaskError, TilingConfig};

/// Post-processing of an instance segmentation model.
#[derive(Debug)]
pub(crate) struct InstanceSegmentation(pub(crate) Instances);

impl PostProcessor for InstanceSegmentation {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let instances = self.0.find(outputs, geometry)?;
        self.0.annotate(&instances, geometry.image, polygons)
    }

    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        self.0.saliency_maps(outputs, geometry)
    }

    fn labels(&self) -> &[Label] {
        self.0.labels.all()
    }

    fn tile_merger(&self, tiling: &TilingConfig, image: Size) -> Option<Box<dyn TileMerger + '_>> {
        Some(Box::new(InstanceMerger::new(
            &self.0, *tiling, image, polygons,
        )))
    }
}

fn polygons(mask: &Mask) -> Vec<Shape> {
    parts(mask).iter().map(|corners| polygon(corners)).collect()
}

/// The corners of each part of a mask that has an area.
pub(crate) fn parts(mask: &Mask) -> Vec<Vec<Pixel>> {
    let borders = contours(mask)
        .into_iter()
        .map(|contour| corners_of(&contour.points));
    borders
        .filter(|corners| corners.len() > 2 && raster::area(corners) >= 1.0)
        .collect()
}

/// A polygon through the centres of pixels.
pub(crate) fn polygon(points: &[Pixel]) -> Shape {
    let points = points.iter().map(|&[x, y]| Point {
        x: x.into(),
        y: y.into(),
    });
    Shape::Polygon {
        points: points.collect(),
    }
}
