use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How far out of distribution an image is: the higher, the stranger. Never NaN or infinite.
///
/// A single detector's score has that detector's own unit and range; the score of a fitted
/// [`OodModel`](crate::OodModel) lies in `0..=1`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OodScore(f64);

impl OodScore {
    /// Takes a number as a score; `None` for NaN and infinities.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl Eq for OodScore {}

impl Ord for OodScore {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for OodScore {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for OodScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_are_scores() {
        assert_eq!(OodScore::new(0.5).map(OodScore::value), Some(0.5));
        assert_eq!(OodScore::new(f64::NAN), None);
        assert_eq!(OodScore::new(f64::INFINITY), None);
    }
}
