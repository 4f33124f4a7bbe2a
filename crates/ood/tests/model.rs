//! Whole models through the public API: fit, score, save, load, and input that is hard to bear.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests fail by panicking, and saved scores come back bit for bit"
)]

use straylight_core::{Activations, NoProgress};
use straylight_ood::{
    ActivationSet, Evaluation, FitError, FitOptions, FitReport, Head, Matrix, ModelBinding,
    ModelKind, OodModel, Provenance, ScoreError, StoreError, ThresholdRule, threshold::Shortfall,
};

/// A small seeded generator of test data.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Roughly normal: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

struct World {
    inside: ActivationSet,
    fresh: ActivationSet,
    outliers: ActivationSet,
    head: Head,
}

/// Classes about means on the axes; outliers about the middle of two axes of no class.
fn world(classes: usize, dimensions: usize, each: usize) -> World {
    let mut noise = Noise(7);
    let weight = Matrix::new(
        classes,
        dimensions,
        (0..classes * dimensions)
            .map(|i| {
                if i % dimensions == i / dimensions {
                    2.0
                } else {
                    0.0
                }
            })
            .collect(),
    );
    let head = Head::new(weight.unwrap(), vec![0.1; classes]).unwrap();
    let mut set = |count: usize, outliers: bool| {
        let mut features = Vec::new();
        for image in 0..count {
            for j in 0..dimensions {
                let own = if outliers {
                    dimensions - 1 - image % 2
                } else {
                    image % classes
                };
                features.push(if j == own { 4.0 } else { 0.0 } + 0.4 * noise.normal());
            }
        }
        let features = Matrix::new(count, dimensions, features).unwrap();
        let logits: Vec<f32> = features
            .iter_rows()
            .flat_map(|row| head.logits(row))
            .map(|logit| logit as f32)
            .collect();
        let logits = Matrix::new(count, classes, logits).unwrap();
        let labels = (0..count).map(|image| (image % classes) as u32).collect();
        ActivationSet::new(features)
            .unwrap()
            .with_logits(logits)
            .unwrap()
            .with_labels(labels)
            .unwrap()
    };
    let count = classes * each;
    World {
        inside: set(count, false),
        fresh: set(200, false),
        outliers: set(120, true),
        head,
    }
}

fn fit(world: &World, options: &FitOptions, with_outliers: bool) -> (OodModel, FitReport) {
    let outliers = with_outliers.then_some(&world.outliers);
    let options = FitOptions {
        head: Some(world.head.clone()),
        ..options.clone()
    };
    OodModel::fit(&world.inside, outliers, &options, &NoProgress).unwrap()
}

const KINDS: [ModelKind; 3] = [ModelKind::Default, ModelKind::Geti, ModelKind::Supervised];

#[test]
fn every_kind_tells_outliers_apart_and_scores_between_0_and_1() {
    let world = world(4, 24, 60);
    for kind in KINDS {
        let (model, report) = fit(&world, &FitOptions::of(kind), true);
        let test = report.test.as_ref().unwrap();
        assert!(test.auroc > 0.97, "{kind:?}: {report:#?}");
        for set in [&world.fresh, &world.outliers] {
            let scores = model.score_set(set).unwrap();
            assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
        }
        let one = model.score(&world.outliers.image(3)).unwrap();
        let all = model.score_set(&world.outliers).unwrap();
        assert!((one.value() - all[3]).abs() < 1e-12);
        assert!(
            model.is_outlier(one),
            "{kind:?} {one} {}",
            model.threshold()
        );
    }
}

#[test]
fn cross_fitted_scores_of_fitted_images_are_like_those_of_new_ones() {
    let world = world(4, 24, 60);
    let options = FitOptions {
        threshold: ThresholdRule::Fixed { value: 0.5 },
        ..FitOptions::default()
    };
    let (model, report) = fit(&world, &options, true);
    let new = model.score_set(&world.fresh).unwrap();
    let above = new.iter().filter(|&&score| score > 0.5).count();
    // One in twenty lies above 0.5 among cross-fitted scores; of 200 new images not far from ten.
    assert!(
        (1..=30).contains(&above),
        "{above} of 200 new images above 0.5: {report:#?}"
    );
}

#[test]
fn the_promise_is_reported_refused_or_relaxed() {
    let world = world(4, 24, 60);
    let rule = |shortfall| ThresholdRule::MaxFalseCollection {
        rate: 0.01,
        confidence: 0.95,
        shortfall,
    };
    let options = |shortfall| FitOptions {
        threshold: rule(shortfall),
        ..FitOptions::default()
    };
    let refused = OodModel::fit(
        &world.inside,
        None,
        &options(Shortfall::Refuse),
        &NoProgress,
    );
    assert!(matches!(&refused, Err(FitError::Promise(_))), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("299"));
    let (_, report) = fit(&world, &options(Shortfall::Relax), false);
    let promise = report.threshold.promise.unwrap();
    assert_eq!(promise.images, report.in_distribution.calibration);
    assert!(promise.max_false_collection_rate > 0.01 && !report.notes.is_empty());
}

#[test]
fn saved_models_score_as_before_and_the_same_fit_gives_the_same_bytes() {
    let world = world(3, 16, 40);
    for kind in KINDS {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let mut scores = Vec::new();
        for folder in &folders {
            let (model, _) = fit(&world, &FitOptions::of(kind), true);
            let provenance = Provenance {
                model_hash: Some("abc".into()),
                ..Provenance::default()
            };
            let model = model.with_provenance(provenance);
            model.save(folder.path()).unwrap();
            scores.push(model.score_set(&world.fresh).unwrap());
        }
        assert_eq!(
            content(folders[0].path()),
            content(folders[1].path()),
            "{kind:?}"
        );
        let loaded = OodModel::load(folders[0].path(), ModelBinding::Model("abc")).unwrap();
        assert_eq!(
            loaded.score_set(&world.fresh).unwrap(),
            scores[0],
            "{kind:?}"
        );
        OodModel::verify(folders[0].path()).unwrap();
        loaded.save(folders[0].path()).unwrap();
        assert_eq!(
            content(folders[0].path()),
            content(folders[1].path()),
            "{kind:?} saved again"
        );
        let other = OodModel::load(folders[0].path(), ModelBinding::Model("xyz"));
        assert!(matches!(other, Err(StoreError::OtherModel { .. })));
    }
}

fn content(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn damaged_files_are_errors_that_name_the_file() {
    let world = world(3, 16, 20);
    let (model, _) = fit(&world, &FitOptions::default(), false);
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path()).unwrap();
    let json = folder.path().join("ood_model.json");
    let text = std::fs::read_to_string(&json).unwrap();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 99"),
        ("\"dimensions\"", "\"dimension\""),
        ("\"arrays\": \"ood", "\"arrays\": \"../ood"),
        ("\"fusion\"", "\"magic\""),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&json, text.replace(from, to)).unwrap();
        let error = OodModel::load(folder.path(), ModelBinding::Any).unwrap_err();
        assert!(error.to_string().contains("ood_"), "{error}");
    }
    std::fs::write(&json, &text[..text.len() / 2]).unwrap();
    assert!(OodModel::load(folder.path(), ModelBinding::Any).is_err());
    let missing = OodModel::load(&folder.path().join("none"), ModelBinding::Any);
    assert!(matches!(missing, Err(StoreError::File(_))));
}

#[test]
fn kinds_that_learn_from_outliers_ask_for_them() {
    let world = world(3, 16, 20);
    let nothing = OodModel::fit(
        &world.inside,
        None,
        &FitOptions::of(ModelKind::Geti),
        &NoProgress,
    );
    assert!(matches!(
        nothing,
        Err(FitError::NoOutliers { kind: "geti" })
    ));
}

#[test]
fn images_that_do_not_fit_the_model_are_errors() {
    let world = world(3, 16, 20);
    let (model, _) = fit(&world, &FitOptions::default(), false);
    let nothing = model.score(&Activations::default());
    assert!(matches!(nothing, Err(ScoreError::Missing(_))));
    let mut image = world.fresh.image(0);
    image.features = Some(vec![0.0; 5].into());
    assert!(matches!(
        model.score(&image),
        Err(ScoreError::WrongLength { .. })
    ));
    image.features = Some(vec![f32::INFINITY; 16].into());
    assert!(matches!(
        model.score(&image),
        Err(ScoreError::NotFinite { .. })
    ));
    image.features = Some(vec![0.0; 16].into());
    assert!(
        (0.0..=1.0).contains(&model.score(&image).unwrap().value()),
        "zero vector"
    );
}

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
fn an_evaluation_has_numbers_curve_and_worst_errors() {
    let world = world(4, 24, 60);
    let (model, _) = fit(&world, &FitOptions::default(), false);
    let caption = |side, image| (Some(format!("{side:?} <{image}>")), None);
    let evaluation = Evaluation::new(&model, &world.fresh, &world.outliers, caption)
        .unwrap()
        .unwrap();
    assert!(evaluation.model.auroc > 0.97 && evaluation.detectors.len() == 6);
    let top = evaluation
        .in_distribution
        .iter()
        .copied()
        .fold(0.0, f64::max);
    assert!((evaluation.false_alarms[0].score - top).abs() < 1e-12);
    let text = serde_json::to_string(&evaluation).unwrap();
    let again: Evaluation = serde_json::from_str(&text).unwrap();
    assert_eq!(again.roc.len(), evaluation.roc.len());
    let page = evaluation.to_html("Solar & cells");
    assert!(page.contains("Solar &amp; cells") && page.contains("Outliers &lt;"));
    let nothing = world.fresh.select(&[]);
    assert_eq!(
        Evaluation::new(&model, &nothing, &world.outliers, caption).unwrap(),
        None
    );
}

#[test]
fn a_head_of_another_model_is_not_used_and_the_report_says_so() {
    let world = world(3, 16, 20);
    let weight = Matrix::new(3, 16, vec![0.5; 48]).unwrap();
    let head = Some(Head::new(weight, vec![0.0; 3]).unwrap());
    let options = FitOptions {
        head,
        ..FitOptions::default()
    };
    let (_, report) = OodModel::fit(&world.inside, None, &options, &NoProgress).unwrap();
    assert!(
        report.notes.iter().any(|note| note.contains("head")),
        "{report:#?}"
    );
}
