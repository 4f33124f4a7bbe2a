use std::collections::HashMap;

use straylight_core::{Annotation, Label};

use crate::Size;
use crate::instance_segmentation::polygon;
use crate::labels::scored;
use crate::raster::{Mask, Pixel, area, contours};

/// A polygon for each region of a mask; borders that touch themselves are split there.
///
/// The probability is the mean of the map's grey levels on the border, as in the SDK (which
/// forgets to divide them by 255). Regions without area are left out, holes are filled.
pub(super) fn regions(mask: &Mask, levels: &[u8], image: Size, label: &Label) -> Vec<Annotation> {
    let borders = contours(mask).into_iter().map(|contour| contour.points);
    borders
        .filter(|border| border.len() > 2 && area(border) >= 1.0)
        .flat_map(|border| loops(&border))
        .filter(|part| area(part) > 0.0)
        .map(|part| Annotation {
            shape: polygon(&part),
            labels: vec![scored(label, mean_level(&part, levels, image) / 255.0)],
        })
        .collect()
}

fn mean_level(points: &[Pixel], levels: &[u8], image: Size) -> f32 {
    let level = |&[x, y]: &Pixel| {
        let place = y as usize * image.width as usize + x as usize;
        f64::from(levels.get(place).copied().unwrap_or(0))
    };
    (points.iter().map(level).sum::<f64>() / points.len().max(1) as f64) as f32
}

/// The loops of a closed border, none of which meets itself, of at least three points each.
///
/// Between a point and its next occurrence lies a loop; the one that begins last is cut out
/// first.
pub(super) fn loops(border: &[Pixel]) -> Vec<Vec<Pixel>> {
    let count = border.len();
    let closed = |place: usize| {
        border
            .get(place % count.max(1))
            .copied()
            .unwrap_or_default()
    };
    let mut next_place: HashMap<Pixel, usize> = HashMap::new();
    // Where a cut loop began, its end.
    let mut cut: HashMap<usize, usize> = HashMap::new();
    let mut found = Vec::new();
    let ends_open = border.first() != border.last();
    let last = if ends_open {
        count
    } else {
        count.saturating_sub(1)
    };
    for place in (0..=last).rev() {
        if let Some(end) = next_place.insert(closed(place), place) {
            let mut points = Vec::new();
            let mut at = place;
            while at < end {
                if let Some(&behind) = cut.get(&at) {
                    at = behind;
                } else {
                    points.push(closed(at));
                    at += 1;
                }
            }
            cut.insert(place, end);
            if points.len() > 2 {
                found.push(points);
            }
        }
    }
    found
}

/// Left, upper, right and lower edge around the pixels of a border.
pub(super) fn bounds(points: &[Pixel]) -> [f32; 4] {
    let range = |axis: usize| {
        let values = || points.iter().map(|point| point[axis]);
        (
            values().min().unwrap_or(0) as f32,
            values().max().unwrap_or(-1) as f32 + 1.0,
        )
    };
    let ((left, right), (upper, lower)) = (range(0), range(1));
    [left, upper, right, lower]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_border_is_one_loop() {
        let square = [[0, 0], [0, 2], [2, 2], [2, 0]];
        assert_eq!(loops(&square), [square.to_vec()]);
    }

    #[test]
    fn a_border_that_touches_itself_is_split() {
        let eight = [
            [0, 0],
            [0, 1],
            [1, 2],
            [2, 3],
            [3, 2],
            [2, 1],
            [1, 2],
            [1, 0],
        ];
        assert_eq!(
            loops(&eight),
            [
                vec![[1, 2], [2, 3], [3, 2], [2, 1]],
                vec![[0, 0], [0, 1], [1, 2], [1, 0]],
            ]
        );
    }

    #[test]
    fn a_line_there_and_back_has_no_loop() {
        assert!(loops(&[[0, 0], [1, 0], [2, 0], [1, 0]]).is_empty());
        assert!(loops(&[]).is_empty());
    }
}
