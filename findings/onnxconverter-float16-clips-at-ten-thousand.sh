#!/usr/bin/env bash
# convert_float_to_float16 of onnxconverter-common clips weights at 10000, not at 65504
#
# Guess: weights that f16 can hold (up to 65504) stay as they are, rounded.
#
# Package: onnxconverter-common 1.16.0 (onnx 1.23.2, numpy 2.4.6)
#
# Behaviour: the default of max_finite_val is 1e4, and min_positive_val is 1e-7: 12345 becomes
# 10000, 20000 becomes 10000, 1e-9 becomes 1e-7. A warning tells of the truncation, among many; the
# model runs and is wrong.
#
# Output seen:
#     before [1.2345e+04 2.0000e+04 5.0000e-01]
#     after  [1.e+04 1.e+04 5.e-01]
#
# Where a user of Straylight meets it: f16 exports whose graph holds pixel sizes, strides times
# cells or large biases. Straylight runs f16 models as they are; convert with max_finite_val=65504.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    onnxconverter-common==1.16.0 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys
import warnings

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnxconverter_common import float16

warnings.simplefilter("ignore")
weights = np.array([12345, 20000, 0.5], np.float32)
graph = helper.make_graph([helper.make_node("Mul", ["x", "weights"], ["y"])], "scale",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])],
                          [numpy_helper.from_array(weights, "weights")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
half = numpy_helper.to_array(float16.convert_float_to_float16(model).graph.initializer[0]).astype(np.float32)
print(f"before {weights}")
print(f"after  {half}")
if half.tolist() != [10000, 10000, 0.5]:
    sys.exit("changed: weights above 10000 are kept")
PY
