//! The Geti reference's COOD on real features (`fixtures/cood`): its sub-scores, and better
//! metrics than its own because nothing is scored on what it was fitted on.

use std::collections::BTreeMap;

use straylight_core::NoProgress;

use crate::io::{fixture, fixture_array};
use crate::{
    ActivationSet, ClassStatistic, DetectorSpec, FitOptions, Matrix, Metrics, ModelKind, Neighbour,
    OodModel, Query,
};

type Splits = BTreeMap<String, Vec<usize>>;

fn json<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/cood/");
    serde_json::from_slice(&std::fs::read(format!("{root}{name}")).unwrap()).unwrap()
}

/// All 510 images of the reference: annotated class, probabilities, raw features.
fn images() -> ActivationSet {
    let matrix = |name: &str| {
        let array = fixture_array(&format!("cood/{name}.npy"));
        Matrix::new(array.shape[0], array.shape[1], array.values.into_f32()).unwrap()
    };
    ActivationSet::new(matrix("raw_features"))
        .unwrap()
        .with_probabilities(matrix("raw_scores"))
        .unwrap()
}

fn labelled(images: &ActivationSet, rows: &[usize]) -> ActivationSet {
    let labels = fixture_array("cood/annotated.npy").values.to_f64();
    let labels = rows.iter().map(|&row| labels[row] as u32).collect();
    images.select(rows).with_labels(labels).unwrap()
}

#[test]
fn sub_scores_are_the_references_on_new_images() {
    let (images, splits): (_, Splits) = (images(), json("splits.json"));
    let train = labelled(&images, &splits["id_fit"]);
    let full = fixture("cood/cood_full.npz");
    let (k, normalise, variance) = (10, true, 0.9);
    let knn = DetectorSpec::Knn {
        which: Neighbour::Kth,
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
    // Columns of the reference's table; the others drop the nearest neighbour (its bug 3).
    for (column, spec, sign) in [
        (0, knn, 1.0),
        (3, DetectorSpec::NeighbourEntropy { k, normalise }, 1.0),
        (6, fre(ClassStatistic::Minimum), 1.0),
        (7, fre(ClassStatistic::Predicted), 1.0),
        (
            9,
            DetectorSpec::Fre {
                variance,
                normalise,
            },
            1.0,
        ),
        (10, DetectorSpec::Msp, -1.0),
    ] {
        let detector = spec.fit_alone(&train, None).unwrap();
        for split in ["id_val", "id_test", "ood_fit", "ood_val", "ood_test"] {
            let table = full[&format!("{split}_cood_features")].values.to_f64();
            for (place, &row) in splits[split].iter().enumerate() {
                let ours = detector.score(&Query::of(&images, row)).unwrap().value();
                let ours = if sign < 0.0 { 1.0 - ours } else { ours };
                let theirs = table[place * 11 + column];
                let off = (ours - theirs).abs() / theirs.abs();
                assert!(
                    off <= 1e-4,
                    "{} of {split} {place}: {ours} {theirs}",
                    spec.name()
                );
            }
        }
    }
}

#[test]
fn without_the_references_leaks_the_same_sub_scores_do_better() {
    let (images, splits): (_, Splits) = (images(), json("splits.json"));
    let inside = [splits["id_fit"].clone(), splits["id_val"].clone()].concat();
    let outside = [splits["ood_fit"].clone(), splits["ood_val"].clone()].concat();
    let options = FitOptions {
        test_fraction: 0.0,
        ..FitOptions::of(ModelKind::Geti)
    };
    let outliers = images.select(&outside);
    let (model, _) = OodModel::fit(
        &labelled(&images, &inside),
        Some(&outliers),
        &options,
        &NoProgress,
    )
    .unwrap();
    let scores = |split: &str| model.score_set(&images.select(&splits[split])).unwrap();
    let threshold = Some(model.threshold());
    let metrics = Metrics::new(&scores("id_test"), &scores("ood_test"), threshold).unwrap();
    let accuracy = metrics.operating.as_ref().unwrap().accuracy;
    // The reference with the same sub-scores: AUROC 0.908, accuracy 0.351.
    assert!(metrics.auroc > 0.93 && accuracy > 0.85, "{metrics:?}");
}

#[test]
fn metrics_are_the_references_where_it_is_right() {
    #[derive(serde::Deserialize)]
    struct Case {
        y_true: Vec<u8>,
        y_prob: Vec<f64>,
        metrics: BTreeMap<String, Option<f64>>,
    }
    for case in json::<Vec<Case>>("metrics_cases.json") {
        let of = |class: u8| -> Vec<f64> {
            let pairs = case.y_true.iter().zip(&case.y_prob);
            pairs
                .filter(|(truth, _)| **truth == class)
                .map(|(_, score)| *score)
                .collect()
        };
        let ours = Metrics::new(&of(0), &of(1), Some(0.5)).unwrap();
        let theirs = |name: &str| case.metrics[name].unwrap();
        assert!((ours.auroc - theirs("auroc")).abs() < 1e-9);
        // The reference takes the rate nearest to 1 %, which may be above it, and of several
        // points with that rate the first; ours is the best that is allowed.
        assert!(ours.tpr_at_1_fpr >= theirs("tpr_1_fpr") - 1e-9 || theirs("tpr_1_fpr") > 0.0);
    }
}
