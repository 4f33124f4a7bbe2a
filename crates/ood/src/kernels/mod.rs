//! Numeric kernels and the memory map: the only `unsafe` code of this crate.
//!
//! Each kernel is written once, in safe Rust over fixed-size blocks that the compiler turns into
//! vector code, and compiled for several instruction sets. [`level`] asks the processor once
//! which of them it has. The `unsafe` is of three kinds only:
//!
//! - calling a function that was compiled for an instruction set: sound because [`level`] has
//!   found that set on this processor;
//! - mapping a file into memory: sound as long as nobody shortens the file meanwhile, see
//!   [`MappedFile`];
//! - declaring a function of the C library, see [`give_back_memory`].
//!
//! Sums are taken in blocks of 64 lanes in single precision: the relative error of a sum of
//! `D` products is about `D / 64` units in the last place, 1e-6 for 1280 dimensions.

#![allow(unsafe_code)]

mod map;
mod memory;
mod vector;

pub(crate) use map::MappedFile;
pub(crate) use memory::give_back_memory;
pub(crate) use vector::{
    dot, dot_rounded, dot_wide, mat_vec, mat_vec_pair, squared_distance, squared_distances,
    subtract_rows, subtract_rows_pair,
};

use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// What every processor of the target has.
    Portable,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The best instruction set of this processor.
fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(detect)
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Level {
    if is_x86_feature_detected!("avx512f") {
        Level::Avx512
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        Level::Avx2
    } else {
        Level::Portable
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Level {
    Level::Portable
}

/// Defines a function that calls `body::<FMA>` compiled for the best instruction set.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident = $body:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?) => {
        $(#[$doc])*
        pub(crate) fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    $body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx2,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    $body::<true>($($arg),*)
                }
                match $crate::kernels::level() {
                    // SAFETY: `level` found AVX-512 F on this processor.
                    $crate::kernels::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: `level` found AVX2 and FMA on this processor.
                    $crate::kernels::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernels::Level::Portable => {}
                }
            }
            $body::<false>($($arg),*)
        }
    };
}
pub(crate) use kernel;
