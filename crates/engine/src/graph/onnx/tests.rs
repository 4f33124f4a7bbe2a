use prost::Message;

use super::*;
use crate::graph::{ModelDetail, ModelFacts};

fn entry(key: &str, value: &str) -> wire::Entry {
    wire::Entry {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn tensor(name: &str, file: Option<&str>) -> wire::Tensor {
    wire::Tensor {
        name: name.to_owned(),
        dims: vec![2],
        data_type: 1,
        external_data: file
            .map(|file| entry("location", file))
            .into_iter()
            .collect(),
        data_location: i32::from(file.is_some()),
    }
}

/// A graph with a weight in a file, and an inner graph with one in another.
fn model(file: &str) -> Vec<u8> {
    let inner = wire::Graph {
        initializer: vec![tensor("deep", Some("inner.data"))],
        ..Default::default()
    };
    let node = wire::Node {
        op_type: "If".to_owned(),
        attribute: vec![
            wire::Attribute {
                name: "then_branch".to_owned(),
                g: Some(inner),
                ..Default::default()
            },
            wire::Attribute {
                name: "axis".to_owned(),
                i: 1,
                r#type: 2,
                ..Default::default()
            },
        ],
        ..Default::default()
    };
    let graph = wire::Graph {
        node: vec![node],
        initializer: vec![tensor("w", Some(file)), tensor("plain", None)],
        input: ["x", "w"]
            .map(|name| wire::Value {
                name: name.to_owned(),
                r#type: None,
            })
            .into(),
        ..Default::default()
    };
    let model = wire::Model {
        ir_version: 10,
        producer_name: "pytorch".to_owned(),
        graph: Some(graph),
        metadata_props: vec![
            entry("model_info labels", "a b"),
            entry("names", "{0: 'a'}"),
        ],
        ..Default::default()
    };
    model.encode_to_vec()
}

#[test]
fn metadata_names_and_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    std::fs::write(&path, model("m.data")).unwrap();
    let facts = ModelFacts::read(&path).unwrap();
    assert_eq!(facts.get(Place::ModelInfo, "labels"), Some("a b"));
    assert_eq!(facts.get(Place::Metadata, "names"), Some("{0: 'a'}"));
    assert_eq!(facts.model_info().unwrap().get("labels"), Some("a b"));
    let expected = ["inner.data", "m.data"].map(|name| folder.path().join(name));
    assert_eq!(facts.weights, expected);
    let ModelDetail::Onnx(onnx) = &facts.detail else {
        panic!("not ONNX");
    };
    assert_eq!(onnx.inputs.len(), 1, "a weight is no input");
    assert_eq!(onnx.nodes[0].integers, [("axis".to_owned(), vec![1])]);
    let missing = facts.check_weights().unwrap_err().to_string();
    assert!(missing.contains("inner.data"), "{missing}");
}

#[test]
fn weights_outside_of_the_folder_are_refused() {
    for file in ["../m.data", "/etc/passwd", ""] {
        let onnx = OnnxModel::parse(Path::new("m.onnx"), &model(file)).unwrap();
        let error = onnx.external_files(Path::new("m.onnx")).unwrap_err();
        assert!(
            error.to_string().contains("outside of its folder"),
            "{error}"
        );
    }
}

#[test]
fn damaged_files_say_so() {
    let whole = model("m.data");
    for bytes in [&whole[..whole.len() - 3], b"<html>not a model</html>", b""] {
        let error = OnnxModel::parse(Path::new("m.onnx"), bytes).unwrap_err();
        assert!(error.to_string().contains("ONNX file"), "{error}");
    }
}
