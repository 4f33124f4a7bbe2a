#!/usr/bin/env bash
# OpenVINO reduces every axis in ReduceLogSumExp, ReduceLogSum and ReduceL1 of opset 13
#
# Guess: up to opset 17 ONNX names the axes of a reduction in an attribute (only ReduceSum takes
# them as an input since 13). OpenVINO's ONNX reader follows, as it does for ReduceMean and
# ReduceMax.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: in models of opset 13 these three take no notice of the axes and give one number for
# the whole batch. The same nodes are right at opset 12 and at opset 18. Nothing is said, and with
# keepdims the number is broadcast by what follows.
#
# Output seen:
#     opset 12, ReduceLogSumExp onnxruntime [3.41, 30.0], OpenVINO [3.41, 30.0]
#     opset 12, ReduceLogSum    onnxruntime [1.79, 4.09], OpenVINO [1.79, 4.09]
#     opset 12, ReduceL1        onnxruntime [6.0, 60.0], OpenVINO [6.0, 60.0]
#     opset 12, ReduceMean      onnxruntime [2.0, 20.0], OpenVINO [2.0, 20.0]
#     opset 13, ReduceLogSumExp onnxruntime [3.41, 30.0], OpenVINO [30.0]
#     opset 13, ReduceLogSum    onnxruntime [1.79, 4.09], OpenVINO [4.19]
#     opset 13, ReduceL1        onnxruntime [6.0, 60.0], OpenVINO [66.0]
#     opset 13, ReduceMean      onnxruntime [2.0, 20.0], OpenVINO [2.0, 20.0]
#
# Where a user of Straylight meets it: an energy score (ReduceLogSumExp of the logits) or a norm
# over the channels put into the graph, exported at opset 13 to 17. Straylight refuses such a model
# with the node's name. Its own energy score is computed from the logits, outside of the graph.
# Export at opset 18.
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

logits = np.array([[1, 2, 3], [10, 20, 30]], np.float32)
core, whole = openvino.Core(), {}
for opset in (12, 13):
    for operator in ("ReduceLogSumExp", "ReduceLogSum", "ReduceL1", "ReduceMean"):
        graph = helper.make_graph(
            [helper.make_node(operator, ["x"], ["y"], axes=[1], keepdims=1)],
            "score",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, logits.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 1])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        checker.check_model(model, full_check=True)
        data = model.SerializeToString()
        expected = onnxruntime.InferenceSession(data).run(None, {"x": logits})[0].ravel()
        compiled = core.compile_model(core.read_model(model=data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found = compiled([logits])[0].ravel()
        show = lambda values: [round(float(value), 2) for value in values]
        print(f"opset {opset}, {operator:16}onnxruntime {show(expected)}, OpenVINO {show(found)}")
        whole[opset, operator] = len(found) != len(expected) or not np.allclose(found, expected, atol=1e-3)
wrong = {key for key, value in whole.items() if value}
if wrong != {(13, "ReduceLogSumExp"), (13, "ReduceLogSum"), (13, "ReduceL1")}:
    sys.exit("changed: OpenVINO reads the axes of these reductions in another way")
PY
