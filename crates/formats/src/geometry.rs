//! From one kind of shape to another that a format can hold.

use std::f64::consts::TAU;

use straylight_core::{Point, Shape};

use crate::Geometry;

/// An ellipse becomes a polygon of this many corners: off by 0.5 % of its radius at most.
const ELLIPSE_CORNERS: u32 = 32;

/// Left, top, width and height.
pub(crate) type Box4 = [f64; 4];

impl Geometry {
    /// Left, top, width and height of the box around it; `None` for the whole image, for key
    /// points, and for a mask without pixels.
    pub fn bounding_box(&self) -> Option<Box4> {
        match self {
            Self::Image | Self::Keypoints => None,
            Self::Shape(shape) => Some(bounding_box(shape)),
            Self::Polygons(parts) => around(parts.iter().flatten()),
            Self::Mask(mask) => mask.bounding_box(),
            Self::Polyline(points) => around(points),
        }
    }

    /// The outer borders of everything that has an inside; empty for the rest.
    pub fn outlines(&self) -> Vec<Vec<Point>> {
        match self {
            Self::Shape(Shape::Keypoint { .. })
            | Self::Image
            | Self::Keypoints
            | Self::Polyline(_) => Vec::new(),
            Self::Shape(shape) => vec![corners(shape)],
            Self::Polygons(parts) => parts.clone(),
            Self::Mask(mask) => mask.outlines().outer,
        }
    }

    /// One part is a polygon, several are the parts of one object.
    pub(crate) fn of_parts(mut parts: Vec<Vec<Point>>) -> Self {
        match parts.pop() {
            Some(points) if parts.is_empty() => Self::Shape(Shape::Polygon { points }),
            Some(last) => {
                parts.push(last);
                Self::Polygons(parts)
            }
            None => Self::Polygons(parts),
        }
    }
}

/// Whether a stated box is another one than that around the shape.
pub(crate) fn differs(bounds: [f64; 4], geometry: &Geometry) -> bool {
    let around = geometry.bounding_box();
    around.is_some_and(|around| bounds.iter().zip(around).any(|(a, b)| (a - b).abs() > 1e-6))
}

/// The upright rectangle around a shape.
pub(crate) fn bounding_box(shape: &Shape) -> Box4 {
    match *shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
        | Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => [x, y, width, height],
        Shape::Keypoint { x, y, .. } => [x, y, 0.0, 0.0],
        Shape::Polygon { ref points } => around(points).unwrap_or_default(),
        Shape::RotatedRectangle { .. } => around(&corners(shape)).unwrap_or_default(),
    }
}

/// The upright rectangle around points.
pub(crate) fn around<'a>(points: impl IntoIterator<Item = &'a Point>) -> Option<Box4> {
    let edges = points.into_iter().fold(None, |edges: Option<Box4>, point| {
        let [left, top, right, bottom] = edges.unwrap_or([point.x, point.y, point.x, point.y]);
        Some([
            left.min(point.x),
            top.min(point.y),
            right.max(point.x),
            bottom.max(point.y),
        ])
    });
    edges.map(|[left, top, right, bottom]| [left, top, right - left, bottom - top])
}

/// The corners of a shape, clockwise; a point is its own corner.
pub(crate) fn corners(shape: &Shape) -> Vec<Point> {
    match shape {
        Shape::Polygon { points } => points.clone(),
        Shape::Keypoint { x, y, .. } => vec![Point { x: *x, y: *y }],
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => turned(x + width / 2.0, y + height / 2.0, *width, *height, 0.0),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => turned(*x, *y, *width, *height, *angle),
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => {
            let corner = |i: u32| {
                let angle = TAU * f64::from(i) / f64::from(ELLIPSE_CORNERS);
                Point {
                    x: x + width / 2.0 * (1.0 + angle.cos()),
                    y: y + height / 2.0 * (1.0 + angle.sin()),
                }
            };
            (0..ELLIPSE_CORNERS).map(corner).collect()
        }
    }
}

fn turned(x: f64, y: f64, width: f64, height: f64, angle: f64) -> Vec<Point> {
    let (sin, cos) = angle.to_radians().sin_cos();
    let corner = |(across, down): (f64, f64)| {
        let (dx, dy) = (across * width / 2.0, down * height / 2.0);
        Point {
            x: x + dx * cos - dy * sin,
            y: y + dx * sin + dy * cos,
        }
    };
    [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
        .map(corner)
        .to_vec()
}

/// The turned box of four corners at right angles, to within a hundredth of its size or a pixel.
pub(crate) fn turned_box(points: &[Point]) -> Option<Shape> {
    let &[a, b, c, d] = points else {
        return None;
    };
    let length = |a: Point, b: Point| (b.x - a.x).hypot(b.y - a.y);
    let (width, height) = (length(a, b), length(b, c));
    let centre = |p: Point, q: Point| (f64::midpoint(p.x, q.x), f64::midpoint(p.y, q.y));
    let (one, other) = (centre(a, c), centre(b, d));
    let tolerance = (0.01 * width.max(height)).max(1.0);
    let same_centre = (one.0 - other.0).hypot(one.1 - other.1) <= tolerance;
    let same_diagonals = (length(a, c) - length(b, d)).abs() <= tolerance;
    let angle = (b.y - a.y).atan2(b.x - a.x).to_degrees();
    (same_centre && same_diagonals && width > 0.0 && height > 0.0).then_some(
        Shape::RotatedRectangle {
            x: one.0,
            y: one.1,
            width,
            height,
            angle,
        },
    )
}

/// Points turned clockwise about a centre by degrees.
pub(crate) fn turned_about(points: &[Point], centre: Point, angle: f64) -> Vec<Point> {
    let (sin, cos) = angle.to_radians().sin_cos();
    let turn = |point: &Point| {
        let (dx, dy) = (point.x - centre.x, point.y - centre.y);
        Point {
            x: centre.x + dx * cos - dy * sin,
            y: centre.y + dx * sin + dy * cos,
        }
    };
    points.iter().map(turn).collect()
}

/// The area of a polygon (shoelace formula), never negative.
pub(crate) fn area(points: &[Point]) -> f64 {
    let next = points.iter().cycle().skip(1);
    let twice: f64 = points
        .iter()
        .zip(next)
        .map(|(a, b)| a.x * b.y - b.x * a.y)
        .sum();
    (twice / 2.0).abs()
}

/// A polygon from `x1, y1, x2, y2, ...`, or what is wrong with it.
pub(crate) fn polygon(flat: &[f64]) -> Result<Shape, String> {
    if flat.len() < 6 || !flat.len().is_multiple_of(2) {
        return Err(format!(
            "a polygon needs at least 3 pairs of numbers, here are {} numbers",
            flat.len()
        ));
    }
    finite(flat)?;
    let points = flat
        .chunks_exact(2)
        .map(|p| Point { x: p[0], y: p[1] })
        .collect();
    Ok(Shape::Polygon { points })
}

/// A rectangle from left, top, width and height, or what is wrong with it.
pub(crate) fn rectangle(numbers: &[f64]) -> Result<Shape, String> {
    let &[x, y, width, height] = numbers else {
        return Err(format!("a box needs 4 numbers, here are {}", numbers.len()));
    };
    finite(numbers)?;
    if width < 0.0 || height < 0.0 {
        return Err(format!("a box of {width} x {height} pixels has no inside"));
    }
    Ok(Shape::Rectangle {
        x,
        y,
        width,
        height,
    })
}

/// Refuses not-a-number and infinity.
pub(crate) fn finite(numbers: &[f64]) -> Result<(), String> {
    match numbers.iter().find(|n| !n.is_finite()) {
        Some(number) => Err(format!("{number} is no coordinate")),
        None => Ok(()),
    }
}

/// The points of a polygon as `x1, y1, x2, y2, ...`.
pub(crate) fn flat(points: &[Point]) -> Vec<f64> {
    points.iter().flat_map(|p| [p.x, p.y]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_go_around_shapes() {
        struct Case(Shape, Box4);
        let point = |x, y| Point { x, y };
        for Case(shape, wanted) in [
            Case(
                Shape::Rectangle {
                    x: 1.0,
                    y: 2.0,
                    width: 3.0,
                    height: 4.0,
                },
                [1.0, 2.0, 3.0, 4.0],
            ),
            Case(
                Shape::RotatedRectangle {
                    x: 10.0,
                    y: 10.0,
                    width: 4.0,
                    height: 2.0,
                    angle: 90.0,
                },
                [9.0, 8.0, 2.0, 4.0],
            ),
            Case(
                Shape::Polygon {
                    points: vec![point(1.0, 5.0), point(4.0, 1.0), point(2.0, 9.0)],
                },
                [1.0, 1.0, 3.0, 8.0],
            ),
            Case(
                Shape::Keypoint {
                    x: 7.0,
                    y: 8.0,
                    is_visible: true,
                },
                [7.0, 8.0, 0.0, 0.0],
            ),
        ] {
            let found = bounding_box(&shape);
            let off = found.iter().zip(wanted).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f64::max) < 1e-9, "{shape:?}: {found:?}");
        }
    }

    #[test]
    fn an_ellipse_has_nearly_its_area() {
        let ellipse = Shape::Ellipse {
            x: 0.0,
            y: 0.0,
            width: 20.0,
            height: 10.0,
        };
        let exact = std::f64::consts::PI * 50.0;
        assert!((area(&corners(&ellipse)) / exact - 1.0).abs() < 0.01);
    }

    #[test]
    fn bad_numbers_are_refused() {
        assert!(
            polygon(&[1.0; 5]).is_err() && polygon(&[1.0, 2.0, f64::NAN, 0.0, 1.0, 1.0]).is_err()
        );
        assert!(rectangle(&[1.0, 2.0, -3.0, 4.0]).is_err() && rectangle(&[1.0]).is_err());
    }
}
