/// One in the fixed-point weights of 11 bits.
const ONE: f32 = 2048.0;

/// Where one target coordinate falls between two source coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tap {
    /// The nearer source index to the left or above.
    pub(super) first: usize,
    /// The index after it, or the same one at the edge.
    pub(super) second: usize,
    /// Weights of the two; they sum to 2048.
    pub(super) weights: [i16; 2],
}

/// The taps of every target column. At the edges the outermost column alone counts.
pub(super) fn columns(source: u32, target: u32) -> Vec<Tap> {
    let last = source.saturating_sub(1) as usize;
    positions(source, target)
        .map(|(floor, fraction)| {
            if floor < 0 {
                tap(0, 0, 0.0)
            } else if floor as usize >= last {
                tap(last, last, 0.0)
            } else {
                tap(floor as usize, floor as usize + 1, fraction)
            }
        })
        .collect()
}

/// The taps of every target row. At the edges the outermost row is read twice with both
/// weights: OpenCV clips rows but not their weights, and the rounding shows it.
pub(super) fn rows(source: u32, target: u32) -> Vec<Tap> {
    let last = i64::from(source) - 1;
    let clip = |row: i64| row.clamp(0, last.max(0)) as usize;
    positions(source, target)
        .map(|(floor, fraction)| tap(clip(floor), clip(floor + 1), fraction))
        .collect()
}

/// Floor and fraction of every target coordinate's place in the source.
fn positions(source: u32, target: u32) -> impl Iterator<Item = (i64, f32)> {
    // OpenCV takes the reciprocal of the reciprocal, which differs in the last bit.
    let scale = 1.0 / (f64::from(target) / f64::from(source));
    (0..target).map(move |index| {
        let place = ((f64::from(index) + 0.5) * scale - 0.5) as f32;
        let floor = place.floor();
        (floor as i64, place - floor)
    })
}

fn tap(first: usize, second: usize, fraction: f32) -> Tap {
    let weight = |part: f32| (part * ONE).round_ties_even() as i16;
    Tap {
        first,
        second,
        weights: [weight(1.0 - fraction), weight(fraction)],
    }
}
