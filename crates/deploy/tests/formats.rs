//! ONNX and `TFLite` models as deployments, and what is said of those that cannot be.
//!
//! `tools/small_models/make.py` makes the models; what they compute is done by hand here.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use straylight_core::{Frame, NoProgress, Prediction, RgbImage, Shape, TaskType, Timestamp};
use straylight_deploy::custom::{self, Proposal};
use straylight_deploy::{DeployError, Deployment, Keep, LoadOptions, ModelCache};
use straylight_engine::{Runtime, RuntimeOptions};

fn options() -> LoadOptions {
    LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    }
}

fn runtime() -> Runtime {
    Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap()
}

/// A folder of its own with a model of the fixtures and names for its classes.
fn folder_with(model: &str, labels: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(model);
    fs::copy(common::root().join("fixtures/models").join(model), &path).unwrap();
    fs::write(folder.path().join("labels.txt"), labels).unwrap();
    (folder, path)
}

/// Proposes a description and writes it beside the model, as `deployment init` does.
fn init(model: &Path) -> Proposal {
    let proposal = custom::propose(model, &runtime(), &[]).unwrap();
    let text = proposal.description.to_json();
    fs::write(model.with_file_name("straylight.json"), text).unwrap();
    proposal
}

/// A picture of 16 x 16 pixels, each quarter of one colour.
fn quarters(colours: [[u8; 3]; 4]) -> Frame {
    let places = (0..16).flat_map(|y| (0..16).map(move |x| (x, y)));
    let data = places.flat_map(|(x, y)| colours[y / 8 * 2 + x / 8]);
    let image = RgbImage::new(16, 16, data.collect()).unwrap();
    Frame::new(image, "quarters", Timestamp::UNIX_EPOCH)
}

/// Mean colour: 63.75 red, 50 green, no blue.
fn red_and_green() -> Frame {
    quarters([[0; 3], [255, 0, 0], [0, 200, 0], [0; 3]])
}

fn near(found: &[f32], expected: &[f32]) -> bool {
    let pairs = found.iter().zip(expected);
    found.len() == expected.len() && pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-4)
}

/// Labels, shapes and probabilities, the most probable first.
fn boxes(prediction: &Prediction) -> Vec<(String, [f64; 4], f32)> {
    let annotations = prediction.annotations.iter();
    let found = annotations.map(|annotation| {
        let Shape::Rectangle {
            x,
            y,
            width,
            height,
        } = annotation.shape
        else {
            unreachable!("a detector gives rectangles, not {:?}", annotation.shape)
        };
        let label = &annotation.labels[0];
        (label.name.clone(), [x, y, width, height], label.probability)
    });
    found.collect()
}

/// Logits 0.03 times a channel's mean less 0.01 times the sum of all, and a bias.
const LOGITS: [f32; 3] = [1.275, 0.3625, -1.6375];

#[test]
fn onnx_and_tflite_classifiers_become_deployments() {
    for (model, layout, features) in [
        ("classifier.onnx", "NCHW", None),
        ("classifier.tflite", "NHWC", Some([63.75, 50.0, 0.0])),
    ] {
        let (folder, path) = folder_with(model, "red\ngreen\nblue\n");
        let proposal = init(&path);
        let described = &proposal.description;
        assert_eq!(described.task, TaskType::Classification, "{model}");
        assert_eq!(described.input.layout.as_deref(), Some(layout));
        assert_eq!(described.labels, ["red", "green", "blue"]);
        let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
        let found = deployment
            .infer_with(&red_and_green(), Keep::ACTIVATIONS)
            .unwrap();
        let logits = found.activations.logits.as_deref().unwrap();
        assert!(near(logits, &LOGITS), "{model}: {logits:?}");
        assert_eq!(
            found.activations.features.as_deref(),
            features.as_ref().map(<[f32; 3]>::as_slice)
        );
        let sum: f32 = LOGITS.iter().map(|logit| logit.exp()).sum();
        let top = found.top_label().unwrap();
        assert_eq!(top.name, "red");
        assert!((top.probability - LOGITS[0].exp() / sum).abs() < 1e-4);
    }
}

#[test]
fn normalisation_and_order_of_channels_reach_the_graph() {
    let (folder, path) = folder_with("classifier.tflite", "red\ngreen\nblue\n");
    let mut description = init(&path).description;
    description.input.mean = vec![10.0, 20.0, 30.0];
    description.input.scale = vec![2.0, 4.0, 5.0];
    description.input.channels = custom::Channels::Bgr;
    fs::write(
        path.with_file_name("straylight.json"),
        description.to_json(),
    )
    .unwrap();
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    let frame = quarters([[200, 100, 60]; 4]);
    let found = deployment.infer_with(&frame, Keep::ACTIVATIONS).unwrap();
    // Blue comes first, and mean and scale are in the order of the network's channels.
    let expected = [
        (60.0 - 10.0) / 2.0,
        (100.0 - 20.0) / 4.0,
        (200.0 - 30.0) / 5.0,
    ];
    let features = found.activations.features.unwrap();
    assert!(near(&features, &expected), "{features:?}");
}

#[test]
fn onnx_detectors_become_deployments() {
    for model in ["detector.onnx", "rows.onnx"] {
        let (folder, path) = folder_with(model, "red\ngreen\n");
        let proposal = init(&path);
        assert_eq!(proposal.description.task, TaskType::Detection, "{model}");
        assert_eq!(proposal.description.labels, ["red", "green"], "{model}");
        let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
        let found = boxes(&deployment.infer(&red_and_green()).unwrap());
        let names: Vec<_> = found
            .iter()
            .map(|(name, place, _)| (name.as_str(), *place))
            .collect();
        let expected = [
            ("red", [8.0, 0.0, 8.0, 8.0]),
            ("green", [0.0, 8.0, 8.0, 8.0]),
        ];
        assert_eq!(names, expected, "{model}");
        assert!(
            near(&[found[0].2, found[1].2], &[1.0, 200.0 / 255.0]),
            "{model}: {found:?}"
        );
        let nothing = deployment.infer(&quarters([[90; 3]; 4])).unwrap();
        assert_eq!(nothing.label_names(), ["No object"], "{model}");
    }
}

#[test]
fn boxes_are_those_of_the_picture() {
    let (folder, path) = folder_with("detector.onnx", "red\ngreen\n");
    init(&path);
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    // A picture of 64 x 32 pixels whose right half is red: both right quarters are found.
    let pixels = (0..64 * 32).flat_map(|place| [if place % 64 < 32 { 0 } else { 255 }, 0, 0]);
    let image = RgbImage::new(64, 32, pixels.collect()).unwrap();
    let frame = Frame::new(image, "wide", Timestamp::UNIX_EPOCH);
    let mut places: Vec<_> = boxes(&deployment.infer(&frame).unwrap())
        .into_iter()
        .map(|(_, place, _)| place)
        .collect();
    places.sort_by(|a, b| a[1].total_cmp(&b[1]));
    assert_eq!(places, [[32.0, 0.0, 32.0, 16.0], [32.0, 16.0, 32.0, 16.0]]);
}

#[test]
fn outputs_are_found_by_the_names_that_onnx_gives_them() {
    // Some versions of OpenVINO list the constant behind the output first: `all_boxes`.
    let (folder, path) = folder_with("detector.onnx", "red\ngreen\n");
    let mut description = init(&path).description;
    description.outputs.boxes = Some("boxes".to_owned());
    description.outputs.classes = Some("labels".to_owned());
    let text = description.to_json();
    fs::write(path.with_file_name("straylight.json"), text).unwrap();
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    let found = deployment.infer(&red_and_green()).unwrap();
    assert_eq!(found.annotations.len(), 2);
}

#[test]
fn onnx_models_get_their_features_in_place() {
    for (model, labels, features) in [
        (
            "classifier.onnx",
            "red\ngreen\nblue\n",
            &[63.75, 50.0, 0.0][..],
        ),
        ("detector.onnx", "red\ngreen\n", &[]),
    ] {
        let (folder, path) = folder_with(model, labels);
        init(&path);
        let report = custom::check(folder.path(), &red_and_green(), &options()).unwrap();
        assert!(
            report.missing[0].contains("no feature vector"),
            "{report:?}"
        );
        report.add_features(folder.path()).unwrap();
        let report = custom::check(folder.path(), &red_and_green(), &options()).unwrap();
        assert!(report.missing.is_empty(), "{report:?}");
        let found = report.prediction.activations.features.unwrap();
        assert!(features.is_empty() || near(&found, features), "{found:?}");
    }
}

#[test]
fn a_tflite_model_is_not_changed() {
    let (folder, path) = folder_with("classifier.tflite", "red\ngreen\nblue\n");
    let mut description = init(&path).description;
    description.outputs.features = None;
    fs::write(
        path.with_file_name("straylight.json"),
        description.to_json(),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    let report = custom::check(folder.path(), &red_and_green(), &options()).unwrap();
    let error = report.add_features(folder.path()).unwrap_err();
    assert!(matches!(error, DeployError::NoFeatures { .. }), "{error:?}");
    let text = error.to_string();
    for part in [
        "classifier.tflite",
        "a TFLite model cannot be changed",
        "`ovc",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_deployment_of_geti_is_not_changed() {
    let frame = red_and_green();
    let report = custom::check(&common::demo_folder(), &frame, &options()).unwrap();
    let text = report
        .add_features(&common::demo_folder())
        .unwrap_err()
        .to_string();
    assert!(text.contains("Geti's") && text.contains("(XAI)"), "{text}");
}

#[test]
fn wrong_descriptions_name_their_keys() {
    struct Case(
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
    );
    for Case(model, from, to, expected) in [
        Case(
            "classifier.onnx",
            "NCHW",
            "NHWC",
            &[
                "classifier.onnx",
                "[?, 3, 16, 16]",
                "16 channels in the layout NHWC",
            ],
        ),
        Case(
            "classifier.tflite",
            "NHWC",
            "NCHW",
            &["[1, 16, 16, 3]", "16 channels in the layout NCHW"],
        ),
        Case(
            "classifier.tflite",
            "NHWC",
            "HWC",
            &["straylight.json", "input.layout", "neither NCHW nor NHWC"],
        ),
        Case(
            "classifier.onnx",
            "\"scale\": []",
            "\"scale\": [1, 2]",
            &["straylight.json", "input.scale", "2 values for 3 channels"],
        ),
        Case(
            "classifier.onnx",
            "\"resize\": \"stretch\"",
            "\"resize\": \"squash\"",
            &["straylight.json", "input.resize", "squash"],
        ),
        Case(
            "classifier.onnx",
            "\"scores\": \"logits\"",
            "\"scores\": \"out\"",
            &["`out`", "it has logits"],
        ),
    ] {
        let (folder, path) = folder_with(model, "red\ngreen\nblue\n");
        let text = init(&path).description.to_json();
        assert!(text.contains(from), "{text}");
        fs::write(
            path.with_file_name("straylight.json"),
            text.replacen(from, to, 1),
        )
        .unwrap();
        let error = Deployment::from_folder(folder.path(), &options()).unwrap_err();
        let text = error.to_string();
        assert!(expected.iter().all(|part| text.contains(part)), "{text}");
        assert!(!error.hint().contains("ownload"), "{}", error.hint());
    }
}

#[test]
fn models_that_cannot_be_deployments_say_why() {
    let (_folder, path) = folder_with("rows.onnx", "");
    let whole = fs::read(&path).unwrap();
    for (name, content, expected) in [
        ("cut.onnx", whole[..whole.len() / 2].to_vec(), "cut.onnx"),
        ("text.tflite", b"no flatbuffer".to_vec(), "text.tflite"),
        ("empty.onnx", Vec::new(), "empty.onnx"),
    ] {
        let path = path.with_file_name(name);
        fs::write(&path, content).unwrap();
        let error = custom::propose(&path, &runtime(), &[]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(
            error.hint().contains("Export the model again"),
            "{}",
            error.hint()
        );
    }
    let missing = custom::propose(&path.with_file_name("none.onnx"), &runtime(), &[]);
    let text = missing.unwrap_err().to_string();
    assert!(
        text.contains("none.onnx") && text.contains("No such file"),
        "{text}"
    );
}
