"""ONNX models: a classifier by mean colour, and detectors of red and green quarters."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

SIDE = 16
# The four quarters of the image, row by row: left, upper, right, lower edge in pixels.
QUARTERS = [[0, 0, 8, 8], [8, 0, 16, 8], [0, 8, 8, 16], [8, 8, 16, 16]]


def classifier() -> bytes:
    """Return a classifier: mean of each channel, then a linear layer. Its batch has no fixed size."""
    weights = np.array([[0.02, -0.01, -0.01], [-0.01, 0.02, -0.01], [-0.01, -0.01, 0.02]], np.float32)
    constants = {"weights": weights, "bias": np.array([0.5, 0.0, -0.5], np.float32)}
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"], "pool"),
        helper.make_node("Flatten", ["pooled"], ["means"], "flatten", axis=1),
        helper.make_node("Gemm", ["means", "weights", "bias"], ["logits"], "head", transB=1),
    ]
    return model("classifier", ["batch", 3, SIDE, SIDE], nodes, constants, {"logits": (TensorProto.FLOAT, ["batch", 3])})


def detector() -> bytes:
    """Return a detector with three outputs: boxes, scores and labels."""
    nodes, constants = scored_quarters()
    constants |= {"all_labels": np.array([[0] * 4 + [1] * 4], np.int64)}
    nodes += [
        helper.make_node("Reshape", ["colours", "to_scores"], ["scores"]),
        helper.make_node("Identity", ["all_boxes"], ["boxes"]),
        helper.make_node("Identity", ["all_labels"], ["labels"]),
    ]
    outputs = {
        "boxes": (TensorProto.FLOAT, [1, 8, 4]),
        "scores": (TensorProto.FLOAT, [1, 8]),
        "labels": (TensorProto.INT64, [1, 8]),
    }
    return model("detector", [1, 3, SIDE, SIDE], nodes, constants | {"to_scores": np.array([1, 8])}, outputs)


def rows() -> bytes:
    """Return the same detector with one output of rows: edges, score, class."""
    nodes, constants = scored_quarters()
    constants |= {
        "all_labels": np.array([[[0]] * 4 + [[1]] * 4], np.float32),
        "to_scores": np.array([1, 8, 1]),
    }
    nodes += [
        helper.make_node("Reshape", ["colours", "to_scores"], ["scores"]),
        helper.make_node("Concat", ["all_boxes", "scores", "all_labels"], ["output0"], axis=2),
    ]
    return model("rows", [1, 3, SIDE, SIDE], nodes, constants, {"output0": (TensorProto.FLOAT, [1, 8, 6])})


def scored_quarters() -> tuple[list, dict[str, np.ndarray]]:
    """Return the nodes for the mean red and green of each quarter, 0 to 1, and their constants."""
    # Row by row, a channel gives twice itself less all three: what is white or grey scores below 0.
    mix = np.array([[1, -1, -1], [-1, 1, -1]], np.float32).reshape(2, 3, 1, 1) / 255
    nodes = [
        helper.make_node("AveragePool", ["image"], ["means"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["means", "mix"], ["colours"]),
    ]
    return nodes, {"mix": mix, "all_boxes": np.array([QUARTERS * 2], np.float32)}


def model(name: str, image: list, nodes: list, constants: dict, outputs: dict) -> bytes:
    """Return the bytes of a checked model."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(key, kind, shape) for key, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)
