use straylight_core::Point;

/// Joins the parts of one object into one closed line, for a line of YOLO holds one polygon.
///
/// Each part is entered and left through the same pair of points, the nearest ones, so that the
/// way between has no area.
pub(super) fn join(parts: Vec<Vec<Point>>) -> Vec<Point> {
    let mut parts = parts.into_iter().filter(|part| part.len() >= 3);
    let mut joined = parts.next().unwrap_or_default();
    for part in parts {
        let (at, from) = nearest(&joined, &part);
        let around = (0..=part.len()).map(|step| part[(from + step) % part.len()]);
        let inserted: Vec<Point> = around.chain([joined[at]]).collect();
        let rest = joined.split_off(at + 1);
        joined.extend(inserted);
        joined.extend(rest);
    }
    joined
}

/// The indices of the two points that lie nearest to one another.
fn nearest(a: &[Point], b: &[Point]) -> (usize, usize) {
    let mut best = (f64::INFINITY, 0, 0);
    for (i, p) in a.iter().enumerate() {
        for (j, q) in b.iter().enumerate() {
            let distance = (p.x - q.x).powi(2) + (p.y - q.y).powi(2);
            if distance < best.0 {
                best = (distance, i, j);
            }
        }
    }
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::area;

    fn square(x: f64, y: f64) -> Vec<Point> {
        [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
            .map(|(dx, dy)| Point {
                x: x + dx,
                y: y + dy,
            })
            .to_vec()
    }

    #[test]
    fn the_way_between_parts_has_no_area() {
        let joined = join(vec![square(0.0, 0.0), square(10.0, 0.0), square(0.0, 10.0)]);
        assert!((area(&joined) - 12.0).abs() < 1e-9);
        assert_eq!(joined.len(), 4 + 2 * 6);
        let corner = |x, y| joined.iter().any(|p| (p.x, p.y) == (x, y));
        assert!(corner(12.0, 2.0) && corner(0.0, 12.0) && corner(0.0, 0.0));
        assert!(join(vec![vec![Point { x: 0.0, y: 0.0 }]]).is_empty());
        assert_eq!(join(vec![square(1.0, 1.0)]), square(1.0, 1.0));
    }
}
