//! OOD models for deployments whose tasks give objects or masks instead of a class.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use serde_json::Value;
use straylight::fit::{LabelledImage, Outliers, fit_ood, infer_all};
use straylight::ood::FitOptions;
use straylight::{Deployment, Frame, LoadOptions, ModelCache, NoProgress, RgbImage, Timestamp};

/// Loads one of the small deployments; its files live as long as the folder.
fn load(name: &str) -> (tempfile::TempDir, Deployment) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/deployments");
    let text = std::fs::read(cases.join(format!("{name}.json"))).unwrap();
    let case: Value = serde_json::from_slice(&text).unwrap();
    let root = tempfile::tempdir().unwrap();
    for (file, content) in case["files"].as_object().unwrap() {
        let path = root.path().join("deployment").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = content.as_str().unwrap();
        let binary = file.ends_with("bin");
        let bytes = if binary {
            decode(content)
        } else {
            content.into()
        };
        std::fs::write(path, bytes).unwrap();
    }
    let options = LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    };
    let deployment = Deployment::from_folder(root.path(), &options).unwrap();
    (root, deployment)
}

/// Base64 as the fixtures have it: one line, padded.
fn decode(text: &str) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte: u8| letters.iter().position(|&letter| letter == byte);
    let digits: Vec<usize> = text.bytes().filter_map(digit).collect();
    let group = |four: &[usize]| -> Vec<u8> {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        let bytes = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        bytes[..four.len() - 1].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}

/// A picture of noise about a colour; `seed` makes it one of its kind.
fn picture(colour: [u8; 3], seed: u32) -> LabelledImage {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state % 41) as u8
    };
    let tint = noise();
    let pixels = (0..48 * 32).flat_map(|_| colour);
    let data = pixels
        .map(|level| level.saturating_add(noise()).saturating_add(tint))
        .collect();
    let image = RgbImage::new(48, 32, data).unwrap();
    LabelledImage::frame(
        Frame::new(image, format!("{seed}"), Timestamp::UNIX_EPOCH),
        None,
    )
}

#[test]
fn a_segmenter_with_a_feature_vector_finds_strange_scenes() {
    let (_folder, deployment) = load("regions_explain");
    let usual: Vec<LabelledImage> = (0..80).map(|seed| picture([90, 120, 60], seed)).collect();
    let options = FitOptions::default();
    let fitted = fit_ood(
        &deployment,
        &usual,
        &Outliers::Automatic,
        &options,
        &NoProgress,
    )
    .unwrap();
    let report = &fitted.report;
    let used: Vec<&str> = report
        .detectors
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    for name in [
        "gaussian",
        "gaussian_unit",
        "class_fre_minimum",
        "knn_first",
    ] {
        assert!(used.contains(&name), "{report:#?}");
    }
    let left_out: Vec<&str> = report
        .left_out
        .iter()
        .map(|one| one.detector.as_str())
        .collect();
    assert_eq!(left_out, ["relative_mahalanobis", "neco"], "{report:#?}");
    assert!(
        report.notes.iter().any(|note| note.contains("one class")),
        "{report:#?}"
    );

    let scores = |colour, from: u32| {
        let images: Vec<LabelledImage> = (from..from + 20)
            .map(|seed| picture(colour, seed))
            .collect();
        let inferred = infer_all(&deployment, &images, &NoProgress).unwrap();
        fitted.model.score_set(&inferred.set).unwrap()
    };
    let (usual, strange) = (scores([90, 120, 60], 500), scores([150, 40, 160], 900));
    let highest = usual.iter().copied().fold(0.0, f64::max);
    assert!(
        strange.iter().all(|&score| score > highest),
        "{usual:?} {strange:?}"
    );
    assert!(
        strange
            .iter()
            .all(|&score| score >= fitted.model.threshold())
    );
}

#[test]
fn a_detector_without_features_says_what_it_lacks() {
    let (_folder, deployment) = load("boxes");
    let images = [picture([90, 120, 60], 1)];
    let options = FitOptions::default();
    let refused = fit_ood(
        &deployment,
        &images,
        &Outliers::Automatic,
        &options,
        &NoProgress,
    );
    assert!(refused.unwrap_err().to_string().contains("feature_vector"));
}
