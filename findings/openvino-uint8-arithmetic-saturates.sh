#!/usr/bin/env bash
# uint8 sums stop at 255 in OpenVINO and wrap in onnxruntime
#
# Guess: integer arithmetic of ONNX wraps, as numpy, the ONNX reference and onnxruntime have it.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: Add, Sub and Mul of uint8 and int8 are cut off at the ends of the range in OpenVINO on
# the CPU. 3 - 5 is 0 there and 254 elsewhere.
#
# Output seen:
#     onnxruntime: 3 - 5 = 254, 200 + 100 = 44
#     OpenVINO:    3 - 5 = 0, 200 + 100 = 255
#
# Where a user of Straylight meets it: pre-processing that somebody put into the model before the
# cast to float (x - mean on uint8 pixels, differences of two frames). What was compared under
# onnxruntime has other values in the deployment. Cast first, subtract then.
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

pairs = {"Sub": (3, 5), "Add": (200, 100)}
sign = {"Sub": "-", "Add": "+"}
found = {"onnxruntime": {}, "OpenVINO": {}}
for operator, numbers in pairs.items():
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.UINT8, [1])
    graph = helper.make_graph([helper.make_node(operator, ["a", "b"], ["c"])], "bytes", [value("a"), value("b")], [value("c")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    feed = dict(zip("ab", (np.array([number], np.uint8) for number in numbers)))
    core = openvino.Core()
    found["onnxruntime"][operator] = int(onnxruntime.InferenceSession(data).run(None, feed)[0][0])
    found["OpenVINO"][operator] = int(core.compile_model(core.read_model(model=data), "CPU")(feed)[0][0])
for engine, results in found.items():
    print(f"{engine + ':':12} " + ", ".join(f"{pairs[name][0]} {sign[name]} {pairs[name][1]} = {result}" for name, result in results.items()))
if found != {"onnxruntime": {"Sub": 254, "Add": 44}, "OpenVINO": {"Sub": 0, "Add": 255}}:
    sys.exit("changed: the two engines agree on uint8 arithmetic")
PY
