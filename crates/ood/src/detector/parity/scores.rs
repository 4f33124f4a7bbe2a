//! Detectors of class scores and of neighbours.

use super::super::{Neighbour, Weight};
use super::{case, cases, check, validated};
use crate::DetectorSpec;

#[test]
fn scores_of_class_probabilities_and_logits() {
    let (same, minus) = (|x: f64| x, |x: f64| -x);
    for golden in cases() {
        let (classes, top) = (golden.head.classes() as f64, golden.top);
        let mean = move |x: f64| x / classes;
        let energy = |temperature| DetectorSpec::Energy { temperature };
        let part = |top| DetectorSpec::Gen { gamma: 0.1, top };
        check(
            &golden,
            &[
                case("oo_msp", DetectorSpec::Msp, &|x| 1.0 - x),
                case("cood_max_softmax_probability", DetectorSpec::Msp, &|x| {
                    1.0 - x
                }),
                case("po_msp", DetectorSpec::Msp, &|x| x - 1.0),
                case("po_entropy", DetectorSpec::Entropy, &same),
                case("odl_entropy", DetectorSpec::Entropy, &same),
                case("po_gen_g0.1", part(None), &mean),
                case(&format!("oo_gen_g0.1_M{top}"), part(Some(top)), &minus),
                case("po_energy", energy(1.0), &same),
                case("po_energy_t2", energy(2.0), &same),
                case("oo_energy", energy(1.0), &minus),
                case("po_maxlogit", DetectorSpec::MaxLogit, &same),
                case("oo_maxlogit", DetectorSpec::MaxLogit, &minus),
                validated("oo_klm", DetectorSpec::KlMatching, &minus),
                case("po_gradnorm", DetectorSpec::GradNorm, &same),
                case("oo_gradnorm", DetectorSpec::GradNorm, &move |x| {
                    -x * classes
                }),
            ],
        );
    }
}

#[test]
fn scores_of_neighbours() {
    let same = |x: f64| x;
    for golden in cases() {
        let k = golden.k;
        let knn = |which, squared, normalise, k| DetectorSpec::Knn {
            which,
            squared,
            k,
            normalise,
        };
        check(
            &golden,
            &[
                case(
                    &format!("po_knn_k{k}"),
                    knn(Neighbour::Kth, false, true, k),
                    &same,
                ),
                case(
                    &format!("oo_knn_k{k}"),
                    knn(Neighbour::Kth, true, true, k),
                    &|x| -x,
                ),
                case(
                    &format!("odl_dknn_k{k}"),
                    knn(Neighbour::Kth, true, true, k),
                    &same,
                ),
                case(
                    "cood_knn_distance",
                    knn(Neighbour::Kth, true, false, 10),
                    &same,
                ),
                case(
                    "cood_entropy_score",
                    DetectorSpec::NeighbourEntropy {
                        k: 10,
                        normalise: false,
                    },
                    &same,
                ),
                case(
                    &format!("oo_nnguide_k{k}"),
                    DetectorSpec::NnGuide { k },
                    &|x| -x,
                ),
            ],
        );
    }
}

/// The Geti SDK drops the nearest neighbour of every query, as if each were in the bank.
#[test]
fn entropy_weighted_distances_differ_from_geti_only_in_the_dropped_neighbour() {
    for golden in cases() {
        let (k, normalise) = (10, false);
        let knn = |which, k| DetectorSpec::Knn {
            which,
            squared: true,
            k,
            normalise,
        };
        let first = golden.scores(&knn(Neighbour::First, k), &golden.train);
        let mean = golden.scores(&knn(Neighbour::Mean, k), &golden.train);
        let entropy = DetectorSpec::NeighbourEntropy { k, normalise };
        let entropy = golden.scores(&entropy, &golden.train);
        let without_first: Vec<f64> = mean
            .iter()
            .zip(&first)
            .map(|(mean, first)| (10.0 * mean - first) / 9.0)
            .collect();
        let weighted = |values: &[f64]| -> Vec<f64> {
            values
                .iter()
                .zip(&entropy)
                .map(|(value, entropy)| value * entropy)
                .collect()
        };
        assert!(golden.difference("cood_average_nn_distance", &without_first) < 1e-4);
        assert!(golden.difference("cood_enwedi_score", &weighted(&without_first)) < 1e-4);
        let second = golden.scores(&knn(Neighbour::Kth, 2), &golden.train);
        assert!(golden.difference("cood_nn_distance", &second) < 1e-4);
        assert!(golden.difference("cood_enwedi_nn_score", &weighted(&second)) < 1e-4);
        let enwedi = DetectorSpec::EnWeDi {
            weight: Weight::Mean,
            k,
            normalise,
        };
        let ours = golden.scores(&enwedi, &golden.train);
        for (ours, expected) in ours.iter().zip(weighted(&mean)) {
            assert!(
                (ours - expected).abs() <= 1e-9 * expected,
                "{ours} {expected}"
            );
        }
    }
}
