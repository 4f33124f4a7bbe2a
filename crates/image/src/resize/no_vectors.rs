//! In the place of `vectors.rs` on other processors than x86-64: the compiler has vectors there
//! without being asked, or there are none.

use std::convert::Infallible;

use pulp::NullaryFnOnce;

use super::two_tap::Adjacent;

/// There is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vectors(Infallible);

impl Vectors {
    pub(super) fn new() -> Option<Self> {
        None
    }

    pub(super) fn run<F: NullaryFnOnce>(self, _run: F) -> F::Output {
        match self.0 {}
    }

    pub(super) fn fixed(self, _row: &[u8], _taps: &[Adjacent<i16>], _samples: &mut [i16]) {
        match self.0 {}
    }

    pub(super) fn float(self, _row: &[u8], _taps: &[Adjacent<f32>], _samples: &mut [f32]) {
        match self.0 {}
    }
}
