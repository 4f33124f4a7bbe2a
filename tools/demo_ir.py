"""The demo's model: a frozen backbone with a new head and a saliency branch, as FP16 IR.

Outputs, in this order: `logits` (1, C), `saliency_map` (u8, 1, C, h, w) and
`feature_vector` (1, D). The head is a plain MatMul and Add on the feature vector, so that
its weights can be read from the graph.
"""

import json
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as ops

INPUT_SIDE = 224
MEAN, SCALE = 127.0, 128.0
FEATURES_NAME = "features"
POOLING_TYPE = "ReduceMean"
F32 = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}


def read_backbone(path: Path) -> tuple[ov.Model, ov.Output, ov.Output]:
    """Return the backbone at a batch of one, its feature vector and its last feature map."""
    model = ov.Core().read_model(path)
    model.reshape([1, 3, INPUT_SIDE, INPUT_SIDE])
    features = model.output(FEATURES_NAME).get_node().input_value(0)
    pooling = features.get_node().input_value(0).get_node()
    if pooling.get_type_name() != POOLING_TYPE:
        raise SystemExit(f"{path}: features come from {pooling.get_type_name()}, not {POOLING_TYPE}")
    return model, features, pooling.input_value(0)


def preprocess(photo: Path) -> np.ndarray:
    """Decode a photo and return the network's input: f32, (1, 3, 224, 224), RGB."""
    bgr = cv2.imread(str(photo), cv2.IMREAD_COLOR)
    if bgr is None:
        raise SystemExit(f"{photo}: cannot be decoded")
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    small = cv2.resize(rgb, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_LINEAR)
    return ((small.astype(np.float32) - MEAN) / SCALE).transpose(2, 0, 1)[None]


def extract_features(backbone: Path, photos: list[Path]) -> np.ndarray:
    """Return the feature vectors of the photos, one row each, f32."""
    model, features, _ = read_backbone(backbone)
    compiled = ov.Core().compile_model(ov.Model([features], model.get_parameters()), "CPU", F32)
    return np.stack([compiled(preprocess(photo))[0][0].copy() for photo in photos])


def named(node: ov.Node, name: str) -> ov.Node:
    """Give a node and its output tensor a fixed name; automatic names differ between runs."""
    node.set_friendly_name(name)
    if node.get_type_name() not in ("Constant", "Result"):
        node.output(0).set_names({name})
    return node


def constant(value: np.ndarray, name: str) -> ov.Node:
    """Make a named constant."""
    return named(ops.constant(value), name)


def head_nodes(features: ov.Output, weights: ov.Node, bias: np.ndarray) -> ov.Node:
    """logits = W z + b."""
    product = named(ops.matmul(features, weights, False, True), "head/MatMul")
    return named(ops.add(product, constant(bias[None], "head/bias")), "logits")


def saliency_nodes(feature_map: ov.Output, weights: ov.Node) -> ov.Node:
    """Class activation map: W over the last feature map, per class scaled to 0..255."""
    _, channels, height, width = feature_map.shape
    classes = weights.shape[0]
    flat = ops.reshape(feature_map, constant(np.array([1, channels, height * width]), "cam/flat_shape"), False)
    cam = named(ops.matmul(weights, named(flat, "cam/flat"), False, False), "cam/MatMul")
    axis = constant(np.array([2]), "cam/axis")
    low = named(ops.reduce_min(cam, axis, True), "cam/min")
    high = named(ops.reduce_max(cam, axis, True), "cam/max")
    # A flat map gives 0 everywhere instead of 0 / 0; 2^-10 is exact in FP16.
    smallest = constant(np.array([[[2.0**-10]]], np.float32), "cam/smallest_range")
    spread = named(ops.maximum(named(ops.subtract(high, low), "cam/range"), smallest), "cam/spread")
    unit = named(ops.divide(named(ops.subtract(cam, low), "cam/shifted"), spread), "cam/unit")
    grey = named(ops.multiply(unit, constant(np.array([[[255.0]]], np.float32), "cam/255")), "cam/scaled")
    rounded = named(ops.round(grey, "half_to_even"), "cam/rounded")
    bytes_ = named(ops.convert(rounded, "u8"), "cam/u8")
    shape = constant(np.array([1, classes, height, width]), "cam/shape")
    return named(ops.reshape(bytes_, shape, False), "saliency_map")


def model_info(labels: list[str], label_ids: list[str]) -> dict[str, str]:
    """Return the `rt_info/model_info` of the deployment, as strings."""
    info = {"label_names": labels, "label_ids": label_ids, "label_groups": [labels]}
    return {
        "confidence_threshold": "0.5",
        "hierarchical": "False",
        "label_ids": " ".join(label_ids),
        "label_info": json.dumps(info),
        "labels": " ".join(labels),
        "mean_values": " ".join([f"{MEAN}"] * 3),
        "model_type": "Classification",
        "multilabel": "False",
        "optimization_config": "{}",
        "output_raw_scores": "True",
        "pad_value": "0",
        "resize_type": "standard",
        "reverse_input_channels": "False",
        "scale_values": " ".join([f"{SCALE}"] * 3),
        "task_type": "classification",
    }


def build_model(backbone: Path, weights: np.ndarray, bias: np.ndarray, info: dict[str, str]) -> ov.Model:
    """Assemble the deployment's model from the backbone and the head."""
    model, features, feature_map = read_backbone(backbone)
    # The weights are rounded to FP16 first: what the file holds is what was measured.
    w = constant(weights.astype(np.float16).astype(np.float32), "head/weights")
    b = bias.astype(np.float16).astype(np.float32)
    features.set_names({"feature_vector"})
    features.get_node().set_friendly_name("feature_vector")
    outputs = [head_nodes(features, w, b), saliency_nodes(feature_map, w), features]
    names = ("logits", "saliency_map", "feature_vector")
    results = [named(ops.result(out), f"{name}/result") for out, name in zip(outputs, names)]
    built = ov.Model(results, model.get_parameters(), "efficientnet_lite0_demo")
    built.get_parameters()[0].set_layout(ov.Layout("NCHW"))
    for key, value in info.items():
        built.set_rt_info(value, ["model_info", key])
    built.set_rt_info(ov.get_version(), ["Runtime_version"])
    return built


def save_model(model: ov.Model, folder: Path) -> None:
    """Write model.xml and model.bin with weights compressed to FP16."""
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, folder / "model.xml", compress_to_fp16=True)
