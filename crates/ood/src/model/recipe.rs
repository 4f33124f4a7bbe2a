//! Which detectors each kind of model is made of.

use super::{FitOptions, ModelKind};
use crate::{ClassStatistic, DetectorSpec, Neighbour, Weight};

/// Robust deviations beyond this count no more in the default combination.
pub(super) const CLIP: f64 = 5.0;

impl ModelKind {
    /// The detectors of the kind; those that the activations do not allow are left out later.
    pub(crate) fn detectors(self, options: &FitOptions) -> Vec<DetectorSpec> {
        match self {
            Self::Default => default(options),
            Self::Geti => geti(options),
            Self::Supervised => {
                let mut all = default(options);
                let known: Vec<&str> = all.iter().map(DetectorSpec::name).collect();
                let others = geti(options)
                    .into_iter()
                    .filter(|spec| !known.contains(&spec.name()));
                let others: Vec<DetectorSpec> = others.collect();
                all.extend(others);
                all
            }
        }
    }
}

fn default(options: &FitOptions) -> Vec<DetectorSpec> {
    let k = options.neighbours;
    vec![
        DetectorSpec::Knn {
            which: Neighbour::Kth,
            k,
            normalise: true,
        },
        DetectorSpec::ClassFre {
            statistic: ClassStatistic::Minimum,
            variance: options.variance,
            normalise: true,
        },
        DetectorSpec::Entropy,
    ]
}

/// The sub-scores of the Geti SDK's COOD: all of its features are L2-normalised, `k = 10`.
fn geti(options: &FitOptions) -> Vec<DetectorSpec> {
    let (k, variance, normalise) = (options.neighbours, options.variance, true);
    let knn = |which| DetectorSpec::Knn {
        which,
        k,
        normalise,
    };
    let fre = |statistic| DetectorSpec::ClassFre {
        statistic,
        variance,
        normalise,
    };
    vec![
        knn(Neighbour::Kth),
        knn(Neighbour::First),
        knn(Neighbour::Mean),
        DetectorSpec::NeighbourEntropy { k, normalise },
        DetectorSpec::EnWeDi {
            weight: Weight::Mean,
            k,
            normalise,
        },
        DetectorSpec::EnWeDi {
            weight: Weight::First,
            k,
            normalise,
        },
        fre(ClassStatistic::Minimum),
        fre(ClassStatistic::Predicted),
        fre(ClassStatistic::Difference),
        DetectorSpec::Fre {
            variance,
            normalise,
        },
        DetectorSpec::Msp,
    ]
}
