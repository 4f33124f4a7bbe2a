//! The loops over a row with the vectors of AVX2; the numbers are those of the plain loops.

use pulp::NullaryFnOnce;
use pulp::x86::V3;

use super::two_tap::Adjacent;

/// That the processor has AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vectors(V3);

impl Vectors {
    /// `None` when the processor has no AVX2.
    pub(super) fn new() -> Option<Self> {
        V3::try_new().map(Self)
    }

    /// Runs a loop that the compiler makes vectors of.
    #[inline]
    pub(super) fn run<F: NullaryFnOnce>(self, run: F) -> F::Output {
        self.0.vectorize(run)
    }

    /// For each tap and channel `(left * w0 + right * w1) >> 4`.
    pub(super) fn fixed(self, row: &[u8], taps: &[Adjacent<i16>], samples: &mut [i16]) {
        self.run(FixedRow(self.0, row, taps, samples));
    }

    /// For each tap and channel `left * w0 + right * w1`.
    pub(super) fn float(self, row: &[u8], taps: &[Adjacent<f32>], samples: &mut [f32]) {
        self.run(FloatRow(self.0, row, taps, samples));
    }
}

struct FixedRow<'a>(V3, &'a [u8], &'a [Adjacent<i16>], &'a mut [i16]);

impl NullaryFnOnce for FixedRow<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(V3 { sse2, ssse3, .. }, row, taps, samples) = self;
        // The channels of both pixels in turn, each with 16 bits: r0 r1 g0 g1 b0 b1.
        let order = sse2._mm_set_epi8(-1, -1, -1, -1, -1, 5, -1, 2, -1, 4, -1, 1, -1, 3, -1, 0);
        for (index, tap) in taps.iter().enumerate() {
            let pixels = sse2._mm_set_epi64x(0, eight_bytes(row, tap.start));
            let pairs = ssse3._mm_shuffle_epi8(pixels, order);
            let [w0, w1] = tap.weights.map(|weight| i32::from(weight as u16));
            let sums = sse2._mm_madd_epi16(pairs, sse2._mm_set1_epi32(w0 | w1 << 16));
            let sums = sse2._mm_srai_epi32::<4>(sums);
            let eight: [i16; 8] = pulp::cast(sse2._mm_packs_epi32(sums, sums));
            samples[index * 3..][..4].copy_from_slice(&eight[..4]);
        }
    }
}

struct FloatRow<'a>(V3, &'a [u8], &'a [Adjacent<f32>], &'a mut [f32]);

impl NullaryFnOnce for FloatRow<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(
            V3 {
                sse, sse2, ssse3, ..
            },
            row,
            taps,
            samples,
        ) = self;
        let left = sse2._mm_set_epi8(-1, -1, -1, -1, -1, -1, -1, 2, -1, -1, -1, 1, -1, -1, -1, 0);
        let right = sse2._mm_set_epi8(-1, -1, -1, -1, -1, -1, -1, 5, -1, -1, -1, 4, -1, -1, -1, 3);
        for (index, tap) in taps.iter().enumerate() {
            let pixels = sse2._mm_set_epi64x(0, eight_bytes(row, tap.start));
            let [left, right] = [left, right]
                .map(|order| sse2._mm_cvtepi32_ps(ssse3._mm_shuffle_epi8(pixels, order)));
            let [w0, w1] = tap.weights.map(|weight| sse._mm_set1_ps(weight));
            let sums = sse._mm_add_ps(sse._mm_mul_ps(left, w0), sse._mm_mul_ps(right, w1));
            let four: [f32; 4] = pulp::cast(sums);
            samples[index * 3..][..4].copy_from_slice(&four);
        }
    }
}

#[inline(always)]
fn eight_bytes(row: &[u8], start: usize) -> i64 {
    i64::from_le_bytes(row[start..][..8].try_into().unwrap_or_default())
}
