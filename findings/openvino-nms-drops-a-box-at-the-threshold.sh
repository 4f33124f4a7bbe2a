#!/usr/bin/env bash
# OpenVINO's NonMaxSuppression drops a box whose overlap equals the threshold
#
# Guess: a box is dropped when its overlap is *greater* than the threshold: so say ONNX,
# torchvision and onnxruntime.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: at an overlap of exactly 0.5 with a threshold of 0.5 onnxruntime keeps both boxes,
# OpenVINO keeps one.
#
# Output seen:
#     boxes kept at IoU 0.5, threshold 0.5: onnxruntime 2, OpenVINO 1
#
# Where a user of Straylight meets it: detectors with NMS inside, on boxes with whole numbers or
# quantised ones, where such ties happen; counts of objects differ by one between runtimes.
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

constants = {"most": np.array([10], np.int64), "overlap": np.array([0.5], np.float32), "score": np.array([0.1], np.float32)}
node = helper.make_node("NonMaxSuppression", ["boxes", "scores", *constants], ["kept"])
graph = helper.make_graph([node], "nms", [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
                                          helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, 2])],
                          [helper.make_tensor_value_info("kept", TensorProto.INT64, [None, 3])],
                          [numpy_helper.from_array(value, name) for name, value in constants.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
onnx.checker.check_model(model)
given = {"boxes": np.array([[[0, 0, 10, 10], [0, 0, 10, 5]]], np.float32), "scores": np.array([[[0.9, 0.8]]], np.float32)}
right = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)[0]
core = openvino.Core()
seen = core.compile_model(core.read_model(model=model.SerializeToString()), "CPU",
                          {"INFERENCE_PRECISION_HINT": "f32"})(given)[0]
kept = len(right), int((seen[:, 0] >= 0).sum())
print(f"boxes kept at IoU 0.5, threshold 0.5: onnxruntime {kept[0]}, OpenVINO {kept[1]}")
if kept != (2, 1):
    sys.exit("changed: OpenVINO and onnxruntime keep other boxes")
PY
