use straylight_core::{Color, Point, Shape};
use tiny_skia::{Path, PathBuilder, Rect};

use super::canvas::{Area, Canvas, contrast};
use super::style::Style;

/// Far beyond any image, near enough for exact arithmetic in `f32`.
const FAR: f64 = 100_000.0;

/// Draws a shape's line in its colour between two seams, and its inside with `fill` opacity.
pub(super) fn draw(canvas: &mut Canvas, shape: &Shape, rgb: [u8; 3], fill: u8, style: Style) {
    match *shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => {
            let area = area(x, y, width, height);
            rectangle(canvas, area, rgb, fill, style);
        }
        Shape::Keypoint { x, y, is_visible } => keypoint(canvas, (x, y), is_visible, rgb, style),
        _ => {
            if let Some(path) = path(shape) {
                outline(canvas, &path, rgb, fill, style);
            }
        }
    }
}

/// The upright rectangle around a shape, in whole pixels.
pub(super) fn bounds(shape: &Shape, style: Style) -> Area {
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
        } => area(x, y, width, height),
        Shape::Keypoint { x, y, .. } => area(x, y, 0.0, 0.0).grown(radius(style)),
        _ => path(shape).map_or(Area::new(0, 0, 0, 0), |path| {
            let b = path.bounds();
            area(
                b.left().into(),
                b.top().into(),
                b.width().into(),
                b.height().into(),
            )
        }),
    }
}

/// A shape in the coordinates of an image that is `factor` times larger.
pub(super) fn enlarged(shape: &Shape, factor: f64) -> Shape {
    let mut shape = shape.clone();
    match &mut shape {
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
        }
        | Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            ..
        } => {
            for value in [x, y, width, height] {
                *value *= factor;
            }
        }
        Shape::Polygon { points } => {
            for point in points {
                point.x *= factor;
                point.y *= factor;
            }
        }
        Shape::Keypoint { x, y, .. } => {
            *x *= factor;
            *y *= factor;
        }
    }
    shape
}

/// Not-a-number becomes 0, far away becomes the limit.
fn near(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-FAR, FAR)
    }
}

fn area(x: f64, y: f64, width: f64, height: f64) -> Area {
    let (left, top) = (near(x).round(), near(y).round());
    let right = near(x + width).round().max(left);
    let bottom = near(y + height).round().max(top);
    Area::new(
        left as i32,
        top as i32,
        (right - left) as i32,
        (bottom - top) as i32,
    )
}

/// Lines on pixel borders stay sharp: four filled strips instead of a path.
fn rectangle(canvas: &mut Canvas, area: Area, rgb: [u8; 3], fill: u8, style: Style) {
    let Style { line, seam, .. } = style;
    // A box that ends at the image's edge keeps its line inside the image.
    let outside = line / 2 + seam;
    let area = area.clipped(canvas.area().grown(-outside));
    let area = Area::new(area.left, area.top, area.width.max(1), area.height.max(1));
    canvas.fill_area(area, Color { rgb, alpha: fill });
    canvas.frame(area.grown(outside), line + 2 * seam, seam_color(rgb));
    canvas.frame(area.grown(line / 2), line, Color::opaque(rgb));
}

fn outline(canvas: &mut Canvas, path: &Path, rgb: [u8; 3], fill: u8, style: Style) {
    canvas.fill(path, Color { rgb, alpha: fill });
    canvas.stroke(path, (style.line + 2 * style.seam) as f32, seam_color(rgb));
    canvas.stroke(path, style.line as f32, Color::opaque(rgb));
}

/// A visible point is a disc, an inferred one a ring.
fn keypoint(canvas: &mut Canvas, (x, y): (f64, f64), is_visible: bool, rgb: [u8; 3], style: Style) {
    let radius = radius(style) as f32;
    let Some(disc) = PathBuilder::from_circle(near(x) as f32, near(y) as f32, radius) else {
        return;
    };
    if is_visible {
        canvas.stroke(&disc, (2 * style.seam) as f32, seam_color(rgb));
        canvas.fill(&disc, Color::opaque(rgb));
    } else {
        outline(canvas, &disc, rgb, 0, style);
    }
}

fn radius(style: Style) -> i32 {
    style.line * 2
}

/// The seam stands out against the line, so one of the two stands out against anything.
fn seam_color(rgb: [u8; 3]) -> Color {
    Color {
        rgb: contrast(rgb),
        alpha: 190,
    }
}

fn path(shape: &Shape) -> Option<Path> {
    match shape {
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => {
            let (left, top) = (near(*x) as f32, near(*y) as f32);
            let (right, bottom) = (near(x + width) as f32, near(y + height) as f32);
            PathBuilder::from_oval(Rect::from_ltrb(left, top, right, bottom)?)
        }
        Shape::RotatedRectangle { .. } => polygon(&corners(shape)?),
        Shape::Polygon { points } => polygon(points),
        _ => None,
    }
}

fn polygon(points: &[Point]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = points.split_first()?;
    builder.move_to(near(first.x) as f32, near(first.y) as f32);
    for point in rest {
        builder.line_to(near(point.x) as f32, near(point.y) as f32);
    }
    builder.close();
    builder.finish()
}

/// The corners of a turned rectangle; the angle is clockwise because `y` points down.
fn corners(shape: &Shape) -> Option<[Point; 4]> {
    let Shape::RotatedRectangle {
        x,
        y,
        width,
        height,
        angle,
    } = *shape
    else {
        return None;
    };
    let (sin, cos) = angle.to_radians().sin_cos();
    let corner = |across: f64, down: f64| {
        let (dx, dy) = (across * width / 2.0, down * height / 2.0);
        Point {
            x: x + dx * cos - dy * sin,
            y: y + dx * sin + dy * cos,
        }
    };
    Some([
        corner(-1.0, -1.0),
        corner(1.0, -1.0),
        corner(1.0, 1.0),
        corner(-1.0, 1.0),
    ])
}
