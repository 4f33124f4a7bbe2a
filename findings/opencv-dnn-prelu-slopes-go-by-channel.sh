#!/usr/bin/env bash
# OpenCV's network module lays the slopes of a PRelu along the channels, whatever their shape
#
# Guess: ONNX broadcasts the slopes of PRelu as numpy does: four slopes of shape [4] belong to the
# last axis of an input of 1 x 2 x 3 x 4. Another reading would not even fit, and would raise.
#
# Package: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: OpenCV gives the first slope to the first channel and the second to the second, and
# leaves the others unused. Nothing is said.
#
# Output seen:
#     onnxruntime  first rows of the two channels [[-1.0, -2.0, -3.0, -4.0], [-1.0, -2.0, -3.0, -4.0]]
#     OpenCV       first rows of the two channels [[-1.0, -1.0, -1.0, -1.0], [-2.0, -2.0, -2.0, -2.0]]
#
# Where a user of Straylight meets it: networks with channels last, as TensorFlow exports hold them
# (face and hand detectors of small devices use PRelu), run with cv2.dnn beside Straylight.
# OpenVINO, which Straylight runs, agrees with onnxruntime.
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

picture = -np.ones((1, 2, 3, 4), np.float32)
graph = helper.make_graph(
    [helper.make_node("PRelu", ["x", "slopes"], ["y"])],
    "activation",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, picture.shape)],
    [numpy_helper.from_array(np.array([1, 2, 3, 4], np.float32), "slopes")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model, full_check=True)
data = model.SerializeToString()
expected = onnxruntime.InferenceSession(data).run(None, {"x": picture})[0]
network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
network.setInput(picture)
found = network.forward()
for name, values in {"onnxruntime": expected, "OpenCV": found}.items():
    print(f"{name:12} first rows of the two channels {values[0, :, 0].tolist()}")
if not (np.allclose(expected[0, 0, 0], [-1, -2, -3, -4]) and np.allclose(found[0, :, 0], [[-1] * 4, [-2] * 4])):
    sys.exit("changed: OpenCV lays the slopes of a PRelu in another way")
PY
