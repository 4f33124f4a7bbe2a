#!/usr/bin/env bash
# OpenCV's network module takes the scale of a Resize from the sizes, not from the model
#
# Guess: ONNX says that a Resize with `scales` uses those numbers for the places of its samples; the
# rounded output size does not change them. cv2.dnn keeps to it.
#
# Package: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: halving 9 columns gives 4, and OpenCV then works with 4/9 instead of 1/2, for linear,
# cubic and nearest alike. Every sample lies elsewhere, up to half a pixel at the far border;
# feature maps of odd size are enough. Scales that give whole sizes are right. Nothing is said.
#
# Output seen:
#     onnxruntime [0.5, 2.5, 4.5, 6.5]
#     OpenCV      [0.625, 2.875, 5.125, 7.375]
#
# Where a user of Straylight meets it: the same exported network run with cv2.dnn beside Straylight.
# OpenVINO, which Straylight runs, uses the scales of the model and agrees with onnxruntime here.
# Export with sizes, or with inputs whose sizes divide, where cv2.dnn must run it too.
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

picture = np.tile(np.arange(9, dtype=np.float32), (9, 1))[None, None]
graph = helper.make_graph(
    [helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear", coordinate_transformation_mode="half_pixel")],
    "halve",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, picture.shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 4, 4])],
    [numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32), "scales")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model)
data = model.SerializeToString()
expected = onnxruntime.InferenceSession(data).run(None, {"x": picture})[0]
network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
network.setInput(picture)
found = network.forward()
print(f"onnxruntime {expected[0, 0, 0].tolist()}")
print(f"OpenCV      {found[0, 0, 0].tolist()}")
if not (np.allclose(expected[0, 0, 0], [0.5, 2.5, 4.5, 6.5]) and np.abs(found - expected).max() > 0.4):
    sys.exit("changed: OpenCV uses the scales of the model")
PY
