//! The part of a shape that lies within its image.

use straylight_core::{Point, Shape};

use crate::geometry::{around, bounding_box, corners};

/// Shapes beyond the border by less than this many pixels are as good as inside.
const TOLERANCE: f64 = 1e-6;

/// What is left of a shape within an image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Clipped {
    /// All of it.
    Inside,
    /// A part.
    Cut(Shape),
    /// Nothing.
    Outside,
}

/// Clips a shape to an image of this width and height in pixels.
///
/// Boxes stay boxes and polygons polygons; an ellipse or a turned box that is cut becomes a
/// polygon. A key point beyond the image is outside.
pub(crate) fn clip(shape: &Shape, (width, height): (u32, u32)) -> Clipped {
    let (width, height) = (f64::from(width), f64::from(height));
    let [x, y, w, h] = bounding_box(shape);
    let inside = x >= 0.0 && y >= 0.0 && x + w <= width && y + h <= height;
    let nearly = x >= -TOLERANCE
        && y >= -TOLERANCE
        && x + w <= width + TOLERANCE
        && y + h <= height + TOLERANCE;
    match shape {
        _ if inside => Clipped::Inside,
        Shape::Keypoint { .. } => Clipped::Outside,
        Shape::Rectangle { .. } => cut_box([x, y, w, h], width, height),
        Shape::Ellipse { .. } | Shape::RotatedRectangle { .. } if nearly => Clipped::Inside,
        _ => cut_polygon(corners(shape), width, height),
    }
}

fn cut_box([x, y, w, h]: [f64; 4], width: f64, height: f64) -> Clipped {
    let (left, top) = (x.clamp(0.0, width), y.clamp(0.0, height));
    let (right, bottom) = ((x + w).clamp(0.0, width), (y + h).clamp(0.0, height));
    if right <= left || bottom <= top {
        return Clipped::Outside;
    }
    let (width, height) = (right - left, bottom - top);
    Clipped::Cut(Shape::Rectangle {
        x: left,
        y: top,
        width,
        height,
    })
}

/// Sutherland and Hodgman: one border after the other.
fn cut_polygon(mut points: Vec<Point>, width: f64, height: f64) -> Clipped {
    // How far a point lies within each border.
    let borders: [fn(&Point, f64, f64) -> f64; 4] = [
        |point, _, _| point.x,
        |point, width, _| width - point.x,
        |point, _, _| point.y,
        |point, _, height| height - point.y,
    ];
    for border in borders {
        points = cut(&points, |point| border(point, width, height));
    }
    for point in &mut points {
        point.x = point.x.clamp(0.0, width);
        point.y = point.y.clamp(0.0, height);
    }
    points.dedup();
    match around(&points) {
        Some([_, _, w, h]) if points.len() >= 3 && w > 0.0 && h > 0.0 => {
            Clipped::Cut(Shape::Polygon { points })
        }
        _ => Clipped::Outside,
    }
}

fn cut(points: &[Point], depth: impl Fn(&Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::with_capacity(points.len() + 2);
    for (index, point) in points.iter().enumerate() {
        let before = &points[(index + points.len() - 1) % points.len()];
        let (from, to) = (depth(before), depth(point));
        if (from < 0.0) != (to < 0.0) {
            let part = from / (from - to);
            kept.push(Point {
                x: before.x + (point.x - before.x) * part,
                y: before.y + (point.y - before.y) * part,
            });
        }
        if to >= 0.0 {
            kept.push(*point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::area;

    fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn boxes_are_cut() {
        struct Case(Shape, Clipped);
        for Case(shape, wanted) in [
            Case(rectangle(0.0, 0.0, 64.0, 48.0), Clipped::Inside),
            Case(
                rectangle(50.0, 30.0, 15.0, 10.0),
                Clipped::Cut(rectangle(50.0, 30.0, 14.0, 10.0)),
            ),
            Case(rectangle(64.0, 0.0, 5.0, 5.0), Clipped::Outside),
            Case(rectangle(-9.0, -9.0, 5.0, 90.0), Clipped::Outside),
        ] {
            assert_eq!(clip(&shape, (64, 48)), wanted, "{shape:?}");
        }
    }

    #[test]
    fn a_key_point_beyond_the_image_is_outside() {
        let point = |x| Shape::Keypoint {
            x,
            y: 1.0,
            is_visible: true,
        };
        assert_eq!(clip(&point(4.0), (4, 4)), Clipped::Inside);
        assert_eq!(clip(&point(4.5), (4, 4)), Clipped::Outside);
    }

    proptest! {
        #[test]
        fn what_is_left_lies_within(corners in prop::collection::vec((-20.0..40.0, -20.0..40.0), 3..8)) {
            let points: Vec<Point> = corners.into_iter().map(|(x, y)| Point { x, y }).collect();
            let all = area(&points);
            if let Clipped::Cut(Shape::Polygon { points }) = clip(&Shape::Polygon { points }, (20, 10)) {
                prop_assert!(points.iter().all(|p| (0.0..=20.0).contains(&p.x) && (0.0..=10.0).contains(&p.y)));
                // The shoelace area of a polygon that crosses itself says nothing.
                prop_assert!(points.len() > 3 || area(&points) <= all.max(200.0));
            }
        }
    }
}
