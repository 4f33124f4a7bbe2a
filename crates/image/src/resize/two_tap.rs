//! The loop of every separable filter of two taps: columns first, then rows.

use std::ops::Range;

use pulp::NullaryFnOnce;

use super::vectors::Vectors;

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

    /// Mixes neighbours of pixels of three channels that lie side by side.
    ///
    /// From the start of each tap 8 bytes of the row can be read, and one sample behind each
    /// pixel may be overwritten.
    fn across_rgb(
        vectors: Option<Vectors>,
        row: &[u8],
        taps: &[Adjacent<Self::Weight>],
        samples: &mut [Self::Sample],
    );

    /// Mixes two neighbours of one column.
    ///
    /// Implementations are `#[inline(always)]`, so that the loop over a row becomes vectors.
    fn down(above: Self::Sample, below: Self::Sample, weights: [Self::Weight; 2]) -> u8;
}

/// A tap of two pixels that lie side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adjacent<W> {
    /// Where the left pixel starts in its row.
    pub(super) start: usize,
    /// Weights of the two.
    pub(super) weights: [W; 2],
}

/// A source row after the pass over its columns.
struct Row<S> {
    index: Option<usize>,
    samples: Vec<S>,
}

/// Scales interleaved samples of `C` channels; `size` and `target` are (width, height). The result
/// goes into `lines`, one for each target row, of at least its length.
pub(super) fn resize<'a, A: Arithmetic, const C: usize>(
    source: &[u8],
    size: (u32, u32),
    target: (u32, u32),
    lines: impl Iterator<Item = &'a mut [u8]>,
) {
    let columns = Columns::new::<C>(A::columns(size.0, target.0), size.0 as usize * C);
    let stride = size.0 as usize * C;
    let width = target.0 as usize * C;
    let empty = || Row {
        index: None,
        // One more, see `Arithmetic::across_rgb`.
        samples: vec![A::Sample::default(); width + 1],
    };
    let (mut above, mut below) = (empty(), empty());
    let rows = A::rows(size.1, target.1);
    for (tap, line) in rows.iter().zip(lines) {
        // Going down, the lower row often becomes the upper one.
        if below.index == Some(tap.first) {
            std::mem::swap(&mut above, &mut below);
        }
        for (wanted, row) in [(tap.first, &mut above), (tap.second, &mut below)] {
            if row.index != Some(wanted) {
                let from = &source[wanted * stride..][..stride];
                columns.mix::<A, C>(from, &mut row.samples);
                row.index = Some(wanted);
            }
        }
        let pair = Pair::<A> {
            above: &above.samples[..width],
            below: &below.samples[..width],
            weights: tap.weights,
            line: &mut line[..width],
        };
        pair.mix(columns.vectors);
    }
}

/// The taps of all target columns.
struct Columns<W> {
    taps: Vec<Tap<W>>,
    /// Those in the middle of pixels of three channels, which [`Arithmetic::across_rgb`] mixes.
    adjacent: Vec<Adjacent<W>>,
    middle: Range<usize>,
    vectors: Option<Vectors>,
}

impl<W: Copy> Columns<W> {
    fn new<const C: usize>(taps: Vec<Tap<W>>, stride: usize) -> Self {
        let is_adjacent =
            |tap: &Tap<W>| C == 3 && tap.second == tap.first + 1 && tap.first * C + 8 <= stride;
        let start = taps.iter().position(is_adjacent).unwrap_or(0);
        let middle = taps[start..].iter().take_while(|tap| is_adjacent(tap));
        let adjacent: Vec<Adjacent<W>> = middle
            .map(|tap| Adjacent {
                start: tap.first * C,
                weights: tap.weights,
            })
            .collect();
        Self {
            middle: start..start + adjacent.len(),
            adjacent,
            taps,
            vectors: Vectors::new(),
        }
    }

    /// The pass over the columns of one row.
    fn mix<A: Arithmetic<Weight = W>, const C: usize>(
        &self,
        row: &[u8],
        samples: &mut [A::Sample],
    ) {
        let Range { start, end } = self.middle;
        across::<A, C>(row, &self.taps[..start], samples);
        A::across_rgb(self.vectors, row, &self.adjacent, &mut samples[start * C..]);
        across::<A, C>(row, &self.taps[end..], &mut samples[end * C..]);
    }
}

/// [`Arithmetic::across_rgb`] without vectors.
pub(super) fn plain_rgb<A: Arithmetic>(
    row: &[u8],
    taps: &[Adjacent<A::Weight>],
    samples: &mut [A::Sample],
) {
    for (tap, pixel) in taps.iter().zip(samples.chunks_exact_mut(3)) {
        let pair = &row[tap.start..][..6];
        for c in 0..3 {
            pixel[c] = A::across(pair[c], pair[c + 3], tap.weights);
        }
    }
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

/// Two rows that are mixed into one line.
struct Pair<'a, A: Arithmetic> {
    above: &'a [A::Sample],
    below: &'a [A::Sample],
    weights: [A::Weight; 2],
    line: &'a mut [u8],
}

impl<A: Arithmetic> Pair<'_, A> {
    fn mix(self, vectors: Option<Vectors>) {
        match vectors {
            Some(vectors) => vectors.run(self),
            None => self.call(),
        }
    }
}

impl<A: Arithmetic> NullaryFnOnce for Pair<'_, A> {
    type Output = ();

    // Within a function that has vectors, or there are none.
    #[inline(always)]
    fn call(self) {
        let pairs = self.above.iter().zip(self.below);
        for ((above, below), level) in pairs.zip(self.line) {
            *level = A::down(*above, *below, self.weights);
        }
    }
}
