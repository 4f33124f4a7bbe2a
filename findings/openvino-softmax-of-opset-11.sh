#!/usr/bin/env bash
# OpenVINO reads the Softmax of an old ONNX model as one of opset 13
#
# Guess: the opset of the model decides. Before opset 13 Softmax flattens everything from `axis` on,
# so that the numbers of one image add up to 1; from 13 on it works along `axis` alone.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: OpenVINO computes along `axis` alone in a model of opset 11 too. LogSoftmax of the same
# opset flattens, as it should, so that the two no longer agree. Inputs of two dimensions hide the
# difference.
#
# Output seen:
#     opset 11, axis 1, shape 1 x 2 x 1 x 3, sum of all
#     onnxruntime: Softmax 1.0, exp of LogSoftmax 1.0
#     OpenVINO:    Softmax 3.0, exp of LogSoftmax 1.0
#
# Where a user of Straylight meets it: classifiers and heat maps that were exported years ago, with
# a Softmax over a map of four dimensions. Convert the model with onnx.version_converter, or compare
# with onnxruntime, before it is deployed.
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
import onnxruntime
import openvino
from onnx import TensorProto, checker, helper

picture = np.random.default_rng(0).normal(size=(1, 2, 1, 3)).astype(np.float32)
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, picture.shape)
sums = {}
for operator in ("Softmax", "LogSoftmax"):
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"], axis=1)], "old", [value("x")], [value("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    checker.check_model(model)
    data = model.SerializeToString()
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(model=data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = {"onnxruntime": onnxruntime.InferenceSession(data).run(None, {"x": picture})[0], "OpenVINO": compiled([picture])[0]}
    for engine, result in results.items():
        result = np.exp(result) if operator == "LogSoftmax" else result
        sums[engine, operator] = round(float(result.sum()), 3)
print("opset 11, axis 1, shape 1 x 2 x 1 x 3, sum of all")
for engine in ("onnxruntime", "OpenVINO"):
    print(f"{engine + ':':12} Softmax {sums[engine, 'Softmax']}, exp of LogSoftmax {sums[engine, 'LogSoftmax']}")
if sums["onnxruntime", "Softmax"] != 1 or sums["OpenVINO", "Softmax"] != 3:
    sys.exit("changed: both engines give Softmax of opset 11 the same meaning")
PY
