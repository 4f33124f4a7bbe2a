//! Small deployments of every task against the Python SDK's predictions (geti-sdk 2.13.1).
//!
//! `tools/deployment_cases/make.py` makes the fixtures. Shapes are equal within one pixel, in
//! the same order; probabilities within 1e-3. Where Straylight differs on purpose, a function
//! below says why.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use straylight_core::{Annotation, Frame, Point, Prediction, Shape};
use straylight_deploy::Deployment;

fn cases_of(prefixes: &[&str]) -> Vec<(String, Value)> {
    let names = fs::read_dir(common::cases()).unwrap().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().replace(".json", ""));
    let mut names: Vec<String> = names
        .filter(|name| prefixes.iter().any(|start| name.starts_with(start)))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
        .into_iter()
        .map(|name| {
            let case = common::case(&name);
            (name, case)
        })
        .collect()
}

/// What is different in two predictions, or nothing.
fn difference(found: &[Annotation], expected: &Value) -> Option<String> {
    let expected = expected.as_array().unwrap();
    if found.len() != expected.len() {
        return Some(format!(
            "{} annotations, not {}",
            found.len(),
            expected.len()
        ));
    }
    found
        .iter()
        .zip(expected)
        .enumerate()
        .find_map(|(index, (found, expected))| {
            let shape: Shape = serde_json::from_value(expected["shape"].clone()).unwrap();
            if !close(&found.shape, &shape) {
                return Some(format!("shape {index}: {:?}, not {shape:?}", found.shape));
            }
            labels_differ(found, &expected["labels"])
                .map(|what| format!("labels of {index}: {what}"))
        })
}

fn labels_differ(found: &Annotation, expected: &Value) -> Option<String> {
    let expected = expected.as_array().unwrap();
    let same = found.labels.len() == expected.len()
        && found.labels.iter().zip(expected).all(|(label, expected)| {
            let probability = expected["probability"].as_f64().unwrap();
            label.id == expected["id"]
                && label.name == expected["name"]
                && (f64::from(label.probability) - probability).abs() < 1e-3
        });
    (!same).then(|| format!("{:?}, not {expected:?}", found.labels))
}

/// Whether two shapes are of one kind and equal within one pixel and one degree.
fn close(a: &Shape, b: &Shape) -> bool {
    let near = |pairs: &[(f64, f64)]| pairs.iter().all(|(a, b)| (a - b).abs() <= 1.0);
    if let (Shape::Polygon { points: a }, Shape::Polygon { points: b }) = (a, b) {
        let same = |(a, b): (&Point, &Point)| near(&[(a.x, b.x), (a.y, b.y)]);
        return a.len() == b.len() && a.iter().zip(b).all(same);
    }
    let ((a_kind, a), (b_kind, b)) = (numbers(a), numbers(b));
    a_kind == b_kind && a.len() == b.len() && near(&a.into_iter().zip(b).collect::<Vec<_>>())
}

/// A shape's kind and its numbers in the order of their names.
fn numbers(shape: &Shape) -> (String, Vec<f64>) {
    let value = serde_json::to_value(shape).unwrap();
    let numbers = value
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_f64)
        .collect();
    (value["type"].as_str().unwrap().to_owned(), numbers)
}

fn explanation_differs(deployment: &Deployment, frame: &Frame, expected: &Value) -> Option<String> {
    let maps = expected["saliency_maps"].as_object()?;
    let found: Prediction = deployment.explain(frame).unwrap();
    for (name, levels) in maps {
        let Some(map) = found
            .saliency_maps
            .iter()
            .find(|map| map.label_name == *name)
        else {
            return Some(format!("no saliency map of {name}"));
        };
        let levels = STANDARD.decode(levels.as_str().unwrap()).unwrap();
        if map.data.len() != levels.len() {
            return Some(format!(
                "map of {name}: {} levels, not {}",
                map.data.len(),
                levels.len()
            ));
        }
        let beyond = map
            .data
            .iter()
            .zip(&levels)
            .filter(|(a, b)| a.abs_diff(**b) > 1)
            .count();
        if beyond * 1000 > levels.len() {
            return Some(format!(
                "map of {name}: {beyond} of {} pixels",
                levels.len()
            ));
        }
    }
    let expected = expected["feature_vector"].as_array()?;
    let features = found.activations.features.unwrap_or_default();
    let same = features.len() == expected.len()
        && features
            .iter()
            .zip(expected)
            .all(|(a, b)| (f64::from(*a) - b.as_f64().unwrap()).abs() < 1e-3);
    (!same).then(|| format!("features {features:?}, not {expected:?}"))
}

/// Puts right what the SDK gets wrong.
fn correct(name: &str, expected: &mut Value) {
    let probabilities = |expected: &mut Value, right: fn(f64) -> f64| {
        for annotation in expected["annotations"].as_array_mut().unwrap() {
            let probability = &mut annotation["labels"][0]["probability"];
            *probability = right(probability.as_f64().unwrap()).into();
        }
    };
    match name {
        // A mean of grey levels is given as a probability.
        "anomaly_regions" => probabilities(expected, |grey| grey / 255.0),
        // A score without softmax is given as a probability.
        "points_raw" => probabilities(expected, |score| score.clamp(0.0, 1.0)),
        // Each label has the map of the class before it: the first one that of the background.
        "regions_explain" => {
            let maps = expected["saliency_maps"].as_object_mut().unwrap();
            let field = maps.remove("water").unwrap();
            maps.insert("field".to_owned(), field);
        }
        // Boxes of equal scores come in the order of an unstable sort.
        _ if has_equal_scores(name) => {
            let annotations = expected["annotations"].as_array_mut().unwrap();
            annotations
                .sort_by_key(|annotation| sort_key(&annotation["labels"][0], &annotation["shape"]));
        }
        _ => {}
    }
}

/// Whether all tiles give the same scores.
fn has_equal_scores(name: &str) -> bool {
    name.starts_with("tiles_") && !name.starts_with("tiles_masks")
}

/// Orders annotations by probability and place.
fn sort_key(label: &Value, shape: &Value) -> Vec<i64> {
    let thousandths = (label["probability"].as_f64().unwrap() * -1000.0).round() as i64;
    let place = ["x", "y", "width", "height"].map(|key| shape[key].as_f64().unwrap() as i64);
    [thousandths].into_iter().chain(place).collect()
}

fn key_of(annotation: &Annotation) -> Vec<i64> {
    let label = serde_json::json!({"probability": annotation.labels[0].probability});
    sort_key(&label, &serde_json::to_value(&annotation.shape).unwrap())
}

/// Compares all cases whose names start with one of the prefixes, and says which differ.
fn compare(prefixes: &[&str]) {
    let mut wrong = Vec::new();
    for (name, case) in cases_of(prefixes) {
        let (_root, deployment) = common::load_case(&case);
        let frame = common::picture_of(&case);
        let mut expected = case["expected"].clone();
        correct(&name, &mut expected);
        let mut found = match deployment.infer(&frame) {
            Ok(found) => found,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        if has_equal_scores(&name) {
            found.annotations.sort_by_key(key_of);
        }
        let what = difference(&found.annotations, &expected["annotations"])
            .or_else(|| explanation_differs(&deployment, &frame, &expected));
        wrong.extend(what.map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn single_label_classification() {
    compare(&["single_"]);
}

#[test]
fn multi_label_classification() {
    compare(&["multi_"]);
}

#[test]
fn hierarchical_classification() {
    compare(&["tree_"]);
}

#[test]
fn detection() {
    compare(&["boxes"]);
}

#[test]
fn instance_segmentation() {
    compare(&["instances_"]);
}

#[test]
fn rotated_detection() {
    compare(&["rotated_"]);
}

#[test]
fn segmentation() {
    compare(&["regions"]);
}

#[test]
fn anomaly() {
    compare(&["anomaly_"]);
}

#[test]
fn keypoint_detection() {
    compare(&["points"]);
}

#[test]
fn tiling() {
    compare(&["tiles_"]);
}

#[test]
fn task_chains() {
    compare(&["chain_"]);
}
