#!/usr/bin/env bash
# OpenCV's network module gives infinity for Softplus and LogSoftmax of ordinary logits
#
# Guess: Softplus of 92 is 92, and LogSoftmax of logits that lie 100 apart is about -100: runtimes
# take the maximum out before the exponential, as its Softmax does.
#
# Package: opencv-python-headless 5.0.0.93, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: OpenCV computes log(1 + exp(x)), log(softmax(x)) and log(sum(exp(x))) as they are
# written. Above about 88 the exponential overflows and the result is inf; LogSoftmax is -inf for
# classes 100 below the largest. Mish, which detectors are full of, is Softplus in older exports;
# the energy score is a ReduceLogSumExp.
#
# Output seen:
#     Softplus: onnxruntime [1.31, 50.0, 92.0, 200.0], OpenCV [1.31, 50.0, inf, inf]
#     LogSoftmax: onnxruntime [-199.0, -150.0, -108.0, 0.0], OpenCV [-inf, -inf, -inf, 0.0]
#     ReduceLogSumExp: onnxruntime [200.0], OpenCV [inf]
#
# Where a user of Straylight meets it: an OOD score such as energy, or a detector with Mish, put
# into the graph and run with cv2.dnn. An infinite score hides the order of strays. Straylight
# computes energy itself with the maximum taken out, and its OpenVINO gives finite Softplus and
# LogSoftmax here.
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
from onnx import TensorProto, checker, helper

logits = np.array([[1, 50, 92, 200]], np.float32)
infinite = {}
for operator, attributes in {"Softplus": {}, "LogSoftmax": {"axis": 1}, "ReduceLogSumExp": {"axes": [1]}}.items():
    shape = [1, 1] if operator == "ReduceLogSumExp" else [1, 4]
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], **attributes)],
        "logits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, logits.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    expected = onnxruntime.InferenceSession(data).run(None, {"x": logits})[0].ravel()
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(logits)
    found = network.forward().ravel()
    show = lambda values: [round(float(value), 2) for value in values]
    print(f"{operator}: onnxruntime {show(expected)}, OpenCV {show(found)}")
    infinite[operator] = np.isfinite(expected).all() and np.isinf(found).any()
if not all(infinite.values()):
    sys.exit("changed: OpenCV computes these without overflow")
PY
