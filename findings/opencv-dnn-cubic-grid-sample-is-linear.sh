#!/usr/bin/env bash
# OpenCV's network module samples a grid linearly when the model says cubic
#
# Guess: GridSample of mode "cubic" (the name since ONNX opset 20; "bicubic" before) is cubic
# interpolation with its negative weights, as in onnxruntime, or is refused.
#
# Package: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: the new name gives linear interpolation without a word.
#
# Output seen:
#     onnxruntime, cubic  [-0.11, 0.831, 0.979]
#     OpenCV, cubic       [0.0, 0.7, 0.9]
#     onnxruntime, linear [0.0, 0.7, 0.9]
#
# Where a user of Straylight meets it: models that warp or align (spatial transformers, flow,
# deskewing), exported with a new opset and run with cv2.dnn beside Straylight. OpenVINO, which
# Straylight runs, agrees with onnxruntime.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper

picture = np.zeros((1, 1, 8, 8), np.float32)
picture[..., 3] = 1
grid = np.zeros((1, 1, 3, 2), np.float32)
grid[..., 0] = [-0.45, -0.2, -0.1]


def run(mode):
    graph = helper.make_graph(
        [helper.make_node("GridSample", ["x", "grid"], ["y"], mode=mode)],
        "warp",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape),
            helper.make_tensor_value_info("grid", TensorProto.FLOAT, grid.shape),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    checker.check_model(model)
    data = model.SerializeToString()
    expected = onnxruntime.InferenceSession(data).run(None, {"x": picture, "grid": grid})[0]
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(picture, "x")
    network.setInput(grid, "grid")
    return expected.ravel(), network.forward().ravel()


cubic, found = run("cubic")
linear, _ = run("linear")
for name, values in {"onnxruntime, cubic": cubic, "OpenCV, cubic": found, "onnxruntime, linear": linear}.items():
    print(f"{name:20}{[round(float(value), 3) for value in values]}")
if not (np.allclose(found, linear, atol=1e-4) and np.abs(found - cubic).max() > 0.05):
    sys.exit("changed: OpenCV's cubic GridSample is not the linear one")
PY
