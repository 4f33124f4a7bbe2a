#!/usr/bin/env bash
# OpenCV's network module pads SAME_LOWER as SAME_UPPER
#
# Guess: ONNX says that auto_pad SAME_LOWER puts the odd row or column of padding at the beginning,
# SAME_UPPER at the end. cv2.dnn tells them apart.
#
# Package: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: for Conv, MaxPool and AveragePool alike the padding goes to the end. The output is
# moved by one pixel, the shapes are right, and nothing is said.
#
# Output seen:
#     MaxPool: onnxruntime [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], OpenCV [1.0, 2.0, 3.0, 4.0, 5.0, 5.0]
#     AveragePool: onnxruntime [0.0, 0.5, 1.5, 2.5, 3.5, 4.5], OpenCV [0.5, 1.5, 2.5, 3.5, 4.5, 5.0]
#     Conv: onnxruntime [0.0, 10.0, 21.0, 32.0, 43.0, 54.0], OpenCV [10.0, 21.0, 32.0, 43.0, 54.0, 5.0]
#
# Where a user of Straylight meets it: the same network run with cv2.dnn beside Straylight.
# OpenVINO, which Straylight runs, agrees with onnxruntime. Write explicit pads into the model.
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
from onnx import TensorProto, checker, helper, numpy_helper

row = np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6)
moved = {}
for operator, attributes in {"MaxPool": {"kernel_shape": [1, 2]}, "AveragePool": {"kernel_shape": [1, 2]}, "Conv": {}}.items():
    inputs, weights = ["x"], []
    if operator == "Conv":
        inputs, weights = ["x", "w"], [numpy_helper.from_array(np.array([[[[1, 10]]]], np.float32), "w")]
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, ["y"], auto_pad="SAME_LOWER", **attributes)],
        "padded",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, row.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, row.shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    expected = onnxruntime.InferenceSession(data).run(None, {"x": row})[0].ravel()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(row)
    found = network.forward().ravel()
    print(f"{operator}: onnxruntime {expected.tolist()}, OpenCV {found.tolist()}")
    moved[operator] = np.allclose(found[:-1], expected[1:]) and not np.allclose(found, expected)
if not all(moved.values()):
    sys.exit("changed: OpenCV pads SAME_LOWER at the beginning")
PY
