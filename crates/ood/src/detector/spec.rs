use serde::{Deserialize, Serialize};

use super::ash::Ash;
use super::class_fre::ClassFre;
use super::dice::Dice;
use super::energy::Energy;
use super::entropy::Entropy;
use super::enwedi::EnWeDi;
use super::fdbd::Fdbd;
use super::fre::Fre;
use super::gaussian::Gaussian;
use super::generalised_entropy::Gen;
use super::grad_norm::GradNorm;
use super::kl_matching::KlMatching;
use super::knn::{Knn, KnnDistance};
use super::mahalanobis::Mahalanobis;
use super::max_logit::MaxLogit;
use super::msp::Msp;
use super::neco::Neco;
use super::neighbour_entropy::NeighbourEntropy;
use super::nnguide::NnGuide;
use super::react::React;
use super::relative_mahalanobis::RelativeMahalanobis;
use super::residual::Residual;
use super::scale::Scale;
use super::she::She;
use super::vim::Vim;
use super::{ClassStatistic, FitContext, LeftOut, Neighbour, OodDetector, Pruning, Reason, Weight};
use crate::linalg::Keep;
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
    /// Generalised entropy of the class probabilities.
    Gen {
        /// Exponent, `0..1`; the paper takes 0.1.
        gamma: f64,
        /// How many of the largest probabilities count; all when `None`.
        top: Option<usize>,
    },
    /// Divergence from the mean probabilities of the nearest predicted class.
    KlMatching,
    /// Free energy of the logits.
    Energy {
        /// Temperature, above 0; the paper takes 1.
        temperature: f64,
    },
    /// Minus the largest logit.
    MaxLogit,
    /// Distance to the nearest fitted images.
    Knn {
        /// Which of the `k` nearest counts.
        which: Neighbour,
        /// Whether the distance is squared.
        squared: bool,
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
    /// Smallest distance to a low-rank Gaussian of each class.
    Gaussian {
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
    /// Mahalanobis distance to the nearest class mean.
    Mahalanobis {
        /// Whether the covariance is shrunk (Ledoit and Wolf); else its pseudo-inverse is taken.
        shrink: bool,
        /// Whether features are scaled to length 1 first.
        normalise: bool,
    },
    /// Mahalanobis distance to the nearest class minus that to all images.
    RelativeMahalanobis {
        /// Whether the covariance is shrunk (Ledoit and Wolf); else its pseudo-inverse is taken.
        shrink: bool,
    },
    /// Virtual-logit matching.
    Vim {
        /// Dimension of the principal space; the paper's, bounded for few images, when `None`.
        dimension: Option<usize>,
    },
    /// Length of what `ViM`'s principal space leaves.
    Residual {
        /// Dimension of the principal space; the paper's, bounded for few images, when `None`.
        dimension: Option<usize>,
    },
    /// Part of the standardised features in the principal space, times the largest logit.
    Neco {
        /// Part of the variance of the standardised features that the kept axes explain, `0..=1`.
        variance: f64,
    },
    /// Distance to the decision boundaries.
    Fdbd,
    /// Similarity to the pattern of the predicted class.
    She,
    /// Energy guided by the similarity to the nearest fitted images.
    NnGuide {
        /// How many neighbours.
        k: usize,
    },
    /// Energy of features cut off at a percentile (opt-in).
    React {
        /// Percentile of all fitted activations, `0..=100`; the paper takes 90.
        percentile: f64,
    },
    /// Energy of features of which the smallest are removed (opt-in).
    Ash {
        /// What becomes of the others.
        pruning: Pruning,
        /// Percentage of the dimensions that is removed, `0..=100`.
        percentile: f64,
    },
    /// Energy of features scaled by how much of them the largest hold (opt-in).
    Scale {
        /// Percentage of the dimensions that do not count as the largest, `0..=100`.
        percentile: f64,
    },
    /// Energy of the logits that the strongest weights give (opt-in).
    Dice {
        /// Percentage of the weights that is removed, `0..=100`.
        percentile: f64,
    },
    /// Norm of the last layer's gradient (opt-in).
    GradNorm,
    /// Feature reconstruction error of single classes.
    ClassFre {
        /// Which class's error counts.
        statistic: ClassStatistic,
        /// Part of the variance that the kept axes of each class explain, `0..=1`.
        variance: f64,
        /// At most this many axes a class, however much they explain.
        most_axes: Option<usize>,
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
            Self::Gen { .. } => Gen::NAME,
            Self::Gaussian { normalise } => Gaussian::name(*normalise),
            Self::KlMatching => KlMatching::NAME,
            Self::Energy { .. } => Energy::NAME,
            Self::MaxLogit => MaxLogit::NAME,
            Self::Mahalanobis { .. } => Mahalanobis::NAME,
            Self::RelativeMahalanobis { .. } => RelativeMahalanobis::NAME,
            Self::Vim { .. } => Vim::NAME,
            Self::Residual { .. } => Residual::NAME,
            Self::Neco { .. } => Neco::NAME,
            Self::Fdbd => Fdbd::NAME,
            Self::She => She::NAME,
            Self::NnGuide { .. } => NnGuide::NAME,
            Self::React { .. } => React::NAME,
            Self::Ash { pruning, .. } => pruning.name(),
            Self::Scale { .. } => Scale::NAME,
            Self::Dice { .. } => Dice::NAME,
            Self::GradNorm => GradNorm::NAME,
        }
    }

    /// Names the detector with the reason why it is not part of a model.
    pub(crate) fn left_out(&self, reason: Reason) -> LeftOut {
        LeftOut {
            detector: self.name().to_owned(),
            reason,
        }
    }

    /// A number for each piece of work that several detectors share when they are fitted.
    pub(crate) fn shared_work(&self) -> u8 {
        match self {
            Self::Knn { normalise, .. }
            | Self::NeighbourEntropy { normalise, .. }
            | Self::EnWeDi { normalise, .. } => u8::from(*normalise),
            Self::Gaussian { normalise } | Self::Mahalanobis { normalise, .. } => {
                2 + u8::from(*normalise)
            }
            Self::RelativeMahalanobis { .. } => 2,
            Self::ClassFre { .. } => 4,
            Self::Fre { .. } => 5,
            Self::Neco { .. } => 6,
            Self::Vim { .. } | Self::Residual { .. } => 7,
            _ => 8,
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
        matches!(
            self,
            Self::Msp
                | Self::Entropy
                | Self::Gen { .. }
                | Self::Energy { .. }
                | Self::MaxLogit
                | Self::Ash { .. }
                | Self::Scale { .. }
                | Self::GradNorm
        )
    }

    /// Fits the detector, or says why it cannot be.
    pub(crate) fn fit(&self, context: &FitContext<'_>) -> Result<Box<dyn OodDetector>, Reason> {
        Ok(match *self {
            Self::Msp => Box::new(Msp::fit(context)?),
            Self::Entropy => Box::new(Entropy::fit(context)?),
            Self::Gen { gamma, top } => Box::new(Gen::fit(context, gamma, top)?),
            Self::Gaussian { normalise } => Box::new(Gaussian::fit(context, normalise)?),
            Self::KlMatching => Box::new(KlMatching::fit(context)?),
            Self::Energy { temperature } => Box::new(Energy::fit(context, temperature)?),
            Self::MaxLogit => Box::new(MaxLogit::fit(context)?),
            Self::Mahalanobis { shrink, normalise } => {
                Box::new(Mahalanobis::fit(context, shrink, normalise)?)
            }
            Self::RelativeMahalanobis { shrink } => {
                Box::new(RelativeMahalanobis::fit(context, shrink)?)
            }
            Self::Vim { dimension } => Box::new(Vim::fit(context, dimension)?),
            Self::Residual { dimension } => Box::new(Residual::fit(context, dimension)?),
            Self::Neco { variance } => Box::new(Neco::fit(context, variance)?),
            Self::Fdbd => Box::new(Fdbd::fit(context)?),
            Self::She => Box::new(She::fit(context)?),
            Self::NnGuide { k } => Box::new(NnGuide::fit(context, k)?),
            Self::React { percentile } => Box::new(React::fit(context, percentile)?),
            Self::Ash {
                pruning,
                percentile,
            } => Box::new(Ash::fit(context, pruning, percentile)?),
            Self::Scale { percentile } => Box::new(Scale::fit(context, percentile)?),
            Self::Dice { percentile } => Box::new(Dice::fit(context, percentile)?),
            Self::GradNorm => Box::new(GradNorm::fit(context)?),
            Self::Knn {
                which,
                squared,
                k,
                normalise,
            } => Box::new(Knn::fit(
                context,
                KnnDistance { which, squared, k },
                normalise,
            )?),
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
                most_axes,
                normalise,
            } => {
                let keep = most_axes.map_or(Keep::Variance(variance), |most| {
                    Keep::AtMost(variance, most)
                });
                Box::new(ClassFre::fit(context, statistic, keep, normalise)?)
            }
        })
    }

    /// Reads a fitted detector back.
    pub(crate) fn load(&self, from: &StateReader) -> Result<Box<dyn OodDetector>, StateError> {
        Ok(match *self {
            Self::Msp => Box::new(Msp::load(from)?),
            Self::Entropy => Box::new(Entropy::load(from)?),
            Self::Gen { gamma, top } => Box::new(Gen::load(from, gamma, top)?),
            Self::Gaussian { normalise } => Box::new(Gaussian::load(from, normalise)?),
            Self::KlMatching => Box::new(KlMatching::load(from)?),
            Self::Energy { temperature } => Box::new(Energy::load(from, temperature)?),
            Self::MaxLogit => Box::new(MaxLogit::load(from)?),
            Self::Mahalanobis { normalise, .. } => Box::new(Mahalanobis::load(from, normalise)?),
            Self::RelativeMahalanobis { .. } => Box::new(RelativeMahalanobis::load(from)?),
            Self::Vim { .. } => Box::new(Vim::load(from)?),
            Self::Residual { .. } => Box::new(Residual::load(from)?),
            Self::Neco { .. } => Box::new(Neco::load(from)?),
            Self::Fdbd => Box::new(Fdbd::load(from)?),
            Self::She => Box::new(She::load(from)?),
            Self::NnGuide { k } => Box::new(NnGuide::load(from, k)?),
            Self::React { .. } => Box::new(React::load(from)?),
            Self::Ash {
                pruning,
                percentile,
            } => Box::new(Ash::load(from, pruning, percentile)?),
            Self::Scale { percentile } => Box::new(Scale::load(from, percentile)?),
            Self::Dice { .. } => Box::new(Dice::load(from)?),
            Self::GradNorm => Box::new(GradNorm::load(from)?),
            Self::Knn {
                which,
                squared,
                k,
                normalise,
            } => Box::new(Knn::load(
                from,
                KnnDistance { which, squared, k },
                normalise,
            )?),
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
