use serde::{Deserialize, Serialize};

use super::class_fre::ClassFre;
use super::entropy::Entropy;
use super::enwedi::EnWeDi;
use super::fre::Fre;
use super::knn::Knn;
use super::msp::Msp;
use super::neighbour_entropy::NeighbourEntropy;
use super::{ClassStatistic, FitContext, LeftOut, Neighbour, OodDetector, Reason, Weight};
use crate::state::{StateError, StateReader};

/// Which detector, with which settings.
///
/// A model holds at most one detector of each [`DetectorSpec::name`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "detector", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DetectorSpec {
    /// One minus the maximum softmax probability.
    Msp,
    /// Entropy of the class probabilities.
    Entropy,
    /// Squared distance to the nearest fitted images.
    Knn {
        /// Which of the `k` nearest counts.
        which: Neighbour,
        /// How many neighbours.
        k: usize,
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
    /// Entropy of the neighbours' labels.
    NeighbourEntropy {
        /// How many neighbours.
        k: usize,
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
    /// Distance to the neighbours times the entropy of their labels.
    EnWeDi {
        /// Which distance is weighted.
        weight: Weight,
        /// How many neighbours.
        k: usize,
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
    /// Feature reconstruction error over all fitted images.
    Fre {
        /// Part of the variance that the kept axes explain, `0..=1`.
        variance: f64,
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
    /// Feature reconstruction error of single classes.
    ClassFre {
        /// Which class's error counts.
        statistic: ClassStatistic,
        /// Part of the variance that the kept axes of each class explain, `0..=1`.
        variance: f64,
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
}

impl DetectorSpec {
    /// The detector's name in reports and files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Msp => Msp::NAME,
            Self::Entropy => Entropy::NAME,
            Self::Knn { which, .. } => which.name(),
            Self::NeighbourEntropy { .. } => NeighbourEntropy::NAME,
            Self::EnWeDi { weight, .. } => weight.name(),
            Self::Fre { .. } => Fre::NAME,
            Self::ClassFre { statistic, .. } => statistic.name(),
        }
    }

    /// Names the detector with the reason why it is not part of a model.
    pub(crate) fn left_out(&self, reason: Reason) -> LeftOut {
        LeftOut {
            detector: self.name().to_owned(),
            reason,
        }
    }

    /// How many neighbours it asks for, 0 when none.
    pub(crate) fn neighbours(&self) -> usize {
        match self {
            Self::Knn { k, .. } | Self::NeighbourEntropy { k, .. } | Self::EnWeDi { k, .. } => *k,
            _ => 0,
        }
    }

    /// Whether all it learns is the bank, so that leaving out one image is leaving out its row.
    pub(crate) fn only_needs_bank(&self) -> bool {
        self.neighbours() > 0
    }

    /// Whether it learns nothing from the images it is fitted on.
    pub(crate) fn learns_nothing(&self) -> bool {
        matches!(self, Self::Msp | Self::Entropy)
    }

    /// Fits the detector, or says why it cannot be.
    pub(crate) fn fit(&self, context: &FitContext<'_>) -> Result<Box<dyn OodDetector>, Reason> {
        Ok(match *self {
            Self::Msp => Box::new(Msp::fit(context)?),
            Self::Entropy => Box::new(Entropy::fit(context)?),
            Self::Knn {
                which,
                k,
                normalise,
            } => Box::new(Knn::fit(context, which, k, normalise)?),
            Self::NeighbourEntropy { k, normalise } => {
                Box::new(NeighbourEntropy::fit(context, k, normalise)?)
            }
            Self::EnWeDi {
                weight,
                k,
                normalise,
            } => Box::new(EnWeDi::fit(context, weight, k, normalise)?),
            Self::Fre {
                variance,
                normalise,
            } => Box::new(Fre::fit(context, variance, normalise)?),
            Self::ClassFre {
                statistic,
                variance,
                normalise,
            } => Box::new(ClassFre::fit(context, statistic, variance, normalise)?),
        })
    }

    /// Reads a fitted detector back.
    pub(crate) fn load(&self, from: &StateReader) -> Result<Box<dyn OodDetector>, StateError> {
        Ok(match *self {
            Self::Msp => Box::new(Msp::load(from)?),
            Self::Entropy => Box::new(Entropy::load(from)?),
            Self::Knn {
                which,
                k,
                normalise,
            } => Box::new(Knn::load(from, which, k, normalise)?),
            Self::NeighbourEntropy { k, normalise } => {
                Box::new(NeighbourEntropy::load(from, k, normalise)?)
            }
            Self::EnWeDi {
                weight,
                k,
                normalise,
            } => Box::new(EnWeDi::load(from, weight, k, normalise)?),
            Self::Fre { normalise, .. } => Box::new(Fre::load(from, normalise)?),
            Self::ClassFre {
                statistic,
                normalise,
                ..
            } => Box::new(ClassFre::load(from, statistic, normalise)?),
        })
    }
}
