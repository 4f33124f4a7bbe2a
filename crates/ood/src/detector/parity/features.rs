//! Detectors of covariances, reconstruction and the head.

use super::super::{ClassStatistic, Pruning};
use super::{Case, Golden, case, cases, check, validated};
use crate::DetectorSpec;

#[test]
fn scores_of_covariances() {
    for golden in cases() {
        let mahalanobis = || DetectorSpec::Mahalanobis {
            shrink: false,
            normalise: false,
        };
        let relative = || DetectorSpec::RelativeMahalanobis { shrink: false };
        check(
            &golden,
            &[
                case("oo_mds", mahalanobis(), &|x| -x),
                case("odl_mahalanobis", mahalanobis(), &|x| x / 2.0),
                case("oo_rmds", relative(), &|x| -x),
            ],
        );
    }
}

#[test]
fn scores_of_reconstruction() {
    let same = |x: f64| x;
    let fre = |statistic| DetectorSpec::ClassFre {
        statistic,
        variance: 0.9,
        most_axes: None,
        normalise: false,
    };
    for golden in cases() {
        let dimension = Some(golden.dimension);
        let (vim, residual) = (
            DetectorSpec::Vim { dimension },
            DetectorSpec::Residual { dimension },
        );
        check(
            &golden,
            &[
                case(
                    "cood_global_fre_score",
                    DetectorSpec::Fre {
                        variance: 0.9,
                        normalise: false,
                    },
                    &same,
                ),
                case(
                    "cood_min_class_fre_score",
                    fre(ClassStatistic::Minimum),
                    &same,
                ),
                case(
                    "cood_predicted_class_fre_score",
                    fre(ClassStatistic::Predicted),
                    &same,
                ),
                case(
                    "cood_diff_min_and_predicted_class_fre",
                    fre(ClassStatistic::Difference),
                    &same,
                ),
                vim_case(&golden, vim),
            ],
        );
        if golden.name != "rankdef" {
            let key = format!("oo_residual_d{}_valfit", golden.dimension);
            check(&golden, &[validated(&key, residual, &|x| -x)]);
        }
    }
}

/// OpenOOD keeps singular values of the head that torch (and we) take for zero: the two peers
/// differ where the head has rank C - 1.
fn vim_case(golden: &Golden, spec: DetectorSpec) -> Case<'static> {
    let d = golden.dimension;
    if golden.name == "rankdef" {
        case(&format!("po_vim_d{d}"), spec, &|x| x)
    } else {
        case(&format!("oo_vim_d{d}"), spec, &|x| -x)
    }
}

#[test]
fn scores_of_the_head() {
    let (same, minus) = (|x: f64| x, |x: f64| -x);
    for golden in cases() {
        let ash = |pruning, percentile| DetectorSpec::Ash {
            pruning,
            percentile,
        };
        let react = |percentile| DetectorSpec::React { percentile };
        check(
            &golden,
            &[
                case("oo_fdbd_dist", DetectorSpec::Fdbd, &minus),
                case("po_she", DetectorSpec::She, &same),
                case("oo_she", DetectorSpec::She, &minus),
                case("po_react_p0.9_trainfit", react(90.0), &same),
                validated("oo_react_p90_valfit", react(90.0), &minus),
                case("po_ash_p_p0.65", ash(Pruning::Keep, 65.0), &same),
                case("po_ash_b_p0.65", ash(Pruning::Binary, 65.0), &same),
                case("po_ash_s_p0.65", ash(Pruning::Scale, 65.0), &same),
                case("po_ash_s_p0.9", ash(Pruning::Scale, 90.0), &same),
                case("oo_ash_b_p90", ash(Pruning::Binary, 90.0), &minus),
                case(
                    "po_scale_p0.85",
                    DetectorSpec::Scale { percentile: 85.0 },
                    &same,
                ),
                case(
                    "oo_scale_p85",
                    DetectorSpec::Scale { percentile: 85.0 },
                    &minus,
                ),
                case(
                    "oo_dice_p90",
                    DetectorSpec::Dice { percentile: 90.0 },
                    &minus,
                ),
            ],
        );
    }
}
