/// The mean over a window of `side` x `side` pixels around each pixel; borders are reflected
/// without repeating the edge.
///
/// `plane` holds whole rows of `width`. The window of an even side reaches one pixel further
/// to the left and upwards. Sums are in `f64`.
pub(crate) fn blur(plane: &[f32], width: usize, side: u32) -> Vec<f32> {
    let height = plane.len().checked_div(width).unwrap_or(0);
    let scale = 1.0 / (f64::from(side) * f64::from(side));
    let across = windows(width, side);
    let rows: Vec<f64> = plane
        .chunks_exact(width.max(1))
        .flat_map(|row| {
            across
                .iter()
                .map(|window| sum(window, |x| row.get(x).copied()))
        })
        .collect();
    let down = windows(height, side);
    let columns = down.iter().flat_map(|window| {
        let rows = &rows;
        (0..width).map(move |x| {
            let at = |y: usize| rows.get(y * width + x).copied().unwrap_or(0.0);
            window.iter().map(|&y| at(y)).sum::<f64>()
        })
    });
    columns.map(|total| (total * scale) as f32).collect()
}

fn sum(window: &[usize], at: impl Fn(usize) -> Option<f32>) -> f64 {
    window
        .iter()
        .map(|&place| f64::from(at(place).unwrap_or(0.0)))
        .sum()
}

/// For each of `count` places, the places in the window around it.
fn windows(count: usize, side: u32) -> Vec<Vec<usize>> {
    let side = i64::from(side);
    let around = |place: usize| {
        let first = place as i64 - side / 2;
        (first..first + side)
            .map(|at| reflect(at, count as i64))
            .collect()
    };
    (0..count).map(around).collect()
}

/// Mirrors a place at the first and the last one until it lies between them.
fn reflect(place: i64, count: i64) -> usize {
    if count <= 1 {
        return 0;
    }
    let period = 2 * (count - 1);
    let place = place.rem_euclid(period);
    place.min(period - place) as usize
}
