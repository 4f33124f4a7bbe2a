#!/usr/bin/env bash
# openvino.save_model halves the precision by default, and clips what does not fit
#
# Guess: saving a model keeps its weights; where f16 is the default, a constant beyond its range
# stays f32.
#
# Package: openvino 2026.4.1 (numpy 2.4.6)
#
# Behaviour: compress_to_fp16 is True by default. A weight of 100000 is saved as 65504, one of 1e-8
# as 0, among weights that fit; nothing is said. The graph's element types still read f32.
#
# Output seen:
#     weights   [100000.0, 3.0, 1e-08]
#     reloaded  [6.5504e+04 3.0000e+00 0.0000e+00]
#
# Where a user of Straylight meets it: large numbers in the graph itself: scale factors, statistics
# of a normalisation layer, pixel offsets of large images, epsilons. Save with
# compress_to_fp16=False and compare. A deployment holds what was saved: Straylight cannot see what
# the weights were.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    openvino==2026.4.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import numpy as np
import openvino
from openvino import opset13 as ops

weights = np.array([1e5, 3, 1e-8], np.float32)
x = ops.parameter([3], dtype=np.float32)
model = openvino.Model([ops.multiply(x, ops.constant(weights))], [x], "scale")
openvino.save_model(model, "model.xml")
core = openvino.Core()
compiled = core.compile_model("model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
reloaded = compiled([np.ones(3, np.float32)])[0]
print(f"weights   {[float(f'{value:g}') for value in weights]}")
print(f"reloaded  {reloaded}")
if not (reloaded[0] == 65504 and reloaded[2] == 0):
    sys.exit("changed: save_model keeps the weights that do not fit into f16")
PY
