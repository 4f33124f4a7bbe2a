//! From the scores of several detectors to one score in `0..=1`.

mod fusion;
mod robust;

use crate::forest::Forest;
use crate::state::{StateError, StateReader, StateWriter};

pub(crate) use fusion::Fusion;
pub(crate) use robust::Robust;

/// A fitted combination of detectors.
#[derive(Debug)]
pub(crate) enum Combination {
    /// Mean of standardised scores; learns from in-distribution images alone.
    Fusion(Fusion),
    /// Random forest over the plain scores; learns from outliers as well.
    Forest(Forest),
}

impl Combination {
    const FUSION: &'static str = "fusion";
    const FOREST: &'static str = "forest";

    /// One score in `0..=1` of the detectors' scores, in the order they were fitted in.
    pub(crate) fn score(&self, scores: &[f64]) -> f64 {
        match self {
            Self::Fusion(fusion) => fusion.score(scores),
            Self::Forest(forest) => forest.probability(scores),
        }
    }

    /// Name of the section that the combination is kept in.
    pub(crate) fn section(&self) -> &'static str {
        match self {
            Self::Fusion(_) => Self::FUSION,
            Self::Forest(_) => Self::FOREST,
        }
    }

    pub(crate) fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(self.section());
        match self {
            Self::Fusion(fusion) => fusion.save(&mut section),
            Self::Forest(forest) => forest.save(&mut section),
        }
    }

    /// Reads the combination `section` of `detectors` detectors; `None` for an unknown section.
    pub(crate) fn load(
        from: &StateReader,
        section: &str,
        detectors: usize,
    ) -> Result<Option<Self>, StateError> {
        let reader = from.section(section);
        Ok(match section {
            Self::FUSION => Some(Self::Fusion(Fusion::load(&reader, detectors)?)),
            Self::FOREST => Some(Self::Forest(Forest::load(&reader, detectors)?)),
            _ => None,
        })
    }
}
