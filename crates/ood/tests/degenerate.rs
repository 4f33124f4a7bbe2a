//! Input that is hard to bear: each is borne or refused, never a panic.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use straylight_core::NoProgress;
use straylight_ood::{ActivationSet, FitOptions, Matrix, OodModel};

/// Features only: `rows` images of `columns` dimensions.
fn plain(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> ActivationSet {
    let data = (0..rows * columns)
        .map(|i| value(i / columns, i % columns))
        .collect();
    ActivationSet::new(Matrix::new(rows, columns, data).unwrap()).unwrap()
}

fn wave(row: usize, column: usize) -> f32 {
    ((row * 37 + column * 11) as f32).sin() + ((row * column) as f32).cos()
}

#[test]
fn degenerate_sets_are_borne_or_refused() {
    struct Case(&'static str, ActivationSet, bool);
    let labelled = |set: ActivationSet, label: fn(usize) -> u32| {
        let labels = (0..set.len()).map(label).collect();
        set.with_labels(labels).unwrap()
    };
    for Case(what, set, fits) in [
        Case("one class", labelled(plain(60, 8, wave), |_| 0), true),
        Case("no labels and no logits", plain(60, 8, wave), true),
        Case(
            "one image a class",
            labelled(plain(40, 8, wave), |row| row as u32),
            true,
        ),
        Case(
            "fewer images than neighbours",
            labelled(plain(6, 8, wave), |row| row as u32 % 2),
            true,
        ),
        Case(
            "constant features",
            labelled(plain(30, 8, |_, _| 1.0), |row| row as u32 % 2),
            false,
        ),
        Case(
            "zero vectors",
            labelled(plain(30, 8, |_, _| 0.0), |row| row as u32 % 2),
            false,
        ),
        Case(
            "some zero vectors",
            labelled(
                plain(30, 8, |row, j| if row < 5 { 0.0 } else { wave(row, j) }),
                |row| row as u32 % 2,
            ),
            true,
        ),
        Case("three images", plain(3, 8, wave), false),
        Case("no image", plain(0, 8, wave), false),
        Case(
            "one dimension",
            labelled(plain(60, 1, wave), |row| row as u32 % 2),
            true,
        ),
        Case(
            "1,000 classes",
            labelled(plain(2000, 16, wave), |row| row as u32 % 1000),
            true,
        ),
        Case(
            "10,000 dimensions",
            labelled(plain(40, 10_000, wave), |row| row as u32 % 4),
            true,
        ),
        Case(
            "huge values",
            labelled(plain(60, 8, |row, j| 1e18 * wave(row, j)), |row| {
                row as u32 % 2
            }),
            true,
        ),
    ] {
        let fitted = OodModel::fit(&set, None, &FitOptions::default(), &NoProgress);
        assert_eq!(fitted.is_ok(), fits, "{what}: {:?}", fitted.err());
        let Ok((model, report)) = fitted else {
            continue;
        };
        let scores = model.score_set(&set).unwrap();
        assert!(
            scores.iter().all(|score| (0.0..=1.0).contains(score)),
            "{what}"
        );
        let named = report.detectors.len() + report.left_out.len();
        assert_eq!(
            named, 6,
            "{what}: every detector is used or named: {report:#?}"
        );
    }
}

#[test]
fn an_image_whose_squares_exceed_single_precision_is_an_outlier() {
    let features = |row: usize, j: usize| if row == 5 { 1e30 } else { 1.0 } * wave(row, j);
    let set = plain(60, 8, features);
    let labels = (0..60).map(|row| row % 2).collect();
    let usual = plain(60, 8, wave).with_labels(labels).unwrap();
    let (model, _) = OodModel::fit(&usual, None, &FitOptions::default(), &NoProgress).unwrap();
    for row in 0..set.len() {
        let score = model.score(&set.image(row)).unwrap().value();
        assert!((0.0..=1.0).contains(&score));
        assert_eq!(score >= 1.0, row == 5, "{row}: {score}");
    }
}
