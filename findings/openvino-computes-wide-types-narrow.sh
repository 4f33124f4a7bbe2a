#!/usr/bin/env bash
# OpenVINO's CPU computes int64 as int32 and float64 as float32, under the old names
#
# Guess: a graph whose tensors are int64 or float64 gives the numbers of onnxruntime; where a
# plugin has no such arithmetic it refuses, or the output type says so.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: the outputs keep their type and hold wrapped or clipped values. 3000000 squared in
# int64 is 2043514880, and 1e30 squared in float64 is 3.4e38.
#
# Output seen:
#     int64    onnxruntime 9000000000000   OpenVINO 2043514880 (int64)
#     float64  onnxruntime 1.0000000000000001e+60   OpenVINO 3.4028234663852886e+38 (float64)
#
# Where a user of Straylight meets it: indices into large score tables (batch x anchors x classes
# above 2^31), time stamps or hashes in a graph, and distances in float64. Straylight computes its
# scores outside the graph, in f32 and f64.
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

same = True
for name, kind, value in (("int64", TensorProto.INT64, 3_000_000), ("float64", TensorProto.DOUBLE, 1e30)):
    graph = helper.make_graph([helper.make_node("Mul", ["x", "x"], ["y"])], name,
                              [helper.make_tensor_value_info("x", kind, [1])],
                              [helper.make_tensor_value_info("y", kind, [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    given = np.array([value], name)
    right = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": given})[0]
    core = openvino.Core()
    seen = core.compile_model(core.read_model(model=model.SerializeToString()), "CPU",
                              {"INFERENCE_PRECISION_HINT": "f32"})([given])[0]
    print(f"{name:8} onnxruntime {right[0]}   OpenVINO {seen[0]} ({seen.dtype})")
    same = same and (seen.dtype != given.dtype or seen[0] == right[0])
if same:
    sys.exit("changed: OpenVINO computes in 64 bits, or says by the type that it does not")
PY
