#!/usr/bin/env bash
# OpenVINO's MaxPool with ceil_mode adds a column of -3.4e38
#
# Guess: a window that would start beyond the image is left out, as PyTorch and the ONNX reference
# have it, and as OpenVINO does it for AveragePool.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: MaxPool of a 6 x 6 image with kernel 1, stride 2 and ceil_mode=1 has a shape of 4 x 4,
# not of 3 x 3, and the fourth row and column hold the smallest float, since nothing is under their
# window. A mean behind it is -1.5e38. Kernel 2, stride 2, padding 1 on 5 x 5 does the same.
#
# Output seen:
#     onnxruntime: MaxPool (3, 3), smallest 0; AveragePool (3, 3)
#     OpenVINO:    MaxPool (4, 4), smallest -3.4e+38; AveragePool (3, 3)
#
# Where a user of Straylight meets it: strided max pooling that thins out a feature map, exported
# with ceil_mode. Features with such numbers make every distance infinite. Export with ceil_mode
# off; for even sizes the result is the same.
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

onnxruntime.set_default_logger_severity(3)
image = np.arange(36, dtype=np.float32).reshape(1, 1, 6, 6)
found = {}
for operator in ("MaxPool", "AveragePool"):
    node = helper.make_node(operator, ["x"], ["y"], kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", image.shape), ("y", [1, 1, "height", "width"]))]
    model = helper.make_model(helper.make_graph([node], "pool", values[:1], values[1:]), opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(model)
    data = model.SerializeToString()
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(model=data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found["onnxruntime", operator] = onnxruntime.InferenceSession(data).run(None, {"x": image})[0]
    found["OpenVINO", operator] = compiled([image])[0]
for engine in ("onnxruntime", "OpenVINO"):
    largest, mean = found[engine, "MaxPool"], found[engine, "AveragePool"]
    print(f"{engine + ':':12} MaxPool {largest.shape[2:]}, smallest {largest.min():.2g}; AveragePool {mean.shape[2:]}")
if not (found["onnxruntime", "MaxPool"].shape[2:] == (3, 3) and found["OpenVINO", "MaxPool"].min() < -1e38):
    sys.exit("changed: OpenVINO leaves out windows beyond the image")
PY
