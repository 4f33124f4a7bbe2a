use super::hull::convex_hull;
use super::{Pixel, cross};

/// A rectangle turned about its centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rectangle {
    /// Column and row of the centre.
    pub(crate) centre: [f64; 2],
    /// Extents along the turned horizontal and vertical axis.
    pub(crate) size: [f64; 2],
    /// Clockwise angle of the turned horizontal axis in degrees, 0 up to but not including 90.
    pub(crate) angle: f64,
}

impl Rectangle {
    /// The four corners, clockwise as one looks at the picture.
    pub(crate) fn corners(&self) -> [[f64; 2]; 4] {
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let [width, height] = self.size.map(|side| side / 2.0);
        let corner = |right: f64, down: f64| {
            let (along, across) = (right * width, down * height);
            [
                self.centre[0] + along * cos - across * sin,
                self.centre[1] + along * sin + across * cos,
            ]
        };
        [
            corner(-1.0, -1.0),
            corner(1.0, -1.0),
            corner(1.0, 1.0),
            corner(-1.0, 1.0),
        ]
    }
}

/// The rectangle of the smallest area around the pixels' centres; `None` for no pixels.
///
/// One of its sides lies on a side of the convex hull (H. Freeman and R. Shapira, CACM 18,
/// 1975), so all of these are tried.
pub(crate) fn smallest_rectangle(points: &[Pixel]) -> Option<Rectangle> {
    let hull = convex_hull(points);
    let (&first, rest) = hull.split_first()?;
    if rest.is_empty() {
        return Some(Rectangle {
            centre: first.map(f64::from),
            size: [0.0; 2],
            angle: 0.0,
        });
    }
    let followers = hull.iter().cycle().skip(1);
    let sides = hull
        .iter()
        .zip(followers)
        .map(|(a, b)| [b[0] - a[0], b[1] - a[1]]);
    let mut best: Option<Extent> = None;
    for side in sides {
        let extent = Extent::along(&hull, quarter(side));
        if best.as_ref().is_none_or(|best| extent.is_better(best)) {
            best = Some(extent);
        }
    }
    best.map(|extent| extent.rectangle())
}

/// Turns a direction by quarters until it points right, or right and down.
fn quarter([x, y]: Pixel) -> Pixel {
    match (x, y) {
        _ if x > 0 && y >= 0 => [x, y],
        _ if y > 0 => [y, -x],
        _ if x < 0 => [-x, -y],
        _ => [-y, x],
    }
}

/// How far points reach along a direction and across it, in units of its length.
struct Extent {
    axis: Pixel,
    along: (i64, i64),
    across: (i64, i64),
}

impl Extent {
    fn along(points: &[Pixel], axis: Pixel) -> Self {
        let [x, y] = axis.map(i64::from);
        let range = |x: i64, y: i64| {
            let values = || {
                points
                    .iter()
                    .map(|p| i64::from(p[0]) * x + i64::from(p[1]) * y)
            };
            (values().min().unwrap_or(0), values().max().unwrap_or(0))
        };
        Self {
            axis,
            along: range(x, y),
            across: range(-y, x),
        }
    }

    fn squared_length(&self) -> f64 {
        let [x, y] = self.axis.map(f64::from);
        x * x + y * y
    }

    fn area(&self) -> f64 {
        let side = |(low, high): (i64, i64)| (high - low) as f64;
        side(self.along) * side(self.across) / self.squared_length()
    }

    /// Smaller, or equal up to the rounding of `f32` and turned further, as OpenCV's
    /// calipers, which turn from 0 on, let the last of equals stand.
    fn is_better(&self, other: &Self) -> bool {
        const MARGIN: f64 = 1e-6;
        let (area, rival) = (self.area(), other.area());
        let turned_further = cross(other.axis, self.axis) > 0;
        if turned_further {
            area <= rival * (1.0 + MARGIN)
        } else {
            area < rival * (1.0 - MARGIN)
        }
    }

    fn rectangle(&self) -> Rectangle {
        let squared = self.squared_length();
        let side = |(low, high): (i64, i64)| (high - low) as f64 / squared.sqrt();
        let middle = |(low, high): (i64, i64)| (low + high) as f64 / 2.0 / squared;
        let (along, across) = (middle(self.along), middle(self.across));
        let [x, y] = self.axis.map(f64::from);
        Rectangle {
            centre: [along * x - across * y, along * y + across * x],
            size: [side(self.along), side(self.across)],
            angle: y.atan2(x).to_degrees(),
        }
    }
}
