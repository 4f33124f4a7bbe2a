//! Rotated detection: objects as turned rectangles around their masks.
//!
//! Corners of the smallest rectangle are rounded to pixels first; centre, sides and angle are
//! those of the rounded corners, cut off to whole numbers, the angle to four digits. That is
//! how the SDK does it, and right as long as no two corners share a column or a row. If they
//! do, the SDK takes the rectangle for an upright one; here only a rectangle that is upright
//! counts as such (a square that stands on its corner stays one), and corners left of the
//! image do not pull the centre away.

use straylight_core::{Label, Prediction, SaliencyMap, Shape};

use crate::instance_segmentation::parts;
use crate::instances::Instances;
use crate::raster::{Mask, Rectangle, smallest_rectangle};
use crate::tiling::{InstanceMerger, TileMerger};
use crate::{Geometry, Outputs, PostProcessor, Size, TaskError, TilingConfig};

/// Post-processing of a rotated detection model.
#[derive(Debug)]
pub(crate) struct RotatedDetection(pub(crate) Instances);

impl PostProcessor for RotatedDetection {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let instances = self.0.find(outputs, geometry)?;
        self.0.annotate(&instances, geometry.image, rectangles)
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
            &self.0, *tiling, image, rectangles,
        )))
    }
}

/// The smallest rectangle around each part of a mask; the box, if there is one, if the mask has no
/// part.
fn rectangles(mask: &Mask, corners: Option<[f32; 4]>) -> Vec<Shape> {
    let smallest = parts(mask)
        .into_iter()
        .filter_map(|corners| smallest_rectangle(&corners));
    let shapes: Vec<_> = smallest.map(|rectangle| turned(&rectangle)).collect();
    let (true, Some([left, upper, right, lower])) = (shapes.is_empty(), corners) else {
        return shapes;
    };
    vec![Shape::RotatedRectangle {
        x: f64::midpoint(left.into(), right.into()),
        y: f64::midpoint(upper.into(), lower.into()),
        width: (right - left).into(),
        height: (lower - upper).into(),
        angle: 0.0,
    }]
}

/// The shape of a rectangle whose corners are rounded to pixels.
fn turned(rectangle: &Rectangle) -> Shape {
    let corners = rectangle
        .corners()
        .map(|corner| corner.map(f64::round_ties_even));
    let [x, y] = [0, 1].map(|axis| Range::of(corners.map(|corner| corner[axis])));
    let [width, height, angle] = if x.distinct == 2 && y.distinct == 2 {
        [x.high - x.low, y.high - y.low, 0.0]
    } else if x.distinct == 4 && y.distinct == 4 {
        sides(corners, x, y)
    } else {
        [rectangle.size[0], rectangle.size[1], rectangle.angle]
    };
    Shape::RotatedRectangle {
        x: f64::midpoint(x.low, x.high).trunc(),
        y: f64::midpoint(y.low, y.high).trunc(),
        width: width.trunc(),
        height: height.trunc(),
        angle: (angle * 1e4).round_ties_even() / 1e4,
    }
}

/// The lengths of the sides from the uppermost corner to the rightmost and to the leftmost one,
/// and the angle of the former.
fn sides(corners: [[f64; 2]; 4], x: Range, y: Range) -> [f64; 3] {
    let at = |axis: usize, value: f64| {
        let found = corners
            .iter()
            .find(|corner| corner[axis].total_cmp(&value).is_eq());
        found.copied().unwrap_or(corners[0])
    };
    let (top, right, left) = (at(1, y.low), at(0, x.high), at(0, x.low));
    let side = |end: [f64; 2]| (end[0] - top[0]).hypot(end[1] - top[1]);
    let angle = ((right[1] - top[1]) / side(right)).asin().to_degrees();
    [side(right), side(left), angle]
}

/// The least and the greatest of four coordinates, and how many different ones there are.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
    distinct: usize,
}

impl Range {
    fn of(mut values: [f64; 4]) -> Self {
        // -0 and 0 are the same place.
        values = values.map(|value| value + 0.0);
        values.sort_unstable_by(f64::total_cmp);
        let steps = values
            .windows(2)
            .filter(|pair| pair[0].total_cmp(&pair[1]).is_ne());
        Self {
            low: values[0],
            high: values[3],
            distinct: 1 + steps.count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(points: &[[i32; 2]]) -> [f64; 5] {
        let rectangle = smallest_rectangle(points).unwrap();
        match turned(&rectangle) {
            Shape::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            } => [x, y, width, height, angle],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_upright_rectangle_has_no_angle() {
        assert_eq!(
            shape(&[[2, 3], [12, 3], [12, 9], [2, 9]]),
            [7.0, 6.0, 10.0, 6.0, 0.0]
        );
    }

    #[test]
    fn a_square_on_its_corner_is_turned_by_45_degrees() {
        assert_eq!(
            shape(&[[5, 0], [10, 5], [5, 10], [0, 5]]),
            [5.0, 5.0, 7.0, 7.0, 45.0]
        );
    }

    #[test]
    fn sides_and_angle_are_those_of_the_upper_corner() {
        let [x, y, width, height, angle] = shape(&[[10, 0], [40, 10], [36, 22], [6, 12]]);
        assert_eq!([x, y, width, height], [23.0, 11.0, 31.0, 12.0]);
        assert!((angle - 18.4349).abs() < 1e-9, "{angle}");
    }

    #[test]
    fn corners_left_of_the_image_do_not_move_the_centre() {
        assert_eq!(
            shape(&[[-8, -2], [4, -2], [4, 6], [-8, 6]])[..2],
            [-2.0, 2.0]
        );
    }
}
