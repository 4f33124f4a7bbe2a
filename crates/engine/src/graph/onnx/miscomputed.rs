//! Nodes that OpenVINO computes otherwise than ONNX defines them, without a word.
//!
//! Each was compared with ONNX Runtime 1.32 and, for pooling, with `PyTorch` 2.8 on `OpenVINO`
//! 2026.4.1. A node is named only where its numbers can differ: sizes that the file does not tell
//! count as those that differ.

use std::cell::RefCell;
use std::collections::HashMap;

use super::wire::{Attribute, Graph, Model, Node};

/// What is wrong with the nodes of a model, one sentence each; empty when all is well.
pub(super) fn find(model: &Model) -> Vec<String> {
    let own = |set: &&super::wire::OperatorSet| matches!(set.domain.as_str(), "" | "ai.onnx");
    let opset = model.opset_import.iter().find(own);
    let mut found = Vec::new();
    if let (Some(graph), Some(opset)) = (&model.graph, opset) {
        search(graph, opset.version, &mut found);
    }
    found.dedup();
    found
}

fn search(graph: &Graph, opset: i64, found: &mut Vec<String>) {
    let shapes = Shapes::of(graph);
    for node in graph.node.iter().filter(|node| is_own(node)) {
        let wrong = match node.op_type.as_str() {
            "Softmax" if matches!(opset, 11 | 12) => softmax(node, &shapes),
            "ReduceL1" | "ReduceLogSum" | "ReduceLogSumExp" if (13..=17).contains(&opset) => {
                reduce(node, &shapes)
            }
            "MaxPool" | "AveragePool" => pool(node, &shapes),
            "Resize" => resize(node, &shapes),
            "RoiAlign" if text(node, "mode") == "max" => Some(
                "takes the largest of other values: ONNX Runtime weighs the pixels around a place \
                 first; export it with mode=avg"
                    .to_owned(),
            ),
            _ => None,
        };
        if let Some(reason) = wrong {
            found.push(format!("its node {} {reason}", named(node)));
        }
        for attribute in &node.attribute {
            for inner in attribute.g.iter().chain(&attribute.graphs) {
                search(inner, opset, found);
            }
        }
    }
}

/// Softmax of opset 11 and 12 works on all that lies behind `axis` together; OpenVINO works along
/// `axis` alone.
fn softmax<'a>(node: &'a Node, shapes: &Shapes<'a>) -> Option<String> {
    let axis = integer(node, "axis").unwrap_or(1);
    let name = node.input.first()?;
    let alike = match shapes.known(name) {
        Some(shape) => {
            let rank = shape.len() as i64;
            let axis = if axis < 0 {
                axis.saturating_add(rank)
            } else {
                axis
            };
            let behind = usize::try_from(axis.saturating_add(1)).ok();
            behind.is_some_and(|from| shape.iter().skip(from).all(|&side| side == Some(1)))
        }
        None => {
            axis == -1
                || shapes
                    .rank(name, 0)
                    .is_some_and(|rank| axis.checked_add(1) == Some(rank))
        }
    };
    (!alike).then(|| {
        format!(
            "works along axis {axis} alone there, while opset 11 and 12 work on all axes from it on; \
             convert the model: onnx.version_converter.convert_version(model, 13)"
        )
    })
}

/// Opset 13 moved the axes of `ReduceSum` to an input; of these they stay an attribute until opset 18,
/// which OpenVINO does not read.
fn reduce<'a>(node: &'a Node, shapes: &Shapes<'a>) -> Option<String> {
    let axes = integers(node, "axes");
    let rank = node.input.first().and_then(|name| shapes.rank(name, 0));
    let reduces_all = axes.is_empty() || rank == Some(axes.len() as i64);
    (!reduces_all).then(|| {
        format!(
            "gives one number for all axes there, and not for the axes {axes:?} alone, as it should; \
             export the model with opset 18, or convert it: \
             onnx.version_converter.convert_version(model, 18)"
        )
    })
}

/// With `ceil_mode`, windows that begin behind the image, and the padding that averages count.
fn pool(node: &Node, shapes: &Shapes<'_>) -> Option<String> {
    if integer(node, "ceil_mode") != Some(1) || !matches!(text(node, "auto_pad"), "" | "NOTSET") {
        return None;
    }
    let kernel = integers(node, "kernel_shape");
    let [strides, dilations, pads] =
        ["strides", "dilations", "pads"].map(|name| integers(node, name));
    let shape = node.input.first().and_then(|name| shapes.known(name));
    let average = node.op_type == "AveragePool";
    let counts_padding =
        integer(node, "count_include_pad") == Some(1) && pads.iter().any(|&pad| pad > 0);
    if average && !counts_padding {
        return None;
    }
    let differs = (0..kernel.len()).any(|axis| {
        let at = |values: &[i64], other: i64| values.get(axis).copied().unwrap_or(other).max(other);
        let (stride, dilation) = (at(&strides, 1), at(&dilations, 1));
        let reach = kernel[axis]
            .saturating_sub(1)
            .saturating_mul(dilation)
            .saturating_add(1);
        let begin = pads.get(axis).copied().unwrap_or(0);
        let end = pads.get(axis + kernel.len()).copied().unwrap_or(0);
        let side = shape.and_then(|shape| shape.get(axis + 2).copied().flatten());
        let padding = begin.saturating_add(end);
        let rest = side.map(|side| side.saturating_add(padding).saturating_sub(reach));
        let Some(rest) = rest else {
            return average || end.saturating_add(stride - 1) >= reach;
        };
        let last = rest
            .saturating_add(stride - 1)
            .div_euclid(stride)
            .saturating_mul(stride);
        if average {
            last != rest
        } else {
            side.is_some_and(|side| last >= side.saturating_add(begin))
        }
    });
    differs.then(|| {
        let what = if average {
            "counts other pixels at the border there (ceil_mode with padding that counts)"
        } else {
            "makes a row or column that begins behind the image there (ceil_mode), which holds the \
             smallest number there is"
        };
        format!("{what}; export it with ceil_mode off")
    })
}

/// Attributes that are left out.
fn resize(node: &Node, shapes: &Shapes<'_>) -> Option<String> {
    // Without a side that shrinks, the filter is the same.
    let ignored = if integer(node, "antialias") == Some(1) && !shapes.grows(node) {
        "antialias"
    } else if !matches!(text(node, "keep_aspect_ratio_policy"), "" | "stretch") {
        "keep_aspect_ratio_policy"
    } else if text(node, "mode") == "cubic" && integer(node, "exclude_outside") == Some(1) {
        "exclude_outside"
    } else {
        return None;
    };
    Some(format!(
        "is computed there without its attribute {ignored}; scale the image outside of the model, \
         or export it without {ignored}"
    ))
}

/// What a graph tells of the shapes of its values.
struct Shapes<'a> {
    known: HashMap<&'a str, Vec<Option<i64>>>,
    makers: HashMap<&'a str, &'a Node>,
    /// Numbers of axes that were found, or are being looked for: graphs branch and join, and a
    /// damaged one may go in circles.
    ranks: RefCell<HashMap<&'a str, Option<i64>>>,
}

impl<'a> Shapes<'a> {
    fn of(graph: &'a Graph) -> Self {
        let values = graph
            .input
            .iter()
            .chain(&graph.output)
            .chain(&graph.value_info);
        let told = values.filter_map(|value| {
            let shape = value
                .r#type
                .as_ref()?
                .tensor_type
                .as_ref()?
                .shape
                .as_ref()?;
            let sides = shape
                .dim
                .iter()
                .map(|side| side.dim_value.filter(|&size| size > 0));
            Some((value.name.as_str(), sides.collect()))
        });
        let weights = graph.initializer.iter();
        let weights = weights.map(|tensor| {
            let sides = tensor.dims.iter().map(|&side| Some(side));
            (tensor.name.as_str(), sides.collect())
        });
        let makers = graph.node.iter();
        let makers =
            makers.flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
        Self {
            known: told.chain(weights).collect(),
            makers: makers.collect(),
            ranks: RefCell::default(),
        }
    }

    fn known(&self, name: &str) -> Option<&[Option<i64>]> {
        self.known.get(name).map(Vec::as_slice)
    }

    /// Whether all sides of a node's output are known to be as long as those of its input, or longer.
    fn grows(&self, node: &Node) -> bool {
        let of = |names: &[String]| self.known(names.first()?);
        let sides = of(&node.input).zip(of(&node.output));
        sides.is_some_and(|(before, after)| {
            let mut pairs = before.iter().zip(after);
            pairs.all(|(before, after)| before.zip(*after).is_some_and(|(a, b)| a <= b))
        })
    }

    /// The number of axes of a value, as far as the nodes before it tell.
    fn rank(&self, name: &'a str, depth: usize) -> Option<i64> {
        if let Some(shape) = self.known(name) {
            return Some(shape.len() as i64);
        }
        if let Some(&rank) = self.ranks.borrow().get(name) {
            return rank;
        }
        let node = *self.makers.get(name).filter(|_| depth < 64)?;
        self.ranks.borrow_mut().insert(name, None);
        let rank = self.rank_of(node, depth + 1);
        self.ranks.borrow_mut().insert(name, rank);
        rank
    }

    fn rank_of(&self, node: &'a Node, depth: usize) -> Option<i64> {
        let of = |place: usize| self.rank(node.input.get(place)?, depth);
        match node.op_type.as_str() {
            "Gemm" | "Flatten" => Some(2),
            "Conv" | "ConvTranspose" => of(1),
            "Transpose" => {
                let axes = integers(node, "perm").len() as i64;
                Some(axes).filter(|&axes| axes > 0).or_else(|| of(0))
            }
            "Reshape" => self.length(node.input.get(1)?),
            "Add" | "Sub" | "Mul" | "Div" | "MatMul" => Some(of(0)?.max(of(1)?)),
            "Where" => Some(of(1)?.max(of(2)?)),
            "Relu" | "Sigmoid" | "Clip" | "Cast" | "Identity" | "Dropout" | "Concat" | "Slice"
            | "BatchNormalization" | "GlobalAveragePool" | "MaxPool" | "AveragePool" => of(0),
            _ => None,
        }
    }

    /// How many numbers a list of sizes has.
    fn length(&self, name: &str) -> Option<i64> {
        self.plain_length(name).or_else(|| {
            let node = self.makers.get(name)?;
            let mut parts = node.input.iter().map(|part| self.plain_length(part));
            let sum = parts.try_fold(0_i64, |sum, part| sum.checked_add(part?));
            sum.filter(|_| node.op_type == "Concat")
        })
    }

    fn plain_length(&self, name: &str) -> Option<i64> {
        if let Some([Some(length)]) = self.known(name) {
            return Some(*length);
        }
        let node = self.makers.get(name)?;
        match node.op_type.as_str() {
            "Unsqueeze" => Some(1),
            "Constant" => {
                let mut values = node.attribute.iter();
                let dims = &values.find_map(|attribute| attribute.t.as_ref())?.dims;
                let mut dims = dims.iter();
                dims.try_fold(1_i64, |product, &side| product.checked_mul(side))
            }
            _ => None,
        }
    }
}

fn is_own(node: &Node) -> bool {
    matches!(node.domain.as_str(), "" | "ai.onnx")
}

/// Kind and name of a node as messages give them.
fn named(node: &Node) -> String {
    match node.name.as_str() {
        "" => node.op_type.clone(),
        name => format!("{} `{name}`", node.op_type),
    }
}

fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a Attribute> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
}

fn integer(node: &Node, name: &str) -> Option<i64> {
    attribute(node, name).map(|attribute| attribute.i)
}

fn integers(node: &Node, name: &str) -> Vec<i64> {
    attribute(node, name)
        .map(|attribute| attribute.ints.clone())
        .unwrap_or_default()
}

fn text<'a>(node: &'a Node, name: &str) -> &'a str {
    let found = attribute(node, name);
    found
        .and_then(|attribute| std::str::from_utf8(&attribute.s).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
