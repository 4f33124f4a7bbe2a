//! Every detector through the one trait: the contract that all of them keep.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod world;

use std::path::Path;

use straylight_ood::{
    ActivationSet, ClassStatistic, DetectorSpec, Head, Matrix, Neighbour, OodDetector, Pruning,
    Query, Reason, Weight, save_detector,
};

use world::{World, world};

/// All detectors with the settings of their papers.
fn detectors() -> Vec<DetectorSpec> {
    let knn = |which, squared, normalise| DetectorSpec::Knn {
        which,
        squared,
        k: 10,
        normalise,
    };
    let class_fre = |statistic, normalise| DetectorSpec::ClassFre {
        statistic,
        variance: 0.9,
        most_axes: None,
        normalise,
    };
    let ash = |pruning| DetectorSpec::Ash {
        pruning,
        percentile: 65.0,
    };
    vec![
        DetectorSpec::Msp,
        DetectorSpec::Entropy,
        DetectorSpec::Gen {
            gamma: 0.1,
            top: None,
        },
        DetectorSpec::KlMatching,
        DetectorSpec::Energy { temperature: 1.0 },
        DetectorSpec::MaxLogit,
        knn(Neighbour::First, false, true),
        knn(Neighbour::Kth, true, false),
        knn(Neighbour::Mean, true, true),
        DetectorSpec::NeighbourEntropy {
            k: 10,
            normalise: true,
        },
        DetectorSpec::EnWeDi {
            weight: Weight::Mean,
            k: 10,
            normalise: true,
        },
        DetectorSpec::EnWeDi {
            weight: Weight::First,
            k: 10,
            normalise: true,
        },
        DetectorSpec::Fre {
            variance: 0.9,
            normalise: false,
        },
        class_fre(ClassStatistic::Minimum, true),
        class_fre(ClassStatistic::Predicted, false),
        class_fre(ClassStatistic::Difference, false),
        DetectorSpec::Gaussian { normalise: false },
        DetectorSpec::Gaussian { normalise: true },
        DetectorSpec::Mahalanobis {
            shrink: false,
            normalise: false,
        },
        DetectorSpec::Mahalanobis {
            shrink: true,
            normalise: true,
        },
        DetectorSpec::RelativeMahalanobis { shrink: true },
        DetectorSpec::RelativeMahalanobis { shrink: false },
        DetectorSpec::Vim { dimension: None },
        DetectorSpec::Residual { dimension: None },
        DetectorSpec::Neco { variance: 0.9 },
        DetectorSpec::Fdbd,
        DetectorSpec::She,
        DetectorSpec::NnGuide { k: 10 },
        DetectorSpec::React { percentile: 90.0 },
        ash(Pruning::Keep),
        ash(Pruning::Binary),
        ash(Pruning::Scale),
        DetectorSpec::Scale { percentile: 85.0 },
        DetectorSpec::Dice { percentile: 70.0 },
        DetectorSpec::GradNorm,
    ]
}

fn scores(detector: &dyn OodDetector, set: &ActivationSet) -> Vec<f64> {
    let score = |row| detector.score(&Query::of(set, row)).unwrap().value();
    (0..set.len()).map(score).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn each(check: impl Fn(&DetectorSpec, Box<dyn OodDetector>, &World)) {
    let world = world(4, 24, 40);
    for spec in detectors() {
        let fitted = spec.fit_alone(&world.inside, Some(&world.head));
        check(
            &spec,
            fitted.unwrap_or_else(|reason| panic!("{}: {reason}", spec.name())),
            &world,
        );
    }
}

#[test]
fn strange_images_score_higher() {
    each(|spec, detector, world| {
        // Whether a reconstruction is poor for one class alone, or neighbours' labels mix, tells
        // little of outliers between all classes: these two must only be sound.
        let weak = ["class_fre_difference", "neighbour_entropy"].contains(&spec.name());
        let inside = mean(&scores(detector.as_ref(), &world.fresh));
        let outside = mean(&scores(detector.as_ref(), &world.outliers));
        assert!(outside > inside || weak, "{spec:?}: {inside} {outside}");
    });
}

#[test]
fn one_image_alone_scores_as_among_others_and_always_the_same() {
    each(|spec, detector, world| {
        let again = spec.fit_alone(&world.inside, Some(&world.head)).unwrap();
        let (first, second) = (
            scores(detector.as_ref(), &world.fresh),
            scores(again.as_ref(), &world.fresh),
        );
        for (row, (a, b)) in first.iter().zip(&second).enumerate() {
            assert_eq!(a.to_bits(), b.to_bits(), "{spec:?} fitted again");
            let alone = world.fresh.image(row);
            let alone = detector
                .score(&Query::new(&alone).unwrap())
                .unwrap()
                .value();
            assert_eq!(a.to_bits(), alone.to_bits(), "{spec:?} alone");
        }
    });
}

#[test]
fn a_saved_detector_scores_as_before_and_is_saved_to_the_same_bytes() {
    each(|spec, detector, world| {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        save_detector(detector.as_ref(), &path("first")).unwrap();
        let loaded = spec.load_alone(&path("first")).unwrap();
        let (before, after) = (
            scores(detector.as_ref(), &world.fresh),
            scores(loaded.as_ref(), &world.fresh),
        );
        let same = before
            .iter()
            .zip(&after)
            .all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "{spec:?}");
        save_detector(loaded.as_ref(), &path("second")).unwrap();
        let read = |path: &Path| std::fs::read(path).unwrap();
        assert_eq!(read(&path("first")), read(&path("second")), "{spec:?}");
    });
}

#[test]
fn what_is_missing_is_named() {
    let world = world(4, 24, 40);
    let bare = ActivationSet::new(world.inside.features().clone()).unwrap();
    for spec in detectors() {
        match spec.fit_alone(&bare, None) {
            // Without labels, logits or a head only pure feature detectors are left.
            Ok(_) => assert!(
                ["knn", "knn_first", "knn_mean", "fre"].contains(&spec.name()),
                "{spec:?}"
            ),
            Err(Reason::NoPart(part)) => {
                assert!(["logits", "probabilities", "labels", "head"].contains(&part.as_str()));
            }
            Err(other) => panic!("{spec:?}: {other}"),
        }
    }
}

#[test]
fn images_that_do_not_fit_are_errors() {
    each(|spec, detector, world| {
        let nothing = straylight_core::Activations::default();
        assert!(
            detector.score(&Query::new(&nothing).unwrap()).is_err(),
            "{spec:?}"
        );
        let mut image = world.fresh.image(0);
        image.features = Some(vec![1.0; 5].into());
        image.logits = Some(vec![1.0; 5].into());
        assert!(
            detector.score(&Query::new(&image).unwrap()).is_err(),
            "{spec:?}"
        );
        image.logits = Some(vec![f32::NAN; 4].into());
        assert!(Query::new(&image).is_err());
        // A vector of zeros is an image like any other.
        let mut zero = world.fresh.image(0);
        zero.features = Some(vec![0.0; 24].into());
        zero.logits = Some(vec![0.0; 4].into());
        let score = detector.score(&Query::new(&zero).unwrap());
        assert!(score.is_ok(), "{spec:?}: {score:?}");
    });
}

struct Case {
    what: &'static str,
    images: usize,
    dimensions: usize,
    label: fn(usize) -> u32,
    value: fn(usize, usize) -> f32,
}

fn wave(row: usize, column: usize) -> f32 {
    ((row * 37 + column * 11) as f32).sin() + ((row * column) as f32).cos()
}

const HARD: [Case; 9] = [
    Case {
        what: "one class",
        images: 40,
        dimensions: 8,
        label: |_| 0,
        value: wave,
    },
    Case {
        what: "one image a class",
        images: 12,
        dimensions: 8,
        label: |row| row as u32,
        value: wave,
    },
    Case {
        what: "k > n",
        images: 5,
        dimensions: 8,
        label: |row| row as u32 % 2,
        value: wave,
    },
    Case {
        what: "constant features",
        images: 30,
        dimensions: 8,
        label: |row| row as u32 % 2,
        value: |_, _| 1.0,
    },
    Case {
        what: "zero vectors",
        images: 30,
        dimensions: 8,
        label: |row| row as u32 % 2,
        value: |_, _| 0.0,
    },
    Case {
        what: "1,000 classes",
        images: 1500,
        dimensions: 12,
        label: |row| row as u32 % 1000,
        value: wave,
    },
    Case {
        what: "10,000 dimensions",
        images: 20,
        dimensions: 10_000,
        label: |row| row as u32 % 2,
        value: wave,
    },
    Case {
        what: "one dimension",
        images: 40,
        dimensions: 1,
        label: |row| row as u32 % 2,
        value: wave,
    },
    Case {
        what: "huge values",
        images: 40,
        dimensions: 8,
        label: |row| row as u32 % 2,
        value: |i, j| 1e15 * wave(i, j),
    },
];

/// A detector fits degenerate images and scores them with finite numbers, or says why it cannot.
#[test]
fn degenerate_images_are_scored_or_refused_with_a_reason() {
    for case in &HARD {
        let data = (0..case.images * case.dimensions)
            .map(|i| (case.value)(i / case.dimensions, i % case.dimensions));
        let features = Matrix::new(case.images, case.dimensions, data.collect()).unwrap();
        let labels: Vec<u32> = (0..case.images).map(case.label).collect();
        let classes = labels.iter().max().map_or(1, |&top| top as usize + 1);
        let weight = (0..classes * case.dimensions).map(|i| wave(i / case.dimensions, i % 7));
        let weight = Matrix::new(classes, case.dimensions, weight.collect()).unwrap();
        let head = Head::new(weight, vec![0.1; classes]).unwrap();
        let logits: Vec<f32> = features
            .iter_rows()
            .flat_map(|row| head.logits(row))
            .map(|logit| logit as f32)
            .collect();
        let logits = Matrix::new(case.images, classes, logits).unwrap();
        let set = ActivationSet::new(features).unwrap();
        let set = set
            .with_logits(logits)
            .unwrap()
            .with_labels(labels)
            .unwrap();
        for spec in detectors() {
            match spec.fit_alone(&set, Some(&head)) {
                Err(reason) => assert!(!reason.to_string().is_empty()),
                Ok(detector) => (0..set.len()).for_each(|row| {
                    let score = detector.score(&Query::of(&set, row));
                    assert!(score.is_ok(), "{}: {spec:?}: {score:?}", case.what);
                }),
            }
        }
    }
}
