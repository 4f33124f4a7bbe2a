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

#[test]
fn outputs_are_appended_without_a_change_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let before = model("m.data");
    std::fs::write(&path, &before).unwrap();
    let onnx = OnnxModel::parse(&path, &before).unwrap();
    let bytes = onnx
        .with_outputs(&path, &[("x", "feature_vector")])
        .unwrap();
    assert_eq!(bytes[..before.len()], before);
    let more = OnnxModel::parse(&path, &bytes).unwrap();
    assert_eq!(more.outputs.last().unwrap().name, "feature_vector");
    assert_eq!(more.nodes.len(), onnx.nodes.len() + 1);
    let last = more.nodes.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.inputs[0].as_str()),
        ("Identity", "x")
    );
    assert_eq!(more.metadata, onnx.metadata);
}

/// A chain of nodes, each with its kind, its inputs and its output.
fn chain(nodes: &[(&str, &[&str], &str)]) -> OnnxModel {
    let node = |&(kind, inputs, output): &(&str, &[&str], &str)| OnnxNode {
        kind: kind.to_owned(),
        inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        ..OnnxNode::default()
    };
    OnnxModel {
        nodes: nodes.iter().map(node).collect(),
        weights: vec![("w".to_owned(), vec![2, 2]), ("b".to_owned(), vec![2])],
        ..OnnxModel::default()
    }
}

#[test]
fn features_are_what_goes_into_the_last_linear_layer() {
    type Nodes<'a> = &'a [(&'a str, &'a [&'a str], &'a str)];
    struct Case<'a>(Nodes<'a>, Option<&'a str>);
    for Case(nodes, expected) in [
        Case(&[("Gemm", &["f", "w", "b"], "y")], Some("f")),
        Case(
            &[
                ("Transpose", &["w"], "t"),
                ("MatMul", &["f", "t"], "z"),
                ("Add", &["b", "z"], "s"),
                ("Softmax", &["s"], "y"),
            ],
            Some("f"),
        ),
        Case(
            &[
                ("Conv", &["maps", "w", "b"], "c"),
                ("GlobalAveragePool", &["c"], "p"),
                ("Flatten", &["p"], "y"),
            ],
            Some("maps"),
        ),
        Case(&[("Relu", &["f"], "y")], None),
        Case(&[("Identity", &["y"], "y")], None),
    ] {
        assert_eq!(chain(nodes).penultimate("y"), expected, "{nodes:?}");
    }
}
