//! Quantised TFLite models: what `init` proposes predicts what TFLite itself does.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;
use std::path::PathBuf;

use straylight_core::NoProgress;
use straylight_deploy::{Deployment, Keep, LoadOptions, ModelCache, custom};
use straylight_engine::{Runtime, RuntimeOptions};

fn fixture(name: &str) -> PathBuf {
    common::root().join("fixtures/models").join(name)
}

/// Probabilities of a red picture; labels are in the model or in `labels.txt`.
fn red(model: &str) -> (Vec<String>, Vec<f32>) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(model);
    fs::copy(fixture(model), &path).unwrap();
    fs::write(place.path().join("labels.txt"), "red\ngreen\nblue\n").unwrap();
    let runtime = Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap();
    let proposal = custom::propose(&path, &runtime, &[]).unwrap();
    let json = place.path().join("straylight.json");
    fs::write(json, proposal.description.to_json()).unwrap();
    let options = LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    };
    let deployment = Deployment::from_folder(place.path(), &options).unwrap();
    let frame = straylight_image::read_frame(&fixture("red.png")).unwrap();
    let found = deployment.predict(&frame, Keep::ACTIVATIONS).unwrap();
    let labels = deployment
        .labels()
        .map(|label| label.name.clone())
        .collect();
    (labels, found.activations.probabilities.unwrap().to_vec())
}

#[test]
fn integers_are_read_by_scale_and_zero_point() {
    // ai-edge-litert 2.3.0 gives 196, 41 and 19 of 256.
    let expected = [196.0, 41.0, 19.0].map(|integer: f32| integer / 256.0);
    for model in ["uint8.tflite", "metadata.tflite"] {
        let (labels, found) = red(model);
        assert_eq!(labels[..3], ["red", "green", "blue"], "{model}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{model}: {found} is not {expected}"
            );
        }
    }
}
