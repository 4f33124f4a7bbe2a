//! How well scores tell outliers from in-distribution images.
//!
//! Convention everywhere: an outlier is the positive class, and an image is called an outlier
//! when its score is **at least** the threshold. Equal scores are never told apart.

mod curve;
mod summary;

pub use curve::{RocCurve, RocPoint};
pub use summary::{Metrics, Operating};
