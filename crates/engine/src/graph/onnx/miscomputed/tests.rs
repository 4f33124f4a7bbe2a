use super::super::wire::{Axis, OperatorSet, Shape, TensorType, Type, Value};
use super::*;

fn value(name: &str, sides: &[i64]) -> Value {
    let dim = sides.iter().map(|&side| Axis {
        dim_value: (side > 0).then_some(side),
        dim_param: None,
    });
    let shape = Some(Shape { dim: dim.collect() });
    Value {
        name: name.to_owned(),
        r#type: Some(Type {
            tensor_type: Some(TensorType {
                elem_type: 1,
                shape,
            }),
        }),
    }
}

fn whole(name: &str, i: i64) -> Attribute {
    Attribute {
        name: name.to_owned(),
        i,
        r#type: 2,
        ..Attribute::default()
    }
}

fn list(name: &str, ints: &[i64]) -> Attribute {
    Attribute {
        name: name.to_owned(),
        ints: ints.to_vec(),
        r#type: 7,
        ..Attribute::default()
    }
}

fn word(name: &str, text: &str) -> Attribute {
    Attribute {
        name: name.to_owned(),
        s: text.as_bytes().to_vec(),
        r#type: 3,
        ..Attribute::default()
    }
}

fn node(kind: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) -> Node {
    Node {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: kind.to_owned(),
        attribute,
        ..Node::default()
    }
}

fn wrong(opset: i64, sides: &[i64], nodes: Vec<Node>) -> bool {
    let graph = Graph {
        node: nodes,
        input: vec![value("x", sides)],
        ..Graph::default()
    };
    let set = OperatorSet {
        domain: String::new(),
        version: opset,
    };
    let model = Model {
        graph: Some(graph),
        opset_import: vec![set],
        ..Model::default()
    };
    !find(&model).is_empty()
}

/// As measured with ONNX Runtime 1.32 beside `OpenVINO` 2026.4.1.
#[test]
fn reductions_of_opset_13_to_17_lose_their_axes() {
    struct Case(i64, &'static str, &'static [i64], bool);
    for Case(opset, kind, axes, expected) in [
        Case(13, "ReduceL1", &[2], true),
        Case(17, "ReduceLogSum", &[-1], true),
        Case(15, "ReduceLogSumExp", &[1, 2], true),
        Case(17, "ReduceLogSumExp", &[0, 1, 2], false),
        Case(17, "ReduceLogSumExp", &[], false),
        Case(12, "ReduceL1", &[2], false),
        Case(18, "ReduceL1", &[2], false),
        Case(17, "ReduceL2", &[2], false),
    ] {
        let nodes = vec![node(kind, &["x"], "y", vec![list("axes", axes)])];
        assert_eq!(
            wrong(opset, &[2, 3, 4], nodes),
            expected,
            "{opset} {kind} {axes:?}"
        );
    }
}

/// As measured with ONNX Runtime 1.32 beside `OpenVINO` 2026.4.1.
#[test]
fn softmax_of_opset_11_is_told_by_what_lies_behind_its_axis() {
    struct Case(i64, &'static [i64], Option<i64>, bool);
    for Case(opset, sides, axis, expected) in [
        Case(11, &[1, 5], None, false),
        Case(11, &[1, 5, 1, 1], Some(1), false),
        Case(11, &[1, 5, 3], None, true),
        Case(12, &[1, 2, 3, 4], Some(1), true),
        Case(11, &[1, 2, 3, 4], Some(3), false),
        Case(11, &[1, 2, 3, 4], Some(-1), false),
        Case(11, &[1, 2, 3, 4], Some(-2), true),
        Case(9, &[1, 2, 3, 4], Some(1), false),
        Case(13, &[1, 2, 3, 4], Some(1), false),
    ] {
        let attributes = axis.map(|axis| whole("axis", axis));
        let softmax = node("Softmax", &["x"], "y", attributes.into_iter().collect());
        assert_eq!(
            wrong(opset, sides, vec![softmax]),
            expected,
            "{opset} {sides:?} {axis:?}"
        );
    }
}

#[test]
fn the_rank_of_inner_values_follows_from_the_nodes_before_them() {
    let turned = node("Transpose", &["x"], "t", vec![list("perm", &[0, 2, 1, 3])]);
    let product = node("MatMul", &["t", "t"], "m", vec![]);
    for (axis, expected) in [(3, false), (1, true)] {
        let softmax = node("Softmax", &["m"], "y", vec![whole("axis", axis)]);
        let nodes = vec![turned.clone(), product.clone(), softmax];
        assert_eq!(wrong(12, &[1, 2, 3, 4], nodes), expected, "axis {axis}");
    }
    let unknown = node("Mystery", &["x"], "m", vec![]);
    let softmax = node("Softmax", &["m"], "y", vec![whole("axis", 1)]);
    assert!(wrong(12, &[1, 2, 3, 4], vec![unknown, softmax]));
}

/// As measured, with sizes 3 to 11, kernels 1 to 4, strides 1 to 3 and padding 0 and 1.
#[test]
fn pooling_is_told_by_its_last_window() {
    struct Case(&'static str, i64, [i64; 3], bool, bool);
    for Case(kind, side, [kernel, stride, pad], counts, expected) in [
        Case("MaxPool", 6, [1, 2, 0], false, true),
        Case("MaxPool", 7, [1, 2, 0], false, false),
        Case("MaxPool", 5, [2, 2, 1], false, true),
        Case("MaxPool", 112, [3, 2, 0], false, false),
        Case("MaxPool", 112, [3, 2, 1], false, false),
        // Without a size: only where it can be.
        Case("MaxPool", 0, [3, 2, 1], false, false),
        Case("MaxPool", 0, [1, 2, 0], false, true),
        Case("AveragePool", 4, [3, 2, 1], true, true),
        Case("AveragePool", 5, [3, 2, 1], true, false),
        Case("AveragePool", 4, [3, 2, 1], false, false),
        Case("AveragePool", 4, [3, 2, 0], true, false),
    ] {
        let mut attributes = vec![
            list("kernel_shape", &[kernel; 2]),
            list("strides", &[stride; 2]),
            list("pads", &[pad; 4]),
            whole("ceil_mode", 1),
        ];
        attributes.extend(counts.then(|| whole("count_include_pad", 1)));
        let pool = node(kind, &["x"], "y", attributes.clone());
        let case = format!("{kind} {side} {kernel} {stride} {pad}");
        assert_eq!(
            wrong(17, &[1, 1, side, side], vec![pool]),
            expected,
            "{case}"
        );
        attributes.retain(|attribute| attribute.name != "ceil_mode");
        assert!(!wrong(
            17,
            &[1, 1, side, side],
            vec![node(kind, &["x"], "y", attributes)]
        ));
    }
}

#[test]
fn circles_branches_and_extreme_numbers_end() {
    let mut nodes = vec![
        node("Add", &["b", "b"], "a", vec![]),
        node("Add", &["a", "a"], "b", vec![]),
    ];
    nodes.extend((0..60).map(|step| {
        let (before, after) = (format!("v{step}"), format!("v{}", step + 1));
        node("Add", &[&before, &before], &after, vec![])
    }));
    for (input, axis) in [("a", i64::MAX), ("v60", i64::MIN), ("v60", 1)] {
        let mut all = nodes.clone();
        all.push(node("Softmax", &[input], "y", vec![whole("axis", axis)]));
        assert!(wrong(12, &[1, 2, 3, 4], all), "{input} {axis}");
    }
    let extreme = ["kernel_shape", "strides", "pads", "dilations"];
    for value in [i64::MAX, i64::MIN, 0] {
        let mut attributes = extreme.map(|name| list(name, &[value; 4])).to_vec();
        attributes.extend([whole("ceil_mode", 1), whole("count_include_pad", 1)]);
        for kind in ["MaxPool", "AveragePool"] {
            wrong(
                17,
                &[1, 1, 8, 8],
                vec![node(kind, &["x"], "y", attributes.clone())],
            );
        }
    }
}

#[test]
fn attributes_that_are_left_out_are_told() {
    struct Case(&'static str, Vec<Attribute>, bool);
    for Case(kind, attributes, expected) in [
        Case("Resize", vec![word("mode", "cubic")], false),
        Case("Resize", vec![whole("antialias", 1)], true),
        Case(
            "Resize",
            vec![word("keep_aspect_ratio_policy", "stretch")],
            false,
        ),
        Case(
            "Resize",
            vec![word("keep_aspect_ratio_policy", "not_larger")],
            true,
        ),
        Case(
            "Resize",
            vec![word("mode", "cubic"), whole("exclude_outside", 1)],
            true,
        ),
        Case(
            "Resize",
            vec![word("mode", "linear"), whole("exclude_outside", 1)],
            false,
        ),
        Case("RoiAlign", vec![word("mode", "avg")], false),
        Case("RoiAlign", vec![word("mode", "max")], true),
    ] {
        let found = wrong(
            18,
            &[1, 3, 8, 8],
            vec![node(kind, &["x"], "y", attributes.clone())],
        );
        assert_eq!(found, expected, "{kind} {attributes:?}");
    }
}
