//! Whole models through the public API: fit, score, save, load.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests fail by panicking, and saved scores come back bit for bit"
)]

mod world;

use straylight_core::{Activations, NoProgress};
use straylight_ood::{
    Evaluation, FitError, FitOptions, Head, Matrix, ModelBinding, ModelFileError, ModelKind,
    OodModel, Provenance, ScoreError, ThresholdRule, threshold::Shortfall,
};

use world::{fit, world};

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
        loaded.save(folders[0].path()).unwrap();
        assert_eq!(
            content(folders[0].path()),
            content(folders[1].path()),
            "{kind:?} saved again"
        );
        let other = OodModel::load(folders[0].path(), ModelBinding::Model("xyz"));
        assert!(matches!(other, Err(ModelFileError::OtherModel { .. })));
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
    assert!(matches!(missing, Err(ModelFileError::File(_))));
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
fn the_geti_kind_can_do_without_reconstruction_errors() {
    let world = world(4, 24, 60);
    let options = FitOptions {
        reconstruction: false,
        ..FitOptions::of(ModelKind::Geti)
    };
    let (model, report) = fit(&world, &options, true);
    let names: Vec<&str> = report.detectors.iter().map(|d| d.name.as_str()).collect();
    let all = [
        "knn",
        "knn_first",
        "knn_mean",
        "neighbour_entropy",
        "enwedi",
        "enwedi_first",
        "msp",
    ];
    assert_eq!(names, all);
    assert!(report.test.unwrap().auroc > 0.95);
    assert!(model.score(&world.fresh.image(0)).unwrap().value() < 0.5);
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
