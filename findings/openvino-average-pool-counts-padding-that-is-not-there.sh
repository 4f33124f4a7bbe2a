#!/usr/bin/env bash
# OpenVINO and OpenCV divide by pixels outside of the padding in an AveragePool with ceil_mode
#
# Guess: with ceil_mode the last window may hang over the padded border; PyTorch, and ONNX since
# opset 19, count with count_include_pad only what lies in the image and its padding.
#
# Package: openvino 2026.4.1, opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2,
# numpy 2.4.6)
#
# Behaviour: where the model pads at the end only, OpenVINO and OpenCV divide by the full size of
# the window, so that the last column of a picture of ones is too dark. Nothing is said.
#
# Output seen:
#     onnxruntime [1.0, 0.667]
#     OpenVINO    [1.0, 0.5]
#     OpenCV      [1.0, 0.5]
#
# Where a user of Straylight meets it: networks with AvgPool2d(ceil_mode=True) and asymmetric pads.
# Straylight refuses such a model and names the node. Export it with ceil_mode off.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 opencv-python-headless==5.0.0.93 onnxruntime==1.32.0 onnx==1.23.2 \
    numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper

picture = np.ones((1, 1, 1, 5), np.float32)
graph = helper.make_graph(
    [helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[1, 4], strides=[1, 3], pads=[0, 0, 0, 1], count_include_pad=1, ceil_mode=1)],
    "pool",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 2])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
checker.check_model(model, full_check=True)
data = model.SerializeToString()
expected = onnxruntime.InferenceSession(data).run(None, {"x": picture})[0].ravel()
core = openvino.Core()
found = {"OpenVINO": core.compile_model(core.read_model(model=data), "CPU")([picture])[0].ravel()}
network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
network.setInput(picture)
found["OpenCV"] = network.forward().ravel()
for name, values in {"onnxruntime": expected, **found}.items():
    print(f"{name:12}{[round(float(value), 3) for value in values]}")
if not (np.allclose(expected, [1, 2 / 3]) and all(np.allclose(values, [1, 0.5]) for values in found.values())):
    sys.exit("changed: another number of pixels is counted")
PY
