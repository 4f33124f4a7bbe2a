#!/usr/bin/env bash
# OpenVINO runs a model although one of its inputs was not given
#
# Guess: leaving out an input raises, as onnxruntime does ("Required inputs are missing").
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: CompiledModel called with a shorter list, or a dictionary without one input, computes
# with whatever the tensor of that input holds: the value of the previous call, or memory that was
# never written. No error, no warning. A wrong key does raise.
#
# Output seen:
#     OpenVINO, both inputs given: [5. 5.]
#     OpenVINO, the second left out: [5. 5.]
#     onnxruntime, the second left out: ValueError
#
# Where a user of Straylight meets it: detectors with a second input for the image size
# (PaddleDetection's im_shape and scale_factor, RT-DETR's orig_target_sizes). The boxes of one
# image are then scaled with the size of the image before it. Give a deployment a model whose only
# input is the image.
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
from onnx import TensorProto, helper

names = ["image", "size"]
inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in names]
output = helper.make_tensor_value_info("sum", TensorProto.FLOAT, [2])
graph = helper.make_graph([helper.make_node("Add", names, ["sum"])], "two inputs", inputs, [output])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
image, size = np.full(2, 2, np.float32), np.full(2, 3, np.float32)

compiled = openvino.Core().compile_model(openvino.Core().read_model(model=model.SerializeToString()), "CPU")
full = compiled({"image": image, "size": size})[0]
short = compiled({"image": image})[0]
print(f"OpenVINO, both inputs given: {full}")
print(f"OpenVINO, the second left out: {short}")
try:
    onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"image": image})
    refused = False
except ValueError as error:
    refused = True
    print(f"onnxruntime, the second left out: {type(error).__name__}")
if not (refused and short.tolist() == [5, 5]):
    sys.exit("changed: OpenVINO no longer runs with the last value of a missing input")
PY
