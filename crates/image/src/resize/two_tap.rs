//! The loop of every separable filter of two taps: columns first, then rows.

/// Where one target coordinate falls between two source coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tap<W> {
    /// The nearer source index to the left or above.
    pub(super) first: usize,
    /// The index after it, or the same one at the edge.
    pub(super) second: usize,
    /// Weights of the two.
    pub(super) weights: [W; 2],
}

/// The numbers in which a filter computes.
pub(super) trait Arithmetic {
    /// A weight of a tap.
    type Weight: Copy;
    /// A sample between the two passes.
    type Sample: Copy + Default;

    /// The taps of every target column.
    fn columns(source: u32, target: u32) -> Vec<Tap<Self::Weight>>;

    /// The taps of every target row.
    fn rows(source: u32, target: u32) -> Vec<Tap<Self::Weight>>;

    /// Mixes two neighbours of one row.
    fn across(left: u8, right: u8, weights: [Self::Weight; 2]) -> Self::Sample;

    /// Mixes two neighbours of one column.
    fn down(above: Self::Sample, below: Self::Sample, weights: [Self::Weight; 2]) -> u8;
}

/// A source row after the pass over its columns.
struct Row<S> {
    index: Option<usize>,
    samples: Vec<S>,
}

/// Scales interleaved samples of `C` channels; `size` and `target` are (width, height).
pub(super) fn resize<A: Arithmetic, const C: usize>(
    source: &[u8],
    size: (u32, u32),
    target: (u32, u32),
) -> Vec<u8> {
    let columns = A::columns(size.0, target.0);
    let stride = size.0 as usize * C;
    let width = target.0 as usize * C;
    let empty = || Row {
        index: None,
        samples: vec![A::Sample::default(); width],
    };
    let (mut above, mut below) = (empty(), empty());
    let mut result = vec![0; width * target.1 as usize];
    let rows = A::rows(size.1, target.1);
    for (tap, line) in rows.iter().zip(result.chunks_exact_mut(width)) {
        // Going down, the lower row often becomes the upper one.
        if below.index == Some(tap.first) {
            std::mem::swap(&mut above, &mut below);
        }
        for (wanted, row) in [(tap.first, &mut above), (tap.second, &mut below)] {
            if row.index != Some(wanted) {
                let from = &source[wanted * stride..][..stride];
                across::<A, C>(from, &columns, &mut row.samples);
                row.index = Some(wanted);
            }
        }
        down::<A>(&above.samples, &below.samples, tap.weights, line);
    }
    result
}

fn across<A: Arithmetic, const C: usize>(
    row: &[u8],
    columns: &[Tap<A::Weight>],
    samples: &mut [A::Sample],
) {
    for (tap, pixel) in columns.iter().zip(samples.chunks_exact_mut(C)) {
        let left = &row[tap.first * C..][..C];
        let right = &row[tap.second * C..][..C];
        for c in 0..C {
            pixel[c] = A::across(left[c], right[c], tap.weights);
        }
    }
}

fn down<A: Arithmetic>(
    above: &[A::Sample],
    below: &[A::Sample],
    weights: [A::Weight; 2],
    line: &mut [u8],
) {
    for ((a, b), level) in above.iter().zip(below).zip(line) {
        *level = A::down(*a, *b, weights);
    }
}
