//! From which score on an image is called an outlier.
//!
//! Users do not ask for a score; they ask that at most 1 % of the normal images are collected.
//! [`ThresholdRule::MaxFalseCollection`] keeps such a promise (see [`promise`]); the other rules
//! are for users who have real outliers or their own number.

mod promise;
mod rule;

pub use promise::{Promise, PromiseError, images_needed, rate_possible};
pub use rule::{Shortfall, Threshold, ThresholdRule};
