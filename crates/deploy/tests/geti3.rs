//! Exports of Geti 3: every pre-processing setting against `ModelAPI` 0.4.7 in f32.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use straylight_core::{Frame, Prediction, RgbImage, Timestamp};
use straylight_deploy::{DeployError, Deployment, Keep, LoadOptions, ModelCache};

fn fixtures() -> PathBuf {
    common::root().join("fixtures/geti3")
}

fn options() -> LoadOptions {
    LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    }
}

/// A copy of the export with some entries of its `model_info` replaced, or removed by `null`.
fn export(changes: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut xml = fs::read_to_string(fixtures().join("model.xml")).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        let start = format!("<{key} value=\"");
        if let Some(begin) = xml.find(&start) {
            let end = begin + xml[begin..].find("/>").unwrap() + 2;
            xml.replace_range(begin..end, "");
        }
        if let Some(text) = value.as_str() {
            let entry = format!("<model_info><{key} value=\"{text}\"/>");
            xml = xml.replacen("<model_info>", &entry, 1);
        }
    }
    fs::write(folder.path().join("model.xml"), xml).unwrap();
    fs::copy(
        fixtures().join("model.bin"),
        folder.path().join("model.bin"),
    )
    .unwrap();
    folder
}

fn frame(name: &str) -> Frame {
    straylight_image::read_frame(&fixtures().join(name)).unwrap()
}

fn fish() -> Frame {
    frame("../demo_io/fish_fish1.png")
}

fn probabilities(prediction: &Prediction) -> Vec<f32> {
    prediction
        .activations
        .probabilities
        .as_ref()
        .unwrap()
        .to_vec()
}

fn predict(path: &Path, frame: &Frame) -> Prediction {
    let deployment = Deployment::from_folder(path, &options()).unwrap();
    deployment.predict(frame, Keep::ACTIVATIONS).unwrap()
}

fn load_error(changes: &Value) -> String {
    let folder = export(changes);
    let error: DeployError = Deployment::from_folder(folder.path(), &options()).unwrap_err();
    error.to_string()
}

#[test]
fn every_setting_gives_the_probabilities_of_model_api() {
    let cases = common::json(&fixtures().join("cases.json"));
    for case in cases.as_array().unwrap() {
        let folder = export(&case["model_info"]);
        let found = predict(folder.path(), &frame(case["photo"].as_str().unwrap()));
        let expected = case["probabilities"].as_array().unwrap().iter();
        for (found, expected) in probabilities(&found).iter().zip(expected) {
            let difference = (f64::from(*found) - expected.as_f64().unwrap()).abs();
            assert!(
                difference < 0.001,
                "{}: {found} is not {expected}",
                case["name"]
            );
        }
    }
}

#[test]
fn labels_keep_their_blanks_and_ids() {
    let folder = export(&serde_json::json!({}));
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    let labels: Vec<_> = deployment
        .labels()
        .map(|label| (label.name.as_str(), label.id.as_str()))
        .collect();
    assert_eq!(labels[0], ("big fish", "66a1f0c2b7d9f0aa00000001"));
    assert_eq!(labels.len(), 4);
    let name = folder
        .path()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    assert_eq!(deployment.project().name, name);
}

#[test]
fn an_onnx_export_predicts_what_the_ir_predicts() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        fixtures().join("model.onnx"),
        folder.path().join("model.onnx"),
    )
    .unwrap();
    let ir = export(&serde_json::json!({}));
    let found = probabilities(&predict(folder.path(), &fish()));
    let expected = probabilities(&predict(ir.path(), &fish()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 0.005,
            "{found} is not {expected}"
        );
    }
}

#[test]
fn the_downloaded_zip_is_a_deployment_as_it_is() {
    let folder = export(&serde_json::json!({}));
    let zip = folder.path().join("model-66a1f0c2-openvino-fp16.zip");
    let mut archive = zip::ZipWriter::new(fs::File::create(&zip).unwrap());
    for name in ["model.xml", "model.bin"] {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive
            .write_all(&fs::read(folder.path().join(name)).unwrap())
            .unwrap();
    }
    archive.finish().unwrap();
    let expected = predict(folder.path(), &fish());
    let deployment = Deployment::from_folder(&zip, &options()).unwrap();
    assert_eq!(
        deployment.predict(&fish(), Keep::ACTIVATIONS).unwrap(),
        expected
    );
    assert_eq!(deployment.project().name, "model-66a1f0c2-openvino-fp16");
    let saved = tempfile::tempdir().unwrap();
    deployment.save(saved.path()).unwrap();
    let unpacked = deployment.folder().to_owned();
    drop(deployment);
    assert!(!unpacked.exists(), "what was unpacked is removed");
    assert_eq!(predict(saved.path(), &fish()), expected);
    let error = straylight_deploy::deployment_folder(&zip).unwrap_err();
    assert!(error.to_string().contains("zip file") && error.hint().contains("Unzip"));
    let bytes = fs::read(&zip).unwrap();
    fs::write(&zip, &bytes[..bytes.len() / 2]).unwrap();
    let error = Deployment::from_folder(&zip, &options()).unwrap_err();
    assert!(error.to_string().contains("cannot be unpacked"), "{error}");
}

#[test]
fn images_of_8_bits_are_refused_by_a_model_of_16() {
    let folder = export(&serde_json::json!({"input_dtype": "u16"}));
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    let error = deployment.predict(&fish(), Keep::NOTHING).unwrap_err();
    assert!(error.to_string().contains("images of 16 bits"), "{error}");
    let pixels = RgbImage::filled(9, 9, [1, 2, 3]).unwrap();
    let memory = Frame::new(pixels, "memory", Timestamp::UNIX_EPOCH);
    assert!(deployment.predict(&memory, Keep::NOTHING).is_err());
    assert!(
        deployment
            .predict(&frame("gray16.png"), Keep::NOTHING)
            .is_ok()
    );
}

#[test]
fn what_is_not_understood_is_refused_with_its_key() {
    for (changes, parts) in [
        (
            serde_json::json!({"sharpen_radius": "2.5"}),
            ["sharpen_radius", "2.5"],
        ),
        (
            serde_json::json!({"intensity_mode": "gamma"}),
            ["intensity_mode", "gamma"],
        ),
        (
            serde_json::json!({"interpolation_mode": "LANCZOS"}),
            ["interpolation_mode", "LANCZOS"],
        ),
        (
            serde_json::json!({"resize_type": "stretch"}),
            ["resize_type", "stretch"],
        ),
        (
            serde_json::json!({"pad_value": "300"}),
            ["pad_value", "300"],
        ),
        (
            serde_json::json!({"label_ids": "1 2 3"}),
            ["label_ids", "3 entries for 4 labels"],
        ),
        (
            serde_json::json!({"task_type": "pose"}),
            ["task_type", "pose"],
        ),
        (
            serde_json::json!({"label_info": "{"}),
            ["label_info", "EOF"],
        ),
    ] {
        let error = load_error(&changes);
        let named = parts.iter().all(|part| error.contains(part));
        assert!(named && error.contains("model.xml"), "{error}");
    }
}

#[test]
fn a_model_info_of_another_program_is_not_taken_for_geti_s() {
    let none: Value = ["getitune_version", "label_info", "label_ids"]
        .into_iter()
        .map(|key| (key.to_owned(), Value::Null))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let error = load_error(&none);
    assert!(
        error.contains("order of its colours") && error.contains("deployment init"),
        "{error}"
    );
}
