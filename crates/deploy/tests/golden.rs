//! The demo's deployment against what the Python SDK gave on the same pictures (f32).
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::path::PathBuf;

use serde_json::Value;
use straylight_core::{Frame, Prediction, Shape};
use straylight_deploy::Keep;

fn fixture(name: &str) -> PathBuf {
    common::root().join("fixtures/demo_io").join(name)
}

fn names() -> Vec<String> {
    serde_json::from_value(common::json(&fixture("names.json"))).unwrap()
}

fn frame(name: &str) -> Frame {
    straylight_image::read_frame(&fixture(&format!("{name}.png"))).unwrap()
}

/// The largest absolute difference.
fn off(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

fn numbers(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn check(name: &str, prediction: &Prediction, expected: &Value) {
    let probabilities = prediction.activations.probabilities.as_deref().unwrap();
    let by_label = expected["probabilities"].as_object().unwrap();
    let in_order: Vec<f32> = common::demo()
        .labels()
        .map(|label| by_label[&label.name].as_f64().unwrap() as f32)
        .collect();
    assert!(
        off(probabilities, &in_order) < 1e-3,
        "{name}: {probabilities:?} {in_order:?}"
    );
    let logits = prediction.activations.logits.as_deref().unwrap();
    assert!(
        off(logits, &numbers(&expected["logits"])) < 5e-3,
        "{name}: {logits:?}"
    );
    let top = prediction.top_label().unwrap();
    assert_eq!(top.name, expected["label"], "{name}");
    assert!((f64::from(top.probability) - expected["probability"].as_f64().unwrap()).abs() < 1e-3);
}

#[test]
fn probabilities_and_labels_are_those_of_the_python_sdk() {
    for name in names() {
        let prediction = common::demo()
            .infer_with(&frame(&name), Keep::ACTIVATIONS)
            .unwrap();
        let expected = common::json(&fixture(&format!("{name}.json")));
        check(&name, &prediction, &expected);
        let annotation = &expected["prediction"]["annotations"][0];
        let shape: Shape = serde_json::from_value(annotation["shape"].clone()).unwrap();
        assert_eq!(prediction.annotations[0].shape, shape, "{name}");
        let color = annotation["labels"][0]["color"].as_str().unwrap();
        assert_eq!(prediction.annotations[0].labels[0].color.to_string(), color);
    }
}

#[test]
fn feature_vectors_are_those_of_the_python_sdk() {
    for name in names() {
        let prediction = common::demo()
            .infer_with(&frame(&name), Keep::ACTIVATIONS)
            .unwrap();
        let found = prediction.activations.features.unwrap();
        let expected = common::npy_f32(&fixture(&format!("{name}_features.npy")));
        let norm = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
        let difference: Vec<f32> = found.iter().zip(&expected).map(|(a, b)| a - b).collect();
        assert_eq!(found.len(), expected.len());
        let relative = norm(&difference) / norm(&expected);
        assert!(relative < 1e-3, "{name}: {relative}");
    }
}

#[test]
fn saliency_maps_are_those_of_the_python_sdk() {
    for name in names() {
        let prediction = common::demo().explain(&frame(&name)).unwrap();
        let found: Vec<u8> = prediction
            .saliency_maps
            .iter()
            .flat_map(|map| map.data.iter().copied())
            .collect();
        let expected = straylight_image::read_frame(&fixture(&format!("{name}_saliency.png")));
        let expected: Vec<u8> = expected
            .unwrap()
            .image()
            .data()
            .chunks(3)
            .map(|rgb| rgb[0])
            .collect();
        assert_eq!(found.len(), expected.len(), "{name}");
        let beyond = found
            .iter()
            .zip(&expected)
            .filter(|(a, b)| a.abs_diff(**b) > 1)
            .count();
        assert!(
            beyond * 1000 <= found.len(),
            "{name}: {beyond} of {} pixels",
            found.len()
        );
    }
}

#[test]
fn explain_gives_the_same_labels_as_infer() {
    for name in names() {
        let frame = frame(&name);
        let infer = common::demo().infer(&frame).unwrap();
        assert!(infer.activations.is_empty() && infer.saliency_maps.is_empty());
        assert_eq!(
            common::demo().explain(&frame).unwrap().annotations,
            infer.annotations
        );
    }
}

#[test]
fn the_head_of_the_demo_s_model_gives_its_logits() {
    let head = common::demo().head_weights().unwrap().unwrap();
    let prediction = common::demo()
        .infer_with(&frame(&names()[0]), Keep::ACTIVATIONS)
        .unwrap();
    let logits = head
        .logits(prediction.activations.features.as_deref().unwrap())
        .unwrap();
    assert!(off(&logits, prediction.activations.logits.as_deref().unwrap()) < 1e-3);
}
