//! Instance segmentation: objects as polygons, or as ellipses in their boxes.
//!
//! Each separate part of a mask gives a polygon of its own; holes are lost, and so are parts of
//! less than one square pixel or three corners. An object of a described model of whose mask nothing
//! is left then is given as its box, a polygon of four corners: it was found, and is not dropped.

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

fn polygons(mask: &Mask, corners: Option<[f32; 4]>) -> Vec<Shape> {
    let parts = parts(mask);
    let (true, Some([left, upper, right, lower])) = (parts.is_empty(), corners) else {
        return parts.iter().map(|corners| polygon(corners)).collect();
    };
    let corners = [(left, upper), (right, upper), (right, lower), (left, lower)];
    let point = |(x, y): (f32, f32)| Point {
        x: x.into(),
        y: y.into(),
    };
    let points = corners.map(point).into();
    vec![Shape::Polygon { points }]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(pixels: &[u8], width: usize) -> Mask {
        Mask {
            left: 4,
            top: 2,
            width,
            pixels: pixels.to_vec(),
        }
    }

    fn points(shape: &Shape) -> Vec<[f64; 2]> {
        match shape {
            Shape::Polygon { points } => points.iter().map(|point| [point.x, point.y]).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_object_with_a_mask_of_specks_is_given_as_its_box() {
        let corners = [4.0, 2.0, 7.0, 5.0];
        let box_ = [[4.0, 2.0], [7.0, 2.0], [7.0, 5.0], [4.0, 5.0]];
        for specks in [[0; 9], [1, 0, 0, 0, 0, 1, 0, 0, 0]] {
            assert!(polygons(&mask(&specks, 3), None).is_empty());
            let shapes = polygons(&mask(&specks, 3), Some(corners));
            assert_eq!(shapes.len(), 1);
            assert_eq!(points(&shapes[0]), box_, "{specks:?}");
        }
        let whole = polygons(&mask(&[1; 9], 3), Some(corners));
        assert_ne!(points(&whole[0]), box_, "the mask itself");
    }
}
