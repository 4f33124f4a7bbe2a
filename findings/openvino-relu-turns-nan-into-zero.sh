#!/usr/bin/env bash
# A NaN that enters OpenVINO's Relu or Clip comes out as 0
#
# Guess: NaN goes through a network to its end, as in PyTorch, numpy and onnxruntime, so that a
# check of the outputs finds a broken input or weight.
#
# Package: openvino 2026.4.1, onnxruntime 1.32.0 (onnx 1.23.2, numpy 2.4.6); seen on x86-64
#
# Behaviour: OpenVINO's CPU kernels for Relu and Clip take the maximum in a way that drops NaN. The
# outputs after them are finite and look like those of a dark image. The ONNX reference gives NaN.
#
# Output seen:
#     Relu of [nan, -1, 2]: onnxruntime [nan  0.  2.]   OpenVINO [0. 0. 2.]
#     Clip of [nan, -1, 2]: onnxruntime [nan  0.  2.]   OpenVINO [0. 0. 2.]
#
# Where a user of Straylight meets it: float images with NaN (depth or thermal TIFF) and
# overflowing f16 layers. An OOD score of such an image is a normal number. Check the pixels, not
# only the outputs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import platform
import sys

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

given = np.array([np.nan, -1, 2], np.float32)
limits = [numpy_helper.from_array(np.float32(value), name) for name, value in (("low", 0), ("high", 6))]
stated = True
for kind, names in (("Relu", ["x"]), ("Clip", ["x", "low", "high"])):
    graph = helper.make_graph([helper.make_node(kind, names, ["y"])], kind,
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])], limits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    right = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": given})[0]
    core = openvino.Core()
    seen = core.compile_model(core.read_model(model=model.SerializeToString()), "CPU",
                              {"INFERENCE_PRECISION_HINT": "f32"})([given])[0]
    print(f"{kind} of [nan, -1, 2]: onnxruntime {right}   OpenVINO {seen}")
    stated = stated and np.isnan(right[0]) and seen[0] == 0
if not stated and platform.machine() in ("x86_64", "AMD64"):
    sys.exit("changed: OpenVINO and onnxruntime now treat NaN alike")
PY
