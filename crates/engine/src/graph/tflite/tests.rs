use super::*;
use crate::graph::{ModelDetail, ModelFacts};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/models")
        .join(name)
}

fn read(name: &str) -> TfliteModel {
    match ModelFacts::read(&fixture(name)).unwrap().detail {
        ModelDetail::Tflite(model) => model,
        other => panic!("not TFLite: {other:?}"),
    }
}

#[test]
fn tensors_and_their_quantisation_are_read() {
    let model = read("uint8.tflite");
    let [input] = model.inputs.as_slice() else {
        panic!("{:?}", model.inputs);
    };
    assert_eq!(input.element, TfliteType::U8);
    assert_eq!(input.shape, [Some(1), Some(32), Some(32), Some(3)]);
    let output = &model.outputs[0];
    let quantisation = output.quantisation.as_ref().unwrap();
    assert_eq!(
        (
            quantisation.scale.as_slice(),
            quantisation.zero_point.as_slice()
        ),
        (&[1.0 / 256.0][..], &[0][..])
    );
    assert!(
        model
            .operators
            .iter()
            .all(|operator| !operator.outputs.is_empty())
    );
}

#[test]
fn metadata_and_packed_labels_are_read() {
    let model = read("metadata.tflite");
    for (key, value) in [
        ("name", "colours"),
        ("input/0/color_space", "RGB"),
        ("input/0/mean", "127.5"),
        ("input/0/std", "127.5"),
        ("input/0/min", "-1"),
        ("output/0/score_threshold", "0.25"),
        ("output/0/label_file", "labels.txt"),
    ] {
        assert_eq!(model.metadata(key), Some(value), "{key}: {:?}", model.facts);
    }
    assert_eq!(model.labels(0).unwrap(), ["red", "green", "blue"]);
    assert_eq!(model.labels(1), None);
}

#[test]
fn cut_and_changed_files_never_panic() {
    for name in ["uint8.tflite", "metadata.tflite", "classifier.tflite"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            let _ = TfliteModel::parse(Path::new("m.tflite"), &whole[..length]);
        }
        let mut changed = whole.clone();
        for place in 0..changed.len() {
            changed[place] ^= 0xFF;
            let _ = TfliteModel::parse(Path::new("m.tflite"), &changed);
            changed[place] ^= 0xFF;
        }
    }
    let error = TfliteModel::parse(Path::new("m.tflite"), b"<html></html>").unwrap_err();
    assert!(error.to_string().contains("m.tflite"), "{error}");
}
