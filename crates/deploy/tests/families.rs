//! Small twins of each family of models: what `init` proposes predicts what is right.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use straylight_core::{NoProgress, Prediction, Shape};
use straylight_deploy::custom::{self, Assignment, Proposal};
use straylight_deploy::{DeployError, Deployment, Keep, LoadOptions, ModelCache};
use straylight_engine::{Runtime, RuntimeOptions};

fn folder() -> PathBuf {
    common::root().join("fixtures/families")
}

fn runtime() -> Runtime {
    Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap()
}

fn options() -> LoadOptions {
    LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    }
}

/// A copy of a case that may be written into.
fn copy(name: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    common::copy_folder(&folder().join(name), place.path());
    place
}

fn propose(place: &Path, said: &[&str]) -> Result<Proposal, DeployError> {
    let said: Vec<Assignment> = said.iter().map(|one| one.parse().unwrap()).collect();
    custom::propose(&place.join("model.onnx"), &runtime(), &said)
}

fn deployed(place: &Path, proposal: &Proposal) -> Deployment {
    fs::write(
        place.join("straylight.json"),
        proposal.description.to_json(),
    )
    .unwrap();
    Deployment::from_folder(place, &options()).unwrap()
}

fn predicted(place: &Path, proposal: &Proposal, image: &str) -> Prediction {
    let frame = straylight_image::read_frame(&folder().join(image)).unwrap();
    deployed(place, proposal)
        .predict(&frame, Keep::NOTHING)
        .unwrap()
}

/// What is wrong with a prediction; nothing when all is right.
fn differences(expected: &Value, found: &Prediction) -> Vec<String> {
    let mut wrong = Vec::new();
    let objects = expected["objects"].as_array().cloned().unwrap_or_default();
    if let Some(areas) = expected["areas"].as_array() {
        check_areas(areas, found, &mut wrong);
    }
    if objects.is_empty() {
        return wrong;
    }
    let labels: Vec<_> = found
        .annotations
        .iter()
        .flat_map(|one| one.labels.iter().map(move |label| (&one.shape, label)))
        .collect();
    if labels.len() != objects.len() {
        wrong.push(format!(
            "{} objects instead of {}: {found:?}",
            labels.len(),
            objects.len()
        ));
    }
    for (object, (shape, label)) in objects.iter().zip(labels) {
        let score = object["score"].as_f64().unwrap();
        let near = (f64::from(label.probability) - score).abs() < 0.003;
        if object["label"] != label.name.as_str() || !near {
            wrong.push(format!(
                "{} {} instead of {object}",
                label.name, label.probability
            ));
        }
        wrong.extend(wrong_place(object, shape));
    }
    wrong
}

/// A shape that is more than a pixel away from where it should be.
fn wrong_place(object: &Value, shape: &Shape) -> Option<String> {
    let (key, found) = match *shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => ("box", vec![x, y, width, height]),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => ("turned", vec![x, y, width, height, angle]),
        Shape::Keypoint { x, y, .. } => ("point", vec![x, y]),
        // The mask of a full box reaches from its first pixel to its last.
        Shape::Polygon { .. } => return None,
        Shape::Ellipse { .. } => return Some(format!("{shape:?}")),
    };
    let expected = object[key].as_array()?;
    let near = expected
        .iter()
        .zip(&found)
        .all(|(a, b)| (a.as_f64().unwrap() - b).abs() <= 1.0);
    (!near).then(|| format!("{found:?} instead of {object}"))
}

/// The area of a polygon through the middles of pixels, in pixels: with half of its border.
fn area(shape: &Shape) -> Option<f64> {
    let Shape::Polygon { points } = shape else {
        return None;
    };
    let pairs = points.iter().zip(points.iter().cycle().skip(1));
    let (mut twice, mut border) = (0.0, 0.0);
    for (a, b) in pairs {
        twice += a.x * b.y - b.x * a.y;
        border += (a.x - b.x).abs().max((a.y - b.y).abs());
    }
    Some(twice.abs() / 2.0 + border / 2.0 + 1.0)
}

fn check_areas(areas: &[Value], found: &Prediction, wrong: &mut Vec<String>) {
    let polygons: Vec<f64> = found
        .annotations
        .iter()
        .filter_map(|one| area(&one.shape))
        .collect();
    if polygons.len() != areas.len() {
        wrong.push(format!(
            "{} polygons instead of {}",
            polygons.len(),
            areas.len()
        ));
    }
    for (polygon, area) in polygons.iter().zip(areas) {
        let area = area.as_f64().unwrap();
        if (polygon - area).abs() > 0.12 * area {
            wrong.push(format!("an area of {polygon} instead of {area}"));
        }
    }
}

#[test]
fn every_family_is_right_at_the_first_try() {
    let mut wrong = Vec::new();
    let all = common::json(&folder().join("expected.json"));
    for (name, expected) in all.as_object().unwrap() {
        let place = copy(name);
        let found = propose(place.path(), &[]);
        match (found, expected["undecided"].as_str()) {
            (Ok(proposal), None) => {
                let image = expected["image"].as_str().unwrap_or("p.png");
                let prediction = predicted(place.path(), &proposal, image);
                let found = differences(expected, &prediction);
                wrong.extend(found.iter().map(|what| format!("{name}: {what}")));
                let left_out = expected["left_out"].as_u64().unwrap_or(0);
                if prediction.left_out as u64 != left_out {
                    wrong.push(format!("{name}: {} left out", prediction.left_out));
                }
            }
            (Err(DeployError::Undecided { key, .. }), Some(wanted)) if key == wanted => {}
            (Err(DeployError::BareModel { reason, .. }), None)
                if expected["refused"]
                    .as_str()
                    .is_some_and(|word| reason.contains(word)) => {}
            (Err(DeployError::Config { key, .. }), None) if expected["config"] == json!(key) => {}
            (found, _) => wrong.push(format!("{name}: {found:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the processors of transformers 5.24 do to an image.
#[test]
fn processors_of_hugging_face_are_understood_or_refused() {
    struct Case(Value, Result<Value, &'static str>);
    let mean =
        json!({"do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]});
    let crop = json!({"width": 224, "height": 224});
    for Case(keys, expected) in [
        // DeiT: stretched, then the middle cut out.
        Case(
            json!({"resample": 3, "do_center_crop": true, "size": {"width": 256, "height": 256}, "crop_size": crop}),
            Ok(
                json!({"resize": "crop", "scaled_size": [256, 256], "size": [224, 224], "interpolation": "pillow_bicubic"}),
            ),
        ),
        Case(
            json!({"resample": 2, "do_center_crop": true, "size": {"shortest_edge": 256}, "crop_size": crop}),
            Ok(json!({"resize": "crop", "shorter_side": 256, "size": [224, 224]})),
        ),
        // ConvNeXT: below 384 a part is cut out, from there on the image is stretched.
        Case(
            json!({"resample": 3, "crop_pct": 0.875, "size": {"shortest_edge": 224}}),
            Ok(json!({"resize": "crop", "shorter_side": 256, "size": [224, 224]})),
        ),
        Case(
            json!({"resample": 3, "crop_pct": 0.875, "size": {"shortest_edge": 384}}),
            Ok(json!({"resize": "stretch", "size": [384, 384]})),
        ),
        // EfficientNet: ((pixel / 127.5 - 1) - mean) / deviation / deviation.
        Case(
            json!({"resample": 2, "size": crop, "rescale_factor": 1.0 / 127.5, "rescale_offset": true, "include_top": true}),
            Ok(
                json!({"resize": "stretch", "mean": [191.25, 191.25, 191.25], "scale": [31.875, 31.875, 31.875]}),
            ),
        ),
        Case(
            json!({"resample": 2, "size": crop, "do_flip_channel_order": true}),
            Ok(json!({"channels": "bgr"})),
        ),
        Case(json!({"resample": 0, "size": crop}), Err("`resample` is 0")),
        Case(
            json!({"resample": 2, "size": {"shortest_edge": 800, "longest_edge": 1333}}),
            Err("longest_edge"),
        ),
        Case(
            json!({"resample": 2, "size": {"shortest_edge": 224}}),
            Err("nothing is cut out"),
        ),
        Case(
            json!({"size": crop, "do_solarize": true}),
            Err("`do_solarize`"),
        ),
        Case(
            json!({"size": crop, "do_resize": false}),
            Err("does not resize"),
        ),
        Case(
            json!({"size": {"shortest_edge": 224}, "image_processor_type": "LevitImageProcessor"}),
            Err("LevitImageProcessor"),
        ),
    ] {
        let place = copy("open_axes");
        let mut processor = mean.clone();
        processor
            .as_object_mut()
            .unwrap()
            .extend(keys.as_object().unwrap().clone());
        fs::write(
            place.path().join("preprocessor_config.json"),
            processor.to_string(),
        )
        .unwrap();
        match (propose(place.path(), &[]), expected) {
            (Ok(proposal), Ok(expected)) => {
                let input = serde_json::to_value(&proposal.description.input).unwrap();
                for (key, value) in expected.as_object().unwrap() {
                    assert_eq!(&input[key], value, "{key} of {processor}");
                }
            }
            (Err(error), Err(word)) => {
                let text = error.to_string();
                assert!(
                    text.contains(word) && text.contains("preprocessor_config.json"),
                    "{text}"
                );
            }
            (found, _) => panic!("{processor}: {found:?}"),
        }
    }
}

#[test]
fn what_is_undecided_is_said_in_one_line() {
    struct Case(&'static str, &'static [&'static str]);
    for Case(name, said) in [
        Case("classes_from_where", &["outputs.first_class=1"]),
        Case("detr_of_how_many", &["labels=bolt,nut"]),
        Case("wrong_label_count", &["labels=red,green,blue"]),
        Case("deep_classifier", &["input.scale=255"]),
        Case("objectness_or_not", &["labels=bolt,nut"]),
        Case("model_info_without_order", &["input.channels=rgb"]),
    ] {
        let place = copy(name);
        let error = propose(place.path(), &[]).unwrap_err().to_string();
        assert!(
            error.contains("straylight deployment init"),
            "{name}: {error}"
        );
        let proposal = propose(place.path(), said).unwrap();
        let prediction = predicted(place.path(), &proposal, "p.png");
        assert!(!prediction.annotations.is_empty(), "{name}");
    }
}

#[test]
fn each_fact_has_its_origin() {
    let place = copy("torchvision");
    let proposal = propose(place.path(), &["options.confidence_threshold=0.8"]).unwrap();
    let origin = |key: &str| {
        let fact = proposal.said.iter().find(|fact| fact.key == key);
        fact.map(|fact| fact.origin.as_str())
    };
    assert_eq!(origin("labels"), Some("file"));
    assert_eq!(origin("outputs.first_class"), Some("graph"));
    assert_eq!(origin("input.resize"), Some("guess"));
    assert_eq!(origin("options.confidence_threshold"), Some("you"));
    let prediction = predicted(place.path(), &proposal, "p.png");
    assert_eq!(prediction.label_names(), ["bolt"]);
    let error = propose(place.path(), &["options.threshold=0.8"]).unwrap_err();
    assert!(error.to_string().contains("options.threshold"), "{error}");
}

#[test]
fn onnx_models_get_a_feature_vector() {
    for (name, said, tensor) in [
        ("deep_classifier", &["input.scale=255"][..], Some("f")),
        ("wrong_label_count", &["labels=red,green,blue"], Some("m")),
        // A graph without a feature map.
        ("yolov8", &[], None),
    ] {
        let place = copy(name);
        let model = place.path().join("model.onnx");
        let before = fs::read(&model).unwrap();
        let mut proposal = propose(place.path(), said).unwrap();
        let found =
            custom::write_with_features(&model, &mut proposal.description, &runtime()).unwrap();
        assert_eq!(found.as_deref(), tensor, "{name}");
        assert_eq!(fs::read(&model).unwrap(), before, "{name}");
        let frame = straylight_image::read_frame(&folder().join("p.png")).unwrap();
        let deployment = deployed(place.path(), &proposal);
        let prediction = deployment.predict(&frame, Keep::ACTIVATIONS).unwrap();
        assert_eq!(
            prediction.activations.features.is_some(),
            tensor.is_some(),
            "{name}"
        );
    }
}

/// A family with its scores, and those of what they cover, replaced in the graph; `None` if they are not in its file as they are.
fn with_scores(name: &str, score: f32) -> Option<Result<Prediction, DeployError>> {
    let place = copy(name);
    let proposal = propose(place.path(), &[]).unwrap();
    let model = place.path().join("model.onnx");
    let mut bytes = fs::read(&model).unwrap();
    let replaced: usize = [0.9_f32, 0.8, 0.72, 0.7]
        .into_iter()
        .map(|old| replace(&mut bytes, old.to_le_bytes(), score.to_le_bytes()))
        .sum();
    fs::write(&model, bytes).unwrap();
    let frame = straylight_image::read_frame(&folder().join("p.png")).unwrap();
    (replaced > 0).then(|| deployed(place.path(), &proposal).predict(&frame, Keep::NOTHING))
}

/// How often a number was found and replaced.
fn replace(bytes: &mut [u8], old: [u8; 4], new: [u8; 4]) -> usize {
    let places: Vec<usize> = (0..bytes.len().saturating_sub(3))
        .filter(|&place| bytes[place..place + 4] == old)
        .collect();
    for &place in &places {
        bytes[place..place + 4].copy_from_slice(&new);
    }
    places.len()
}

/// The families of detectors that are right without a question.
fn detectors() -> Vec<String> {
    let all = common::json(&folder().join("expected.json"));
    let finds = |expected: &Value| {
        let objects = expected["objects"].as_array();
        objects.is_some_and(|all| {
            all.iter()
                .any(|one| one["box"].is_array() || one["turned"].is_array())
        })
    };
    let entries = all.as_object().unwrap().iter();
    let names = entries.filter(|(_, expected)| finds(expected));
    names.map(|(name, _)| name.clone()).collect()
}

#[test]
fn scores_that_are_no_numbers_are_an_error_in_every_family() {
    let results = detectors()
        .into_iter()
        .filter_map(|name| Some((with_scores(&name, f32::NAN)?, name)));
    let mut tried = 0;
    for (result, name) in results {
        tried += 1;
        match result {
            Err(error) => assert!(error.to_string().contains("NaN"), "{name}: {error}"),
            Ok(prediction) => panic!("{name}: {prediction:?}"),
        }
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn no_object_is_no_object_in_every_family() {
    // With objectness a score is a product, so that other numbers stand in the file.
    let plain = detectors()
        .into_iter()
        .filter(|name| !name.starts_with("yolov5") && !name.contains("yolox"));
    for name in plain {
        let Some(prediction) = with_scores(&name, 0.0) else {
            continue;
        };
        let prediction = prediction.unwrap();
        let names = prediction.label_names();
        let none = names.iter().all(|name| *name == "No object");
        assert!(none, "{name}: {names:?}");
    }
}
