//! How many corners are left of a closed polygon when small deviations are dropped.

use super::{Pixel, cross};

/// The number of points of `approxPolyDP` with tolerance 1 on a closed border.
///
/// D. Douglas and T. Peucker, "Algorithms for the reduction of the number of points" (1973),
/// begun between two points that lie far apart; then corners that hardly turn are dropped. The
/// result is OpenCV's, up to one corner in borders of a hundred points and more that touch
/// themselves; callers only ask whether it is above two.
pub(crate) fn simplified_len(points: &[Pixel]) -> usize {
    let Some((from, to)) = far_apart(points) else {
        return points.len().min(1);
    };
    let mut kept = Vec::new();
    // The half that begins at `from` comes out first.
    let mut halves = vec![(to, from), (from, to)];
    while let Some((begin, end)) = halves.pop() {
        match farthest(points, begin, end) {
            Some(middle) => halves.extend([(middle, end), (begin, middle)]),
            None => kept.extend(points.get(begin)),
        }
    }
    without_flat_corners(&mut kept)
}

fn squared([ax, ay]: Pixel, [bx, by]: Pixel) -> i64 {
    let (x, y) = (i64::from(bx) - i64::from(ax), i64::from(by) - i64::from(ay));
    x * x + y * y
}

/// Two places far apart, found by going to the farthest point three times; `None` if all
/// points lie within the tolerance.
fn far_apart(points: &[Pixel]) -> Option<(usize, usize)> {
    let mut pair = (0, 0);
    for _ in 0..3 {
        pair.0 = pair.1;
        let origin = points.get(pair.0)?;
        let mut highest = 0;
        for offset in 1..points.len() {
            let place = (pair.0 + offset) % points.len();
            let distance = points
                .get(place)
                .map_or(0, |&point| squared(*origin, point));
            if distance > highest {
                (highest, pair.1) = (distance, place);
            }
        }
        if highest <= 1 {
            return None;
        }
    }
    Some(pair)
}

/// The point between two places that lies farthest from their line, if farther than 1.
fn farthest(points: &[Pixel], begin: usize, end: usize) -> Option<usize> {
    let (&start, &stop) = (points.get(begin)?, points.get(end)?);
    let line = [stop[0] - start[0], stop[1] - start[1]];
    let mut best = (0, begin);
    let mut place = (begin + 1) % points.len();
    while place != end && place != begin {
        let point = points.get(place)?;
        let distance = cross(line, [point[0] - start[0], point[1] - start[1]]).abs();
        if distance > best.0 {
            best = (distance, place);
        }
        place = (place + 1) % points.len();
    }
    let (distance, length) = (best.0 as f64, squared(start, stop) as f64);
    (distance * distance > length).then_some(best.1)
}

/// The number of corners when each that turns forward by little is dropped, down to two.
///
/// What is kept is written over the corners already read, so that the last corner may be
/// compared with a first one that has moved; OpenCV does so, too.
fn without_flat_corners(corners: &mut [Pixel]) -> usize {
    let count = corners.len();
    let at = |corners: &[Pixel], place: usize| {
        corners
            .get(place % count.max(1))
            .copied()
            .unwrap_or_default()
    };
    let mut left = count;
    let mut start = at(corners, count.saturating_sub(1));
    let mut point = at(corners, 0);
    let (mut read, mut written) = (1, 0);
    while read <= count && left > 2 {
        let mut end = at(corners, read);
        let kept = if is_flat(start, point, end) {
            left -= 1;
            read += 1;
            std::mem::replace(&mut end, at(corners, read))
        } else {
            point
        };
        if let Some(corner) = corners.get_mut(written) {
            *corner = kept;
        }
        written += 1;
        (start, point) = (kept, end);
        read += 1;
    }
    left
}

fn is_flat(start: Pixel, point: Pixel, end: Pixel) -> bool {
    let line = [end[0] - start[0], end[1] - start[1]];
    let before = [point[0] - start[0], point[1] - start[1]];
    let after = [end[0] - point[0], end[1] - point[1]];
    let distance = cross(line, before) as f64;
    let forward =
        i64::from(before[0]) * i64::from(after[0]) + i64::from(before[1]) * i64::from(after[1]);
    distance * distance <= 0.5 * squared(start, end) as f64
        && line[0] != 0
        && line[1] != 0
        && forward >= 0
}
