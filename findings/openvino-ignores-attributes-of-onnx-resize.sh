#!/usr/bin/env bash
# OpenVINO reads ONNX Resize with antialias, and leaves the antialias out
#
# Guess: an attribute that a frontend cannot carry out makes it refuse the model.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: Resize (opset 18 and later) with antialias=1 gives the values of plain linear
# resizing; keep_aspect_ratio_policy is dropped too, and even the output has another shape then. No
# warning. onnxruntime agrees with the ONNX reference in both.
#
# Output seen:
#     antialias=1, one row: onnxruntime [95.6 63.8 63.8 39.8]   OpenVINO [0. 0. 0. 0.]
#     not_larger, 10 x 20 to 7 x 7: onnxruntime (4, 7)   OpenVINO (7, 7)
#
# Where a user of Straylight meets it: PyTorch exports F.interpolate(..., antialias=True) and
# torchvision's Resize (antialias is its default) to this node, so a model that scales its own
# input sees aliased images in OpenVINO. Straylight runs models by OpenVINO: scale outside the
# graph, or compare a few outputs with onnxruntime.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper


def both(image, sizes, **attributes):
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", **attributes)
    graph = helper.make_graph([node], "resize", [helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)],
                              [numpy_helper.from_array(np.array(sizes, np.int64), "sizes")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    onnx.checker.check_model(model)
    right = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": image})[0]
    core = openvino.Core()
    seen = core.compile_model(core.read_model(model=model.SerializeToString()), "CPU",
                              {"INFERENCE_PRECISION_HINT": "f32"})([image])[0]
    return right, seen


stripes = np.tile(np.array([255, 0, 0, 0], np.float32), 4)[None, None, None].repeat(4, axis=2)
right, seen = both(stripes, [1, 1, 4, 4], antialias=1)
print(f"antialias=1, one row: onnxruntime {right[0, 0, 0].round(1)}   OpenVINO {seen[0, 0, 0].round(1)}")
ignored = np.abs(right - seen).max() > 10
kept, stretched = both(np.ones((1, 1, 10, 20), np.float32), [7, 7], axes=[2, 3], keep_aspect_ratio_policy="not_larger")
print(f"not_larger, 10 x 20 to 7 x 7: onnxruntime {kept.shape[2:]}   OpenVINO {stretched.shape[2:]}")
if not (ignored and kept.shape != stretched.shape):
    sys.exit("changed: OpenVINO carries out antialias or keep_aspect_ratio_policy")
PY
