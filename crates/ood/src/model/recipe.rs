//! Which detectors each kind of model is made of.

use super::{FitOptions, ModelKind};
use crate::{ClassStatistic, DetectorSpec, Neighbour, Weight};

impl ModelKind {
    /// The detectors of the kind; those that the activations do not allow are left out later.
    pub(crate) fn detectors(self, options: &FitOptions) -> Vec<DetectorSpec> {
        match self {
            Self::Default => default(),
            Self::Geti => geti(options),
            Self::Supervised => {
                let mut all = default();
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

/// Chosen on development data (`benchmarks/ood`), never on the sets that it is judged on: any
/// one part can be dropped or doubled for 0.2 points of AUROC, so those that the activations do
/// not allow are missed little.
fn default() -> Vec<DetectorSpec> {
    vec![
        DetectorSpec::Gaussian { normalise: false },
        DetectorSpec::Gaussian { normalise: true },
        DetectorSpec::ClassFre {
            statistic: ClassStatistic::Minimum,
            variance: 0.995,
            most_axes: Some(32),
            normalise: true,
        },
        DetectorSpec::Knn {
            which: Neighbour::First,
            squared: false,
            k: 1,
            normalise: true,
        },
        DetectorSpec::RelativeMahalanobis { shrink: true },
        DetectorSpec::Neco { variance: 0.9 },
    ]
}

/// How many neighbours the most demanding detector of the kind asks for.
pub(super) fn neighbours(options: &FitOptions) -> usize {
    let specs = options.kind.detectors(options);
    let most = specs.iter().map(DetectorSpec::neighbours).max();
    most.unwrap_or(0)
}

/// Whether every bank of the kind holds unit vectors and nothing else.
pub(super) fn only_unit_banks(options: &FitOptions) -> bool {
    let plain = |spec: &DetectorSpec| match spec {
        DetectorSpec::Knn { normalise, .. }
        | DetectorSpec::NeighbourEntropy { normalise, .. }
        | DetectorSpec::EnWeDi { normalise, .. } => !normalise,
        DetectorSpec::NnGuide { .. } => true,
        _ => false,
    };
    !options.kind.detectors(options).iter().any(plain)
}

/// How many votes a detector has in the default combination.
pub(super) fn weight(spec: &DetectorSpec) -> f64 {
    if *spec == (DetectorSpec::Gaussian { normalise: false }) {
        2.0
    } else {
        1.0
    }
}

/// The sub-scores of the Geti SDK's COOD: all of its features are L2-normalised, `k = 10`.
fn geti(options: &FitOptions) -> Vec<DetectorSpec> {
    let (k, variance, normalise) = (options.neighbours, options.variance, true);
    let knn = |which| DetectorSpec::Knn {
        which,
        squared: true,
        k,
        normalise,
    };
    let fre = |statistic| DetectorSpec::ClassFre {
        statistic,
        variance,
        most_axes: None,
        normalise,
    };
    let mut all = vec![
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
        DetectorSpec::Msp,
    ];
    if options.reconstruction {
        let global = DetectorSpec::Fre {
            variance,
            normalise,
        };
        let place = all.len() - 1;
        let of_classes = [
            ClassStatistic::Minimum,
            ClassStatistic::Predicted,
            ClassStatistic::Difference,
        ];
        let errors = of_classes.map(fre).into_iter().chain([global]);
        all.splice(place..place, errors);
    }
    all
}
