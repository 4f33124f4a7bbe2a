use super::{Pixel, cross};

/// The corners of the smallest convex polygon around the pixels, collinear points left out.
///
/// Andrew's monotone chain; counter-clockwise where rows grow upwards, from the leftmost, then
/// uppermost corner.
pub(super) fn convex_hull(points: &[Pixel]) -> Vec<Pixel> {
    let mut sorted = points.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < 3 {
        return sorted;
    }
    let mut hull = chain(sorted.iter().copied());
    hull.pop();
    hull.extend(chain(sorted.iter().rev().copied()));
    hull.pop();
    hull
}

/// One side of the hull from the first point to the last.
fn chain(points: impl Iterator<Item = Pixel>) -> Vec<Pixel> {
    let mut side: Vec<Pixel> = Vec::new();
    for point in points {
        while let [.., a, b] = side.as_slice() {
            let (ab, ap) = (
                [b[0] - a[0], b[1] - a[1]],
                [point[0] - a[0], point[1] - a[1]],
            );
            if cross(ab, ap) > 0 {
                break;
            }
            side.pop();
        }
        side.push(point);
    }
    side
}
