#!/usr/bin/env bash
# onnx.save_model with external data takes the weights out of the model in memory
#
# Guess: saving does not change what is saved: afterwards the model in memory still has its
# weights.
#
# Package: onnx 1.23.2, onnxruntime 1.32.0 (numpy 2.4.6)
#
# Behaviour: the initialisers in memory are changed to references to the file. Serialised again, or
# written under another folder, the model has no weights, and loads only where the file happens to
# be beside it. Saving a second time to the same place raises FileExistsError.
#
# Output seen:
#     bytes of weights in memory: before 16384, after 0
#     second save to the same place: FileExistsError
#
# Where a user of Straylight meets it: conversion scripts that save a large model, then check or
# simplify the object that they still hold, then save again. Reload it after saving. Straylight
# reads external data beside the model and names the missing file if it is not there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weights = np.zeros((4, 1024), np.float32)
graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "linear",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1024])],
                          [numpy_helper.from_array(weights, "w")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
how = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
before = len(model.graph.initializer[0].raw_data)
onnx.save_model(model, "model.onnx", **how)
after = len(model.graph.initializer[0].raw_data)
print(f"bytes of weights in memory: before {before}, after {after}")
try:
    onnx.save_model(onnx.load("model.onnx"), "model.onnx", **how)
    second = "written"
except FileExistsError as error:
    second = type(error).__name__
print(f"second save to the same place: {second}")
if not (before == weights.nbytes and after == 0):
    sys.exit("changed: saving external data leaves the model in memory as it was")
PY
