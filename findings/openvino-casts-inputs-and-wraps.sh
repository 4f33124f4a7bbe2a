#!/usr/bin/env bash
# OpenVINO's Python API casts an array to the type of the input, and 300 becomes 44
#
# Guess: a float array given to a uint8 input is refused, as onnxruntime does, or clipped to
# 0..255.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: the array goes through numpy's astype without a word: 300 wraps round to 44, -1 to
# 255, fractions are cut off. An image that is already scaled to 0..1 becomes black.
#
# Output seen:
#     given [0.9, 300, -1], OpenVINO computes with [0. 44. 255.]
#     onnxruntime: InvalidArgument
#
# Where a user of Straylight meets it: models with pre-processing inside take uint8 images; code
# written for a float model feeds them normalised floats. Straylight gives OpenVINO uint8 pixels,
# and builds mean, scale and the type that the model wants into the graph.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper

warnings.simplefilter("ignore")
node = helper.make_node("Cast", ["image"], ["value"], to=TensorProto.FLOAT)
graph = helper.make_graph([node], "uint8 input", [helper.make_tensor_value_info("image", TensorProto.UINT8, [3])],
                          [helper.make_tensor_value_info("value", TensorProto.FLOAT, [3])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
floats = np.array([0.9, 300, -1], np.float32)
core = openvino.Core()
seen = core.compile_model(core.read_model(model=model.SerializeToString()), "CPU")([floats])[0]
print(f"given [0.9, 300, -1], OpenVINO computes with {seen}")
try:
    onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": floats})
    refused = ""
except Exception as error:
    refused = type(error).__name__
    print(f"onnxruntime: {refused}")
if not (refused and seen.tolist() == [0, 44, 255]):
    sys.exit("changed: OpenVINO no longer wraps floats into a uint8 input")
PY
