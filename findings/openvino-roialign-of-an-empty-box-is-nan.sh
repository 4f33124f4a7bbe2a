#!/usr/bin/env bash
# OpenVINO's RoiAlign gives NaN for a box without area, onnxruntime 0
#
# Guess: a box of zero size gives 0, or the value at its point, as in onnxruntime and the ONNX
# reference.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: with half_pixel coordinates (`aligned=True` of torchvision and Detectron2) and the
# automatic sampling ratio OpenVINO divides by zero samples. The whole crop is NaN; a Relu behind it
# makes 0 of it, a Sigmoid keeps it.
#
# Output seen:
#     box [2, 2, 2, 2]: onnxruntime 0.0, OpenVINO nan
#     box [1, 1, 4, 4]: onnxruntime 14.0, OpenVINO 14.0
#
# Where a user of Straylight meets it: two-stage detectors exported with a fixed number of
# proposals; the rows that are not used are boxes of zeros. Masks and features of those rows are
# NaN. Filter rows by score before anything is averaged over them.
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

image = np.arange(36, dtype=np.float32).reshape(1, 1, 6, 6)
node = helper.make_node(
    "RoiAlign", ["image", "boxes", "batch"], ["crops"],
    output_height=2, output_width=2, sampling_ratio=0, coordinate_transformation_mode="half_pixel",
)
inputs = [
    helper.make_tensor_value_info("image", TensorProto.FLOAT, image.shape),
    helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [2, 4]),
    helper.make_tensor_value_info("batch", TensorProto.INT64, [2]),
]
outputs = [helper.make_tensor_value_info("crops", TensorProto.FLOAT, [2, 1, 2, 2])]
model = helper.make_model(helper.make_graph([node], "crops", inputs, outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model)
feed = {"image": image, "boxes": np.array([[2, 2, 2, 2], [1, 1, 4, 4]], np.float32), "batch": np.zeros(2, np.int64)}
data = model.SerializeToString()
expected = onnxruntime.InferenceSession(data).run(None, feed)[0].mean((1, 2, 3))
core = openvino.Core()
result = core.compile_model(core.read_model(model=data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(feed)[0].mean((1, 2, 3))
for box, theirs, ours in zip(feed["boxes"].astype(int).tolist(), expected, result):
    print(f"box {box}: onnxruntime {theirs}, OpenVINO {ours}")
if not (expected[0] == 0 and np.isnan(result[0]) and np.allclose(expected[1], result[1])):
    sys.exit("changed: OpenVINO gives an empty box a number")
PY
